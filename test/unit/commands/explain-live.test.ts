// `explain` against a cluster, on the in-process log with the real loop of the detector behind it: why it fired, why it has
// not, what waits, and what is said when alerts, events or state are past retention.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { dedupKey, principalHash } from '../../../src/alerts/dedup-key.ts'
import { explainLive } from '../../../src/commands/explain-live.ts'
import type { LiveTarget } from '../../../src/commands/explain-live.ts'
import type { Question } from '../../../src/commands/explain-inquiry.ts'
import { parseDedupKey } from '../../../src/commands/explain-target.ts'
import { detectionFrom } from '../../../src/commands/rule-set.ts'
import type { InProcessLog } from '../../../src/log/in-process.ts'
import { partitionFor } from '../../../src/log/murmur2.ts'
import { localSchemas } from '../../../src/log/schema-source.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import { startDetector } from '../../../src/pipeline/detector.ts'
import { topicContract } from '../../../src/topics.ts'
import { jsonLines } from '../../harness/command-line.ts'
import { at, call, minute, second } from '../../harness/detection.ts'
import {
  append,
  config,
  detectorParts,
  eventRecords,
  eventSchema,
  lineLog,
  seenOn,
  stateSchema,
  topics,
} from '../../harness/pipeline.ts'
import { contextOf } from './context.ts'

const partitions = 3
const rule = 'secretsmanager-multi-region'
const rateRule = 'secretsmanager-denied-rate'
const detection = await detectionFrom(config)
const schemas = localSchemas()
for (const schema of [eventSchema, stateSchema, topicContract('ALERTS_TOPIC').schema!]) await schemas.idOf('', schema)

const named = (name: string) => `111122223333/role/${name}`
const regions = ['eu-west-1', 'eu-west-2', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2']

function reads(name: string, count: number, from = at('10:00')): CloudTrailEvent[] {
  const principal = { key: named(name), kind: 'ROLE', name } as const
  return regions
    .slice(0, count)
    .map((awsRegion, i) => call(from + i * minute, { awsRegion, eventId: `${name}-${from}-${i}`, principal }))
}

function denials(name: string, count: number): CloudTrailEvent[] {
  const principal = { key: named(name), kind: 'ROLE', name } as const
  return Array.from({ length: count }, (_, i) =>
    call(at('11:00') + i * 20 * second, {
      eventName: 'GetSecretValue',
      errorCode: 'AccessDenied',
      outcome: 'DENIED',
      secrets: [`111122223333:eu-west-1:s${i}`],
      eventId: `${name}-${i}`,
      principal,
    }),
  )
}

async function produce(log: InProcessLog, events: readonly CloudTrailEvent[]): Promise<void> {
  await append(log, topics.events, await eventRecords(events, schemas))
}

async function detectAll(log: InProcessLog): Promise<void> {
  const loop = await startDetector(await detectorParts(log, { stallMs: 0 }, schemas))
  await Promise.race([log.idle(), loop.done])
  await loop.stop()
  await loop.done
}

interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function ask(
  log: InProcessLog,
  target: LiveTarget,
  questions: readonly Question[],
  options = {},
): Promise<Answer> {
  let stdout = ''
  let stderr = ''
  const { context } = contextOf({}, new AbortController().signal)
  const sink = (write: (text: string) => void) => ({ isTerminal: false, columns: 80, write })
  const full = { ...context, options, out: sink(text => (stdout += text)), err: sink(text => (stderr += text)) }
  const code = await explainLive(full, detection, target, questions, log, schemas)
  return { code, stdout, stderr }
}

function aboutKey(log: InProcessLog, key: string, options = {}): Promise<Answer> {
  const parts = parseDedupKey(key)!
  const asked = detection.rules.rules.find(({ id }) => id === parts.rule)!
  return ask(log, { dedupKey: key, opening: parts.opening }, [{ ...parts, rule: asked }], options)
}

function aboutPrincipal(log: InProcessLog, principal: string, rules: readonly string[], options = {}): Promise<Answer> {
  const questions = detection.rules.rules
    .filter(({ id }) => rules.includes(id))
    .map(one => ({ rule: one, principalHash: principalHash(principal), groupHash: null, opening: null }))
  return ask(log, { principal }, questions, options)
}

describe('on a line that detected an attack', () => {
  let log: InProcessLog
  let key = ''
  before(async () => {
    log = lineLog(partitions)
    await produce(log, [...reads('thief', 6), ...reads('near', 3), ...denials('denied', 8), ...denials('few', 2)])
    await detectAll(log)
    key = (await seenOn(log)).alerts.find(({ alert }) => alert.ruleId === rule)!.alert.dedupKey
  })

  test('a dedup key alone: the alert, the steps with the moment of the fifth region, the state', async () => {
    const { code, stdout } = await aboutKey(log, key)
    assert.equal(code, 0)
    const partition = partitionFor(Buffer.from(named('thief')), partitions)
    assert.match(stdout, /^alerts {5}cloudtrail\.alerts\.v1: CREATE, UPDATE 1$/m)
    assert.match(
      stdout,
      new RegExp(`^events {5}cloudtrail\\.events\\.v1/${partition}, kept since .*: 6 events of the principal; `, 'm'),
    )
    assert.match(stdout, /5 of 5 different regions +new us-west-1/)
    assert.match(stdout, /-> the condition holds: an episode opens\n +-> told CREATE/)
    assert.match(stdout, /The condition became true at .* with the 5th value, us-west-1, 4 min after the first/)
    assert.match(stdout, /^detector's state for secretsmanager-multi-region$/m)
    assert.match(stdout, /^ {2}in the 10 min up to \S+ 10:05:00 UTC: \d different regions: eu-west-1 \(10:00:00\)/m)
    assert.match(stdout, /^ {2}in an episode: the condition held from \S+ 10:04:00 UTC to \S+ 10:05:00 UTC$/m)
    assert.doesNotMatch(stdout, /near|gone/)
  })

  test('--json: the alerts, what there was, the state, every step and the verdict', async () => {
    const { code, stdout } = await aboutKey(log, key, { json: true })
    assert.equal(code, 0)
    const lines = jsonLines(stdout)
    assert.deepEqual(
      lines.map(({ kind }) => kind),
      ['alert', 'alert', 'events', 'state', ...regions.map(() => 'step'), 'verdict'],
    )
    assert.equal((lines[0]!['alert'] as { dedupKey: string }).dedupKey, key)
    const [, , events, state] = lines
    assert.deepEqual([events!['principal'], events!['events'], events!['waiting']], [named('thief'), 6, 0])
    const [held] = state!['held'] as { needed: number; count: number; values: string[]; episodes: object[] }[]
    assert.equal(held!.needed, 5)
    assert.ok(held!.count >= 5)
    assert.equal(held!.episodes.length, 1)
    assert.equal(lines.at(-1)!['fired'], true)
  })

  test('a principal that did not fire: what the window held, in the events and in the state, and what is missing', async () => {
    const { code, stdout } = await aboutPrincipal(log, named('near'), [rule])
    assert.equal(code, 0)
    assert.match(
      stdout,
      /It did not fire\. It came closest at .*: 3 of 5 different regions in 10 min; 2 more different regions/,
    )
    assert.match(
      stdout,
      /^ {2}in the 10 min up to .*: 3 of 5 different regions: eu-west-1 \(10:00:00\), eu-west-2 .*$/m,
    )
    assert.match(stdout, /^ {2}not enough: 2 more different regions in the same 10 min would have made it fire$/m)
    assert.doesNotMatch(stdout, /^alerts /m)
  })

  test('a rate: the numbers of the alert in the steps, the baseline in the state; what was short where it did not fire', async () => {
    const fired = await aboutPrincipal(log, named('denied'), [rateRule])
    assert.match(fired.stdout, /8 denials of 8 different secrets, expected 0\.\d+, p \S+/)
    assert.match(fired.stdout, /^ {2}in the 30 min up to .*: 8 denials of 8 different secrets, expected/m)
    assert.match(fired.stdout, /^ {2}history since \S+ 11:00:00 UTC, .* of it with weight$/m)
    const short = await aboutPrincipal(log, named('few'), [rateRule])
    assert.equal(short.code, 0)
    assert.match(
      short.stdout,
      /^ {2}not enough: 5 denials are the least, there were 2; 3 different secrets are the least/m,
    )
  })

  test('several rules: an account of each, and the state of a rule that saw nothing says so', async () => {
    const { stdout } = await aboutPrincipal(log, named('few'), [rule, rateRule])
    assert.match(stdout, /nothing for this rule: none of the events taken in is one that it counts/)
    assert.equal(stdout.match(/^detector's state for /gm)?.length, 2)
  })

  test('somebody unknown: where his events would be, and what a key looks like', async () => {
    const { code, stdout, stderr } = await aboutPrincipal(log, 'thief', [rule])
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /neither an event nor state of a principal with the key thief; its partition is cloudtrail\.events\.v1\/\d, /,
    )
    assert.match(stderr, /A key looks like 111122223333\/role\//)
  })

  test('a key of nobody: nothing is guessed', async () => {
    const { code, stderr } = await aboutKey(log, dedupKey(rule, principalHash('nobody'), '-', at('10:00')))
    assert.equal(code, 1)
    assert.match(stderr, /has no alert with this key, and cloudtrail\.detector-state\.v1 no principal that it names/)
  })

  test('events that the detector has not worked off are counted, and are no part of the account', async () => {
    await produce(log, reads('near', 6, at('10:03')).slice(3))
    const { stdout } = await aboutPrincipal(log, named('near'), [rule])
    assert.match(stdout, /3 events of the principal wait for the detector and are not part of this\./)
    assert.match(stdout, /It did not fire/)
    await detectAll(log)
    const after = await aboutPrincipal(log, named('near'), [rule])
    assert.match(after.stdout, /It fired: 1 episode/)
  })

  test('events beyond retention: told from the alert and the state, and that it is so', async () => {
    for (let partition = 0; partition < partitions; partition++)
      log.deleteRecordsBefore(topics.events, partition, (await log.offsets(topics.events))[partition]!.end)
    const { code, stdout } = await aboutKey(log, key)
    assert.equal(code, 0)
    assert.match(stdout, /^ {4}5 {2}\S+ 10:04:00 {2}us-west-1 {2}<- the 5th: the condition became true$/m)
    assert.match(
      stdout,
      /The events topic is empty, those of this episode are gone or not all there: this is told from the alert/,
    )
    assert.match(stdout, /^ {2}in an episode: /m)

    const principal = await aboutPrincipal(log, named('denied'), [rateRule])
    assert.equal(principal.code, 0)
    assert.match(principal.stdout, /^ {2}history since \S+ 11:00:00 UTC/m)
  })

  test('the alert beyond retention too: the principal is found by the hash in the key, the state is told', async () => {
    for (let partition = 0; partition < partitions; partition++)
      log.deleteRecordsBefore(topics.alerts, partition, (await log.offsets(topics.alerts))[partition]!.end)
    const { code, stdout } = await aboutKey(log, key)
    assert.equal(code, 1)
    assert.match(stdout, /^alerts {5}cloudtrail\.alerts\.v1: none with this key any more, or it was suppressed$/m)
    assert.match(stdout, /^ {2}in an episode: the condition held from \S+ 10:04:00 UTC/m)
  })
})

test('events out of order: the window that the one in between completed, not the one that ends with it', async () => {
  const log = lineLog(1)
  const [a, b, c, d, e] = reads('thief', 5)
  await produce(log, [a!, b!, d!, e!, c!])
  await detectAll(log)
  const key = (await seenOn(log)).alerts.find(({ alert }) => alert.ruleId === rule)!.alert.dedupKey
  const { code, stdout } = await aboutKey(log, key)
  assert.equal(code, 0)
  assert.match(
    stdout,
    /The condition became true at \S+ 10:04:00 UTC when the event of 10:02:00 arrived out of order with us-east-1\. In that window: eu-west-1 \(10:00:00\), .*, us-west-1 \(10:04:00\)\./,
  )
})

test('no detector yet: the events alone answer', async () => {
  const log = lineLog(partitions)
  await produce(log, reads('thief', 6))
  const { code, stdout } = await aboutPrincipal(log, named('thief'), [rule])
  assert.equal(code, 0)
  assert.match(stdout, /6 events of the principal; no detector has worked on it/)
  assert.match(stdout, /state {6}cloudtrail\.detector-state\.v1\/\d: none of this principal/)
  assert.match(stdout, /It fired: 1 episode/)
})

test('a history of which only a part is kept is told as such', async () => {
  const log = lineLog(1)
  await produce(log, denials('denied', 2))
  await detectAll(log)
  log.deleteRecordsBefore(topics.events, 0, 2)
  const later = denials('denied', 8).map(event => ({
    ...event,
    eventTime: event.eventTime + 20 * minute,
    eventId: `x${event.eventId}`,
  }))
  await produce(log, later)
  await detectAll(log)
  const { stdout } = await aboutPrincipal(log, named('denied'), [rateRule])
  assert.match(
    stdout,
    /The detector's history of this principal begins \S+ 11:00:00 UTC, so what it expected was other/,
  )
})

test('state and events that cannot be read are named, not guessed', async () => {
  const log = lineLog(1)
  await produce(log, reads('thief', 2))
  await detectAll(log)
  await append(log, topics.state, [{ key: named('thief'), value: Buffer.from('not Avro'), partition: 0 }])
  const { code, stdout } = await aboutPrincipal(log, named('thief'), [rule])
  assert.equal(code, 0)
  assert.match(stdout, /state .* of this principal cannot be read: /)
})
