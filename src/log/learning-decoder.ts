// Decoding for those who look into topics now and then: a schema id met for the first time is looked up, then the record is
// decoded. A promise per record, so nothing for the line itself.
import type { UnknownSchema } from '../codecs/confluent.ts'
import type { SchemaSource } from './schema-source.ts'
import type { Rejected } from '../rejected.ts'

/** A decoder of src/codecs. */
interface LearningDecoder<T> {
  decode(bytes: Uint8Array): T | Rejected | UnknownSchema
  learn(schemaId: number, schema: object): string | null
}

/** The record, or why it cannot be read. @throws TW_REGISTRY_UNAVAILABLE */
export async function decodeLearning<T extends object>(
  decoder: LearningDecoder<T>,
  schemas: Pick<SchemaSource, 'schemaById'>,
  bytes: Uint8Array,
): Promise<T | Rejected> {
  let decoded = decoder.decode(bytes)
  if ('unknownSchema' in decoded) {
    const id = decoded.unknownSchema
    const unknown: Rejected = { rejected: 'unknown-schema-id', detail: `Schema id ${id} cannot be read.` }
    const schema = await schemas.schemaById(id)
    // Not learnt: the registry may have it when the next record asks.
    if (schema === null) return unknown
    decoder.learn(id, schema)
    decoded = decoder.decode(bytes)
    if ('unknownSchema' in decoded) return unknown
  }
  return decoded
}
