// SchemaSource: what the pipeline needs from a schema registry, ids and schemas, and an implementation without one.
// The Confluent client behind it stands in kafka/registry.ts.
import { createHash } from 'node:crypto'

/** Ids and schemas by subject. */
export interface SchemaSource {
  /** Id of a schema registered under a subject. @throws TW_SCHEMA_NOT_REGISTERED, TW_REGISTRY_UNAVAILABLE */
  idOf(subject: string, schema: object): Promise<number>
  /** Writer schema of an id; null where the registry does not know it. @throws TW_REGISTRY_UNAVAILABLE */
  schemaById(id: number): Promise<object | null>
}

/** Registers whatever is asked for, in memory: for the in-process line. Ids depend on the schema only. */
export function localSchemas(): SchemaSource {
  const schemas = new Map<number, object>()
  return {
    idOf(_subject, schema) {
      const digest = createHash('sha256').update(JSON.stringify(schema)).digest()
      const id = digest.readUInt32BE(0) >>> 1
      schemas.set(id, schema)
      return Promise.resolve(id)
    },
    schemaById: id => Promise.resolve(schemas.get(id) ?? null),
  }
}
