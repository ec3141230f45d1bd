// The engine as a whole against brute force: episodes, duplicates, order, restarts, other principals, transactions.
// Streams are small and coarse in time, so that every boundary is hit. STREAMS scales the number of streams.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Alert } from '../../src/alerts/alert.ts'
import { StateDecoder, StateEncoder } from '../../src/codecs/principal-state.ts'
import { Engine } from '../../src/detect/engine.ts'
import type { PrincipalStateRecord } from '../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import type { Condition, RuleBody, RuleSet } from '../../src/rules/rule.ts'
import { awsRegion, call, rateRule, rule, ruleSet, second, sourceIP, step } from '../harness/detection.ts'
import { episodesOf, notLate, qualifyingTimes } from '../harness/window-oracle.ts'

const numRuns = Number(process.env['STREAMS'] ?? 1500)
const options = { describe: () => ({ explanation: '', runbook: '' }) }
const principal = call(0).principal.key
const regions = ['ra', 'rb', 'rc', 'rd', 're', 'rf']

interface Parameters {
  readonly kind: 'event_count' | 'value_count'
  readonly timespan: number
  readonly lateness: number
  readonly dedup: number
  readonly longest: number
  readonly condition: Condition
}

const parameters: fc.Arbitrary<Parameters> = fc.record({
  kind: fc.constantFrom('event_count' as const, 'value_count' as const),
  timespan: fc.integer({ min: 1, max: 20 }),
  lateness: fc.constantFrom(0, 5, 15),
  dedup: fc.constantFrom(1, 4, 10, 20, 40),
  longest: fc.constantFrom(10, 30, 1000),
  condition: fc.record({ gte: fc.integer({ min: 1, max: 4 }) }),
})

interface Arrival {
  readonly time: number
  readonly delay: number
  readonly region: number
}

const stream = fc.array(
  fc.record({
    time: fc.integer({ min: 0, max: 120 }),
    delay: fc.integer({ min: 0, max: 14 }),
    region: fc.integer({ min: 0, max: 5 }),
  }),
  { maxLength: 50, size: 'max' },
)

const arrived = (stream: readonly Arrival[]): Arrival[] =>
  [...stream].sort((a, b) => a.time + a.delay - (b.time + b.delay))

/** Distinct sources, so that no two events share a row and counts at window edges are exact. */
const eventsOf = (arrivals: readonly Arrival[]): CloudTrailEvent[] =>
  arrivals.map(({ time, region }, i) =>
    call(time, { awsRegion: regions[region] ?? '', eventId: `id-${i}`, sourceIPAddress: `10.0.${i}.1` }),
  )

function rulesOf(p: Parameters): RuleSet {
  const body: RuleBody =
    p.kind === 'event_count'
      ? { kind: p.kind, timespanMs: p.timespan, condition: p.condition }
      : { kind: p.kind, timespanMs: p.timespan, condition: p.condition, field: awsRegion }
  return ruleSet([rule('counted', body, { dedupMs: p.dedup, maxEpisodeMs: p.longest })], undefined, p.lateness)
}

/** Every episode as the engine computed it, each in its last form, with the alerts raised on the way. */
function episodesSeen(rules: RuleSet, events: readonly CloudTrailEvent[]) {
  const engine = new Engine(rules, options)
  const gone: [number, number][] = []
  const alerts: Alert[] = []
  let open: [number, number][] = []
  for (const event of events) {
    alerts.push(...step(engine, event))
    const now = [...(engine.principal(principal)?.watching() ?? [])].flatMap(w =>
      w.openEpisodes().map((e): [number, number] => [e.opening, e.end]),
    )
    gone.push(...open.filter(([opening]) => !now.some(e => opening >= e[0] && opening <= e[1])))
    open = now
  }
  return { episodes: [...gone, ...open].sort((a, b) => a[0] - b[0]), alerts }
}

function expectedEpisodes(p: Parameters, arrivals: readonly Arrival[]): [number, number][] {
  const points = arrivals.map(a => ({ time: a.time, value: regions[a.region] ?? null }))
  return episodesOf(qualifyingTimes(points, p.kind, p.timespan, p.condition), p.dedup, p.longest)
}

const openings = (alerts: readonly Alert[]): number[] =>
  alerts.filter(a => a.activity === 'CREATE').map(a => Number(a.dedupKey.split(':').at(-1)))

describe('episodes', () => {
  test('are those of brute force in any arrival order within lateness, and each has a key of its own', () => {
    fc.assert(
      fc.property(parameters, stream, (p, input) => {
        const arrivals = notLate(arrived(input), p.lateness)
        const { episodes, alerts } = episodesSeen(rulesOf(p), eventsOf(arrivals))
        const expected = expectedEpisodes(p, arrivals)
        assert.deepEqual(episodes, expected)
        const keys = openings(alerts)
        assert.equal(new Set(keys).size, keys.length, 'no key is created twice')
        for (const [opening, end] of expected) {
          assert.ok(
            keys.some(k => k >= opening && k <= end),
            `episode ${opening}..${end} was announced`,
          )
        }
      }),
      { numRuns },
    )
  })

  test('give exactly the keys of brute force on input in event-time order', () => {
    fc.assert(
      fc.property(parameters, stream, (p, input) => {
        const arrivals = [...input].sort((a, b) => a.time - b.time)
        const { alerts } = episodesSeen(rulesOf(p), eventsOf(arrivals))
        assert.deepEqual(
          openings(alerts),
          expectedEpisodes(p, arrivals).map(e => e[0]),
        )
      }),
      { numRuns },
    )
  })

  test('open with the whole first window in the alert', () => {
    fc.assert(
      fc.property(parameters, stream, (p, input) => {
        const arrivals = [...new Map(input.map(a => [a.time, a])).values()].sort((a, b) => a.time - b.time).slice(0, 30)
        const { alerts } = episodesSeen(rulesOf(p), eventsOf(arrivals))
        for (const alert of alerts.filter(a => a.activity === 'CREATE')) {
          const end = alert.window.end
          const inside = arrivals.filter(a => a.time > end - p.timespan && a.time <= end)
          assert.equal(alert.count, inside.length)
          assert.deepEqual(alert.regions, [...new Set(inside.map(a => regions[a.region]))].sort())
          assert.equal(alert.firstSeen, inside[0]?.time)
          assert.equal(alert.lastSeen, end)
          if (p.kind === 'event_count') continue
          assert.deepEqual(
            alert.distinctValues.map(v => [v.value, v.count]).sort(),
            [...new Set(inside.map(a => regions[a.region]))]
              .map(r => [r, inside.filter(a => regions[a.region] === r).length])
              .sort(),
          )
        }
      }),
      { numRuns },
    )
  })
})

const schema = JSON.parse(
  readFileSync(new URL('../../topics/cloudtrail.detector-state.v1/value.avsc', import.meta.url), 'utf8'),
)

/** Every kind of rule at once, one with a group, fed by two predicates. */
function everyKind(lateness: number): RuleSet {
  const rules = [
    rule('single', { kind: 'single' }, { dedupMs: 6 }),
    rule('values', { kind: 'value_count', timespanMs: 10, condition: { gte: 3 }, field: awsRegion }, { dedupMs: 10 }),
    rule('events', { kind: 'event_count', timespanMs: 8, condition: { gt: 3 } }, { dedupMs: 5, feeds: [0, 1] }),
    rule('few', { kind: 'event_count', timespanMs: 8, condition: { eq: 2 } }, { dedupMs: 5 }),
    rule(
      'by-region',
      { kind: 'event_count', timespanMs: 20, condition: { gte: 3 } },
      { groupBy: [awsRegion, sourceIP], dedupMs: 20 },
    ),
    rateRule('rate', { windowMs: 12, minCount: 2, minDistinct: 1, alpha: 0.5, feeds: [0, 1] }),
  ]
  return ruleSet(rules, [e => e.eventName === 'BatchGetSecretValue', e => e.eventName === 'GetSecretValue'], lateness)
}

const richEvent = fc.record({
  time: fc.integer({ min: 0, max: 150 }),
  delay: fc.integer({ min: 0, max: 20 }),
  region: fc.integer({ min: 0, max: 5 }),
  denied: fc.boolean(),
  batch: fc.boolean(),
  session: fc.integer({ min: 0, max: 3 }),
  ip: fc.constantFrom('10.1.1.1', '10.1.1.2', null),
  who: fc.constantFrom('p', 'q', 'r'),
})

function richEvents(list: readonly (typeof richEvent extends fc.Arbitrary<infer T> ? T : never)[]): CloudTrailEvent[] {
  const sorted = [...list].sort((a, b) => a.time + a.delay - (b.time + b.delay))
  return sorted.map((e, i) => {
    const base = call(e.time)
    return {
      ...base,
      eventId: `id-${i}`,
      awsRegion: regions[e.region] ?? '',
      eventName: e.batch ? 'BatchGetSecretValue' : 'GetSecretValue',
      outcome: e.denied ? 'DENIED' : 'SUCCESS',
      errorCode: e.denied ? 'AccessDenied' : null,
      sourceIPAddress: e.ip,
      secrets: [`secret-${e.region % 3}`],
      principal: { key: e.who, kind: 'ROLE', name: e.who },
      userIdentity: { ...base.userIdentity, sessionName: `session-${e.session}` },
    }
  })
}

const richStream = fc.array(richEvent, { maxLength: 60, size: 'max' }).map(richEvents)

function states(engine: Engine): Record<string, PrincipalStateRecord | null> {
  return Object.fromEntries(['p', 'q', 'r'].map(key => [key, engine.state(key)]))
}

describe('the engine', () => {
  test('goes on from Avro bytes as if it had never stopped, whatever the point and the batches', () => {
    const encoder = new StateEncoder(schema)
    const decoder = new StateDecoder(schema)
    decoder.learn(7, schema)
    // Through avsc, field by field: the same bytes and the same record.
    const plainEncoder = new StateEncoder(schema, false)
    const plainDecoder = new StateDecoder(schema, undefined, false)
    plainDecoder.learn(7, schema)
    const kinds = new Set<string>()
    fc.assert(
      fc.property(
        richStream,
        fc.constantFrom(0, 10, 25),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (events, late, cuts) => {
          const rules = everyKind(late)
          const straight = new Engine(rules, options)
          const expected = events.flatMap(e => step(straight, e))

          const topic = new Map<string, Buffer>()
          const alerts: Alert[] = []
          let rest = events
          for (let i = 0; rest.length > 0; i++) {
            const size = cuts[i] ?? 5
            const engine = new Engine(rules, options)
            for (const [key, bytes] of topic) engine.load(key, decoder.decode(bytes) as PrincipalStateRecord)
            const aborted = engine.begin()
            for (const event of rest.slice(0, size + 3)) aborted.process(event, null, null)
            aborted.discard()
            const transaction = engine.begin()
            for (const event of rest.slice(0, size)) transaction.process(event, null, null)
            for (const [key, record] of transaction.changes()) {
              if (record !== null) topic.set(key, Buffer.from(encoder.encode(record, 7)))
            }
            alerts.push(...transaction.alerts)
            rest = rest.slice(size)
          }
          for (const alert of expected) kinds.add(`${alert.ruleId} ${alert.activity}`)
          assert.deepEqual(alerts, expected)
          for (const [key, bytes] of topic) {
            const state = straight.state(key)
            assert.deepEqual(decoder.decode(bytes), state)
            assert.deepEqual(plainDecoder.decode(bytes), state)
            assert.ok(state !== null && plainEncoder.encode(state, 7).equals(bytes), 'both encoders write the same')
          }
        },
      ),
      // The check below that every kind of rule fired is about the streams, not the engine: it holds for this seed.
      { numRuns: Math.ceil(numRuns / 4), seed: 20261123 },
    )
    const each = ['single', 'values', 'events', 'few', 'by-region', 'rate']
    for (const id of each) assert.ok(kinds.has(`${id} CREATE`), `the streams make ${id} fire`)
    assert.ok(kinds.has('values UPDATE') && kinds.has('rate UPDATE'), 'and update')
  })

  test('is not moved by which states rest as bytes', () => {
    const encoder = new StateEncoder(schema)
    const decoder = new StateDecoder(schema)
    decoder.learn(7, schema)
    fc.assert(
      fc.property(
        richStream,
        fc.constantFrom(0, 10, 25),
        fc.array(fc.integer({ min: 1, max: 6 })),
        (events, late, cuts) => {
          const rules = everyKind(late)
          const awake = new Engine(rules, options)
          const expected = events.flatMap(e => step(awake, e))
          const resting = new Engine(rules, { ...options, stored: decoder })
          const alerts: Alert[] = []
          for (let i = 0, from = 0; from < events.length; i++) {
            const batch = events.slice(from, (from += cuts[i] ?? 2))
            const aborted = resting.begin()
            for (const event of batch) aborted.process(event, null, null)
            for (const [key, record] of aborted.changes())
              if (record !== null) aborted.rest(key, encoder.encode(record, 7))
            aborted.discard()
            const transaction = resting.begin()
            // Some principals go to rest before the transaction is over, and wake again in it; some do not at all.
            for (const [place, event] of batch.entries()) {
              transaction.process(event, null, null)
              for (const [key, record] of transaction.changes())
                if (record !== null && (place + key.length + i) % 3 > 0)
                  transaction.rest(key, encoder.encode(record, 7))
            }
            alerts.push(...transaction.alerts)
            transaction.merge()
          }
          assert.deepEqual(alerts, expected)
          assert.deepEqual(states(resting), states(awake))
        },
      ),
      { numRuns: Math.ceil(numRuns / 4) },
    )
  })

  test('is not moved by copies of events, in alerts or in state', () => {
    let copies = 0
    fc.assert(
      fc.property(richStream, fc.constantFrom(0, 10, 25), fc.infiniteStream(fc.nat(4)), (events, late, coins) => {
        const rules = everyKind(late)
        const once = new Engine(rules, options)
        const expected = events.flatMap(e => step(once, e))
        const again = new Engine(rules, options)
        const alerts: Alert[] = []
        events.forEach((event, i) => {
          alerts.push(...step(again, event))
          const back = coins.next().value ?? 0
          const copy = events[i - back]
          if (copy === undefined) return
          copies++
          assert.deepEqual(step(again, structuredClone(copy)), [], 'a copy says nothing')
        })
        assert.deepEqual(alerts, expected)
        assert.deepEqual(states(again), states(once))
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
    assert.ok(copies > numRuns)
  })

  test('treats every principal as if it were alone', () => {
    fc.assert(
      fc.property(richStream, fc.constantFrom(0, 10, 25), (events, late) => {
        const rules = everyKind(late)
        const together = new Engine(rules, options)
        const all = events.flatMap(e => step(together, e))
        for (const key of ['p', 'q', 'r']) {
          const alone = new Engine(rules, options)
          const own = events.filter(e => e.principal.key === key).flatMap(e => step(alone, e))
          assert.deepEqual(
            all.filter(a => a.principal.key === key),
            own,
          )
          assert.deepEqual(together.state(key), alone.state(key))
        }
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
  })

  test('does not throw on hostile events and keeps them readable in Avro', () => {
    const encoder = new StateEncoder(schema)
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        null,
        undefined,
        '',
        '__proto__',
        '\ud800',
        'x'.repeat(5000),
        42,
        {},
        ['a'],
        '\u0000',
        '\u001b[31m',
      ),
    )
    const hostile = fc.record({
      eventTime: fc.oneof(
        fc.integer(),
        fc.constantFrom(0, -1, NaN, Infinity, -Infinity, 1e15, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
      ),
      eventId: text,
      recipientAccountId: text,
      awsRegion: text,
      userAgent: text,
      sourceIPAddress: text,
      errorCode: text,
      eventSource: text,
      secrets: fc.oneof(fc.constant(undefined), fc.constant(null), fc.array(text)),
      userIdentity: fc.oneof(fc.constant(null), fc.constant(undefined), fc.constant({}), fc.record({ arn: text })),
      outcome: fc.constantFrom('DENIED', 'SUCCESS', 'NOPE'),
    })
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 12 }), fc.constantFrom(null, 0, second), (list, timestamp) => {
        const engine = new Engine(everyKind(10), options)
        for (const more of list) {
          const transaction = engine.begin()
          transaction.process({ ...call(0), ...more } as unknown as CloudTrailEvent, null, timestamp)
          for (const [, record] of transaction.changes()) if (record !== null) encoder.encode(record, 1)
          transaction.merge()
        }
      }),
      { numRuns },
    )
  })
})
