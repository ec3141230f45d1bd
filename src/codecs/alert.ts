// The codec of cloudtrail.alerts.v1: Alert in Confluent wire format, and read back from its JSON view. Pure.
import avro from 'avsc'
import type { Alert } from '../alerts/alert.ts'
import { parseTime } from '../normalize/event-time.ts'
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

/**
 * An alert from its JSON view ({@link alertToJson}, and the value of the topic with `ALERT_FORMAT=json`), or null for a
 * text that is none. Fields with a default may be missing, unknown ones are ignored, as between versions of the schema.
 */
export function alertFromJson(schema: AvroSchema, text: string): Alert | null {
  try {
    const type = avro.Type.forSchema(schema as avro.Schema, { noAnonymousTypes: true })
    return type.clone(timesAsNumbers(JSON.parse(text) as unknown, schema)) as Alert
  } catch {
    return null
  }
}

interface SchemaNode {
  readonly type?: unknown
  readonly logicalType?: string
  readonly fields?: readonly { readonly name: string; readonly type: unknown }[]
  readonly items?: unknown
}

/** The JSON view differs from the Avro value in its times only: text there, epoch milliseconds here. */
function timesAsNumbers(value: unknown, schema: unknown): unknown {
  if (value === null || typeof schema !== 'object' || schema === null) return value
  if (Array.isArray(schema))
    return timesAsNumbers(
      value,
      schema.find(branch => branch !== 'null'),
    )
  const node = schema as SchemaNode
  if (node.logicalType === 'timestamp-millis') return typeof value === 'string' ? parseTime(value) : value
  if (node.fields !== undefined && typeof value === 'object') {
    const record = value as Readonly<Record<string, unknown>>
    return Object.fromEntries(node.fields.map(({ name, type }) => [name, timesAsNumbers(record[name], type)]))
  }
  if (node.items !== undefined && Array.isArray(value)) return value.map(item => timesAsNumbers(item, node.items))
  return value
}
