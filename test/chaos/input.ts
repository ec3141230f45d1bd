// What chaos rounds put on the events topic: two attacks again and again, ordinary reads around them, copies, disorder
// within the lateness, and one poisoned record in a hundred, marked with a header. A function of the seed.
import { eventEncoder } from '../../src/codecs/cloudtrail-event.ts'
import type { OutRecord } from '../../src/log/log-client.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import { topicContract } from '../../src/topics.ts'
import { call, minute, second } from '../harness/detection.ts'
import type { Random } from '../harness/simulator.ts'
import { poisonKinds } from './poison.ts'
import type { SchemaIds } from './schema-ids.ts'

/** Header of a poisoned record: its kind. A dead letter keeps the headers of its record. */
export const poisonHeader = 'chaos-poison'

const begin = Date.UTC(2026, 0, 15)
const account = '111122223333'
const regions = 'us-east-1 us-east-2 us-west-2 eu-west-1 eu-central-1 eu-north-1 ap-south-1 sa-east-1'.split(' ')
/** Well below the 15 minutes of lateness, so that no event is dropped and order cannot matter. */
const disorderMs = 8 * minute
const poisonShare = 0.01
const copyShare = 0.1

/** `count` records of the events topic, poison included, in the order of arrival. */
export function chaosInput(random: Random, count: number, ids: SchemaIds): OutRecord[] {
  const encoder = eventEncoder(topicContract('EVENTS_TOPIC').schema!)
  // Every kind before any comes again.
  let kinds: typeof poisonKinds = []
  const nextKind = () => {
    if (kinds.length === 0) kinds = [...poisonKinds].sort(() => random.next() - 0.5)
    const [kind, ...rest] = kinds
    kinds = rest
    return kind!
  }
  return traffic(random, count).map(event => {
    const { key } = event.principal
    // A copy of its own: the encoder's slab is larger than what a round keeps of it.
    const framed = Buffer.from(encoder.encode(event, ids.event))
    if (!random.chance(poisonShare)) return { key, value: framed }
    const [kind, , make] = nextKind()
    const { key: poisonKey, value } = make({ key, framed, ...ids }, random)
    return { key: poisonKey, value, headers: { [poisonHeader]: kind } }
  })
}

/** Events in the order of arrival. */
function traffic(random: Random, count: number): CloudTrailEvent[] {
  const arrivals: { readonly event: CloudTrailEvent; readonly at: number }[] = []
  const arrive = (event: CloudTrailEvent) => {
    arrivals.push({ event, at: event.eventTime + random.int(0, disorderMs) })
    if (random.chance(copyShare)) arrivals.push({ event, at: event.eventTime + random.int(0, disorderMs) })
  }
  let time = begin
  for (let index = 0; arrivals.length < count; index++) {
    time += random.int(1, 40) * second
    const kind = random.next()
    const role = `${account}/role/AROA${random.int(0, 40)}`
    const events =
      kind < 0.08 ? regionSweep(random, role) : kind < 0.16 ? enumeration(random, role) : [ordinary(random)]
    for (const [step, event] of events.entries())
      arrive(call(time + (event.offset ?? 0), { ...withKey(role), ...event.of, eventId: `event-${index}-${step}` }))
  }
  return arrivals
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ event }) => event)
}

interface Sketch {
  /** Milliseconds after the begin of the story. */
  readonly offset?: number
  readonly of: Partial<CloudTrailEvent>
}

const withKey = (key: string) => ({
  principal: { key, kind: 'ROLE' as const, name: key.slice(key.lastIndexOf('/') + 1) },
})
const secret = (random: Random, of: number) => `${account}:us-east-1:prod/${random.int(1, of)}`

function ordinary(random: Random): Sketch {
  const key = `${account}/role/AROAAPP${random.int(0, 60)}`
  const reads = random.chance(0.5)
  return {
    of: {
      ...withKey(key),
      eventName: reads ? 'GetSecretValue' : 'DescribeSecret',
      awsRegion: random.pick(regions),
      outcome: reads && random.chance(0.05) ? 'DENIED' : 'SUCCESS',
      secrets: [secret(random, 6)],
    },
  }
}

/** Batch reads in four to eight regions: an attack from five on. */
function regionSweep(random: Random, role: string): Sketch[] {
  const span = random.int(1, 9) * minute
  return Array.from({ length: random.int(4, 12) }, () => ({
    offset: random.int(0, span),
    of: { ...withKey(role), awsRegion: random.pick(regions), sourceIPAddress: `198.51.100.${random.int(1, 9)}` },
  }))
}

/** Denied reads of different secrets, sometimes until one opens. */
function enumeration(random: Random, role: string): Sketch[] {
  const span = random.int(2, 15) * minute
  const denied = Array.from({ length: random.int(4, 30) }, () => ({
    offset: random.int(0, span),
    of: {
      ...withKey(role),
      eventName: 'GetSecretValue',
      outcome: 'DENIED' as const,
      errorCode: 'AccessDenied',
      secrets: [secret(random, 12)],
    },
  }))
  if (random.chance(0.5)) return denied
  return [
    ...denied,
    { offset: span, of: { ...withKey(role), eventName: 'GetSecretValue', secrets: [secret(random, 12)] } },
  ]
}
