// Orders events by principal, and those of each principal by event time, in bounded memory (run-sorter.ts).
// One principal after the other, because alerts are a function of one principal's events: whoever evaluates them needs the
// state of one. Events of one time (CloudTrail counts seconds) come by account and event id, copies next to each other, so
// the order of the input does not matter.
import { eventEncoder } from '../codecs/cloudtrail-event.ts'
import type { AvroSchema } from '../codecs/confluent.ts'
import { HEADER } from '../codecs/confluent.ts'
import { EventReader } from '../codecs/event-reader.ts'
import type { EventPlace } from '../codecs/event-reader.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { RuleSet } from '../rules/rule.ts'
import { RunSorter } from './run-sorter.ts'
import type { Sorting } from './run-sorter.ts'

/** The schema id in the bytes of waiting events. */
export const sortedSchemaId = 1

/** Takes events in any order. They wait as Avro, about 300 to 700 bytes each, and come out as the detector reads them. */
export class EventSorter extends RunSorter<CloudTrailEvent, EventPlace> {
  /**
   * `schema` is topics/cloudtrail.events.v1/value.avsc; events come out with what `fields` names and detection needs.
   * @param maxBytes encoded bytes held in memory, see {@link RunSorter}
   */
  constructor(schema: AvroSchema, fields: RuleSet['fields'], maxBytes = 32 << 20) {
    super(sorting(schema, fields), maxBytes)
  }
}

function sorting(schema: AvroSchema, fields: RuleSet['fields']): Sorting<CloudTrailEvent, EventPlace> {
  const encoder = eventEncoder(schema)
  const reader = EventReader.of(schema, fields)
  if (reader === null) throw new Error('The reader of events is for another schema.')
  return {
    encode: event => encoder.encode(event, sortedSchemaId),
    decode: bytes => reader.read(bytes, HEADER),
    // Strings made from bytes are their own: keeping them keeps nothing else.
    place: bytes => reader.place(bytes, HEADER),
    compare: (a, b) =>
      compare(a.principal, b.principal) || a.time - b.time || compare(a.account, b.account) || compare(a.id, b.id),
  }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
