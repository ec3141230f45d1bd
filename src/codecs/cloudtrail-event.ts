// The codec of cloudtrail.events.v1: CloudTrailEvent in Confluent wire format. Pure.
// A detector decodes only what its rules and the engine read; the rest of a record is skipped where it stands.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { EventMember } from '../rules/rule.ts'
import type { AvroSchema } from './confluent.ts'
import { Decoder, Encoder } from './confluent.ts'

/** What detection reads whatever the rules ask for: the identity of events and principals, evidence, dimensions of an alert. */
export const detectionMembers: readonly EventMember[] = [
  'eventTime',
  'eventSource',
  'eventName',
  'awsRegion',
  'outcome',
  'principal',
  'recipientAccountId',
  'eventId',
  'sourceIPAddress',
  'userAgent',
  'errorCode',
  'userIdentity.type',
  'userIdentity.arn',
  'userIdentity.accessKeyId',
  'userIdentity.sessionName',
  'secrets',
]

/** Writes events; `schema` is topics/cloudtrail.events.v1/value.avsc. */
export function eventEncoder(schema: AvroSchema): Encoder<CloudTrailEvent> {
  return new Encoder<CloudTrailEvent>(schema)
}

/** Reads events of any registered writer version into this version's shape. */
export function eventDecoder(schema: AvroSchema): Decoder<CloudTrailEvent> {
  return new Decoder<CloudTrailEvent>(schema)
}

interface RecordField {
  readonly name: string
  readonly type: unknown
}

/**
 * The reader schema with {@link detectionMembers} and `members` only; null stands for all. What is left out is skipped and
 * absent from decoded events, so they are good for an engine with the rules that `members` comes from and for nothing else.
 */
export function projectEvent(schema: AvroSchema, members: ReadonlySet<EventMember> | null): AvroSchema {
  if (members === null) return schema
  const needed = new Set<string>([...detectionMembers, ...members])
  const { fields } = schema as { readonly fields: readonly RecordField[] }
  return {
    ...schema,
    fields: fields.flatMap(field => {
      if (field.name !== 'userIdentity') return needed.has(field.name) ? [field] : []
      const identity = field.type as { readonly fields: readonly RecordField[] }
      const kept = identity.fields.filter(({ name }) => needed.has(`userIdentity.${name}`))
      return [{ ...field, type: { ...identity, fields: kept } }]
    }),
  }
}
