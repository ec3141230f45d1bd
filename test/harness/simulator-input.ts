// Input for simulated detectors: events of a few principals, out of order, with copies and poison between them, as the
// records of an events topic. A function of the seed.
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import { eventEncoder } from '../../src/codecs/cloudtrail-event.ts'
import type { Rule, RuleSet } from '../../src/rules/rule.ts'
import { topicContract } from '../../src/topics.ts'
import { awsRegion, call, day, hour, minute, multiRegion, rule, ruleSet, second } from './detection.ts'
import type { Random } from './simulator.ts'

/** An input record and the timestamp it is appended with: event time plus delivery, hours later at most. */
export interface InputRecord {
  readonly key: string | null
  readonly value: Buffer | null
  readonly timestamp: number
  /** Appended in a transaction that is aborted: nobody may see it, and its offset and its marker's are gaps. */
  readonly aborted?: true
}

export const eventSchema = topicContract('EVENTS_TOPIC').schema!
export const eventSchemaId = 71
/** An id that no registry knows. */
const strayId = 404

const encoder = eventEncoder(eventSchema)
const regions = ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-south-1', 'sa-east-1']
const begin = Date.UTC(2026, 0, 15)

const deniedReads: Rule = rule(
  'denied-reads',
  { kind: 'event_count', timespanMs: 10 * minute, condition: { gte: 4 } },
  { feeds: [1] },
)
const deletions: Rule = rule('deletions', { kind: 'single' }, { feeds: [2], groupBy: [awsRegion] })

/** Rules whose verdicts depend on every event before: sets of values, counts, episodes with updates. */
const simulatedCalls = ['BatchGetSecretValue', 'GetSecretValue', 'DeleteSecret']
export const simulatedRules: RuleSet = {
  ...ruleSet(
    [multiRegion, deniedReads, deletions],
    [
      event => event.eventName === 'BatchGetSecretValue',
      event => event.eventName === 'GetSecretValue' && event.outcome === 'DENIED',
      event => event.eventName === 'DeleteSecret',
    ],
  ),
  wants: (_, eventName) => simulatedCalls.includes(eventName),
}

/** @param jumps whether silences of days occur, for the expiry of state */
export function simulatedInput(random: Random, count: number, jumps: boolean): InputRecord[] {
  const principals = Array.from({ length: random.int(2, 6) }, (_, i) => `111122223333/role/AROA${i}`)
  const made: CloudTrailEvent[] = []
  const records: InputRecord[] = []
  let time = begin
  for (let i = 0; i < count; i++) {
    time += random.chance(0.04) ? random.int(10, 90) * minute : random.int(0, 90) * second
    if (jumps && random.chance(0.03)) time += random.int(1, 5) * day
    const timestamp = time + random.int(0, 10) * minute
    if (random.chance(0.04)) {
      records.push({ key: random.pick(principals), value: Buffer.from('aborted'), timestamp, aborted: true })
      continue
    }
    if (random.chance(0.08)) {
      records.push(poison(random, random.pick(principals), timestamp))
      continue
    }
    const copy = made.length > 0 && random.chance(0.15) ? random.pick(made.slice(-30)) : null
    const event = copy ?? eventOf(random, random.pick(principals), time, i)
    made.push(event)
    records.push({ key: event.principal.key, value: encoder.encode(event, eventSchemaId), timestamp })
  }
  return records
}

function eventOf(random: Random, key: string, time: number, index: number): CloudTrailEvent {
  const late = random.chance(0.1) ? random.int(0, 30) * minute : 0
  const early = random.chance(0.02) ? hour : 0
  const name = random.pick(['BatchGetSecretValue', 'BatchGetSecretValue', 'GetSecretValue', 'DeleteSecret', 'Decrypt'])
  return call(time - late + early, {
    // Some events carry no id: nothing then tells a second evaluation from a second event.
    eventId: random.chance(0.2) ? '' : `event-${index}`,
    eventName: name,
    awsRegion: random.pick(regions),
    outcome: name === 'GetSecretValue' && random.chance(0.8) ? 'DENIED' : 'SUCCESS',
    principal: { key, kind: 'ROLE', name: key.slice(-5) },
  })
}

function poison(random: Random, key: string, timestamp: number): InputRecord {
  const event = encoder.encode(call(timestamp, { eventId: 'poison' }), eventSchemaId)
  const stray = Buffer.from(event)
  stray.writeUInt32BE(strayId, 1)
  return random.pick<InputRecord>([
    { key, value: Buffer.from('not framed'), timestamp },
    { key, value: event.subarray(0, event.length >> 1), timestamp },
    { key, value: stray, timestamp },
    { key, value: null, timestamp },
    { key: null, value: event, timestamp },
    { key: `${key}/other`, value: event, timestamp },
  ])
}
