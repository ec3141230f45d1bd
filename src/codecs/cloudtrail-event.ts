// The codec of cloudtrail.events.v1: CloudTrailEvent in Confluent wire format. Pure.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { AvroSchema } from './confluent.ts'
import { Decoder, Encoder } from './confluent.ts'

/** Writes events; `schema` is topics/cloudtrail.events.v1/value.avsc. */
export function eventEncoder(schema: AvroSchema): Encoder<CloudTrailEvent> {
  return new Encoder<CloudTrailEvent>(schema)
}

/** Reads events of any registered writer version into this version's shape. */
export function eventDecoder(schema: AvroSchema): Decoder<CloudTrailEvent> {
  return new Decoder<CloudTrailEvent>(schema)
}
