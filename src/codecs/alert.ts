// The codec of cloudtrail.alerts.v1: Alert in Confluent wire format. Pure.
import type { Alert } from '../alerts/alert.ts'
import type { AvroSchema } from './confluent.ts'
import { Decoder, Encoder } from './confluent.ts'

/** Writes alerts; `schema` is topics/cloudtrail.alerts.v1/value.avsc. Alerts are few: a small slab does. */
export function alertEncoder(schema: AvroSchema): Encoder<Alert> {
  return new Encoder<Alert>(schema, 1 << 14)
}

/** Reads alerts of any registered writer version into this version's shape. */
export function alertDecoder(schema: AvroSchema): Decoder<Alert> {
  return new Decoder<Alert>(schema)
}
