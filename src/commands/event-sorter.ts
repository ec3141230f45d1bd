// Orders events by principal, and those of each principal by event time, in bounded memory (run-sorter.ts).
// One principal after the other, because alerts are a function of one principal's events: whoever evaluates them needs the
// state of one. Events of one time (CloudTrail counts seconds) come by account and event id, copies next to each other, so
// the order of the input does not matter.
import type { Decoder, Encoder } from '../codecs/confluent.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { RunSorter } from './run-sorter.ts'
import type { Sorting } from './run-sorter.ts'

const schemaId = 1

/** Strings of an event are its own, so keeping them keeps nothing else. */
interface Place {
  readonly principal: string
  readonly time: number
  readonly account: string
  readonly id: string
}

/** Takes events in any order. They wait as Avro, about 300 to 700 bytes each. */
export class EventSorter extends RunSorter<CloudTrailEvent, Place> {
  /** @param maxBytes encoded bytes held in memory, see {@link RunSorter} */
  constructor(
    encoder: Encoder<CloudTrailEvent>,
    decoder: Decoder<CloudTrailEvent>,
    schema: object,
    maxBytes = 32 << 20,
  ) {
    super(sorting(encoder, decoder), maxBytes)
    decoder.learn(schemaId, schema)
  }
}

function sorting(
  encoder: Encoder<CloudTrailEvent>,
  decoder: Decoder<CloudTrailEvent>,
): Sorting<CloudTrailEvent, Place> {
  return {
    encode: event => encoder.encode(event, schemaId),
    decode(bytes) {
      const event = decoder.decode(bytes)
      if ('rejected' in event || 'unknownSchema' in event) throw new Error('An event did not survive its own codec.')
      return event
    },
    place: ({ principal, eventTime, recipientAccountId, eventId }) => ({
      principal: principal.key,
      time: eventTime,
      account: recipientAccountId,
      id: eventId,
    }),
    compare: (a, b) =>
      compare(a.principal, b.principal) || a.time - b.time || compare(a.account, b.account) || compare(a.id, b.id),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
