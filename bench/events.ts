// The bench data as events and as records of the events topic.
import { eventDecoder, eventEncoder, projectEvent } from '../src/codecs/cloudtrail-event.ts'
import type { CloudTrailEvent } from '../src/normalize/event.ts'
import { normalizeBytes } from '../src/normalize/raw-value.ts'
import type { NormalizeOptions } from '../src/normalize/raw-value.ts'
import type { RuleSet } from '../src/rules/rule.ts'
import { defaultEnvelopeLimits } from '../src/sources/envelope.ts'
import { topicContract } from '../src/topics.ts'

/** The normalizer as it runs by default. */
export const options: NormalizeOptions = {
  keepRequestParameters: true,
  keepResponseElements: true,
  keepAdditionalEventData: true,
  sourceIdentity: 'trust',
  limits: defaultEnvelopeLimits,
}

/** The schema of the events topic; its id in every record of a bench is 1. */
export const schema = topicContract('EVENTS_TOPIC').schema!

/** Normalizes JSON lines. */
export function eventsOf(lines: Iterable<string | Buffer>): CloudTrailEvent[] {
  const events: CloudTrailEvent[] = []
  for (const line of lines)
    normalizeBytes(typeof line === 'string' ? Buffer.from(line) : line, options, {
      event: event => events.push(event),
      skipped: () => undefined,
      rejected: refusal => fail(refusal),
    })
  return events
}

/** Ends a bench whose data is not as expected. */
export function fail(reason: unknown): never {
  throw new Error(JSON.stringify(reason))
}

/** Events as the values of the events topic. */
export function encoded(events: readonly CloudTrailEvent[]): Buffer[] {
  const encoder = eventEncoder(schema)
  return events.map(event => Buffer.from(encoder.encode(event, 1)))
}

/** Decodes every record, the members only that the rules read. */
export function decoding(records: readonly Buffer[], fields: RuleSet['fields']): () => void {
  const decoder = eventDecoder(projectEvent(schema, fields))
  decoder.learn(1, schema)
  return () => {
    for (const record of records) decoder.decode(record)
  }
}
