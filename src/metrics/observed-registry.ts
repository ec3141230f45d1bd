// A schema source that counts what it is asked, by what came back. The client behind it keeps every schema it has found.
import type { SchemaSource } from '../log/schema-source.ts'
import type { Metrics } from './metrics.ts'

/** The same source, counted. */
export function observedRegistry(
  source: SchemaSource,
  { registryLookups }: Pick<Metrics, 'registryLookups'>,
): SchemaSource {
  const known = new Set<number>()
  const count = async <T>(cached: boolean, question: Promise<T>): Promise<T> => {
    try {
      const answer = await question
      registryLookups.inc({ result: answer === null ? 'unknown' : cached ? 'cached' : 'found' })
      return answer
    } catch (error) {
      registryLookups.inc({ result: 'failed' })
      throw error
    }
  }
  return {
    idOf: (subject, schema) => count(false, source.idOf(subject, schema)),
    async schemaById(id) {
      const schema = await count(known.has(id), source.schemaById(id))
      if (schema !== null) known.add(id)
      return schema
    },
  }
}
