// A record of the events topic as an event, or why it is none. The detector and `replay` of a topic read through this, so
// that they agree on what counts.
import type { Decoder } from '../codecs/confluent.ts'
import type { EventDispatch } from '../codecs/event-dispatch.ts'
import type { LogRecord } from '../log/log-client.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'

/** What events are read with. `look` and `read` of src/codecs/event-dispatch.ts are there where fast paths are on. */
export type EventSource = Pick<Decoder<CloudTrailEvent>, 'decode' | 'learn' | 'forget'> &
  Partial<Pick<EventDispatch, 'look' | 'read'>>

/** Reads one record; a schema id that was never learnt comes back as such. Total. */
export function readEvent(
  { key, value }: Pick<LogRecord, 'key' | 'value'>,
  decoder: Pick<Decoder<CloudTrailEvent>, 'decode'>,
): ReturnType<Decoder<CloudTrailEvent>['decode']> {
  if (key === null) return { rejected: 'null-key', detail: 'The record has no key.' }
  if (value === null) return { rejected: 'null-value', detail: 'The record has no value.' }
  const event = decoder.decode(value)
  // State and order belong to the key's partition: an event under another key would be judged by half of its history.
  if ('principal' in event && key.toString() !== event.principal.key)
    return { rejected: 'key-mismatch', detail: 'The key of the record is not the principal of the event.' }
  return event
}
