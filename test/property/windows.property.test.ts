// Windows against brute force: random small streams with coarse times (so that boundaries are hit all the time), in any
// arrival order, for both counts and all operators. STREAMS scales the number of streams (default below 10 s in all).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { saturation } from '../../src/detect/condition.ts'
import { EventContent } from '../../src/detect/event-count.ts'
import { ValueContent } from '../../src/detect/value-count.ts'
import { WindowCount } from '../../src/detect/window-count.ts'
import type { Condition } from '../../src/rules/rule.ts'
import { awsRegion, call } from '../harness/detection.ts'
import type { Point } from '../harness/window-oracle.ts'
import { notLate, qualifyingTimes } from '../harness/window-oracle.ts'

const numRuns = Number(process.env['STREAMS'] ?? 4000)

const bound = fc.integer({ min: 0, max: 5 })
const monotoneCondition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ gte: bound }),
  fc.record({ gt: bound }),
  fc.record({ gt: bound, gte: bound }),
  fc.record({ gte: fc.constantFrom(1.5, 2.5) }),
)
const anyCondition: fc.Arbitrary<Condition> = fc.oneof(
  monotoneCondition,
  fc.record({ lt: bound }),
  fc.record({ lte: bound }),
  fc.record({ eq: bound }),
  fc.record({ neq: bound }),
  fc.record({ gte: bound, lte: bound }),
  fc.record({ gt: bound, lt: bound }),
  fc.record({ gte: bound, neq: bound }),
)

interface Arrival extends Point {
  readonly delay: number
}

/** Times of two regimes: dense (many per window) and sparse; each event is delayed by up to a little over the lateness. */
const stream: fc.Arbitrary<Arrival[]> = fc.oneof(
  fc.array(arrival(40), { maxLength: 30, size: 'max' }),
  fc.array(arrival(25), { maxLength: 60, size: 'max' }),
  fc.array(arrival(200), { maxLength: 30, size: 'max' }),
)

function arrival(latest: number): fc.Arbitrary<Arrival> {
  return fc.record({
    time: fc.integer({ min: 0, max: latest }),
    delay: fc.integer({ min: 0, max: 12 }),
    value: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', null),
  })
}

const inOrderOfArrival = (arrivals: readonly Arrival[]): Arrival[] =>
  [...arrivals].sort((a, b) => a.time + a.delay - (b.time + b.delay))

interface Case {
  readonly kind: 'event_count' | 'value_count'
  readonly timespan: number
  readonly lateness: number
  readonly condition: Condition
}

const parameters: fc.Arbitrary<Case> = fc.record({
  kind: fc.constantFrom('event_count' as const, 'value_count' as const),
  timespan: fc.integer({ min: 1, max: 20 }),
  lateness: fc.constantFrom(0, 3, 10, 15),
  condition: anyCondition,
})

/** Runs a WindowCount the way a principal does, through `restart` after every event. */
function verdictTimes(of: Case, arrivals: readonly Point[], restart: (w: WindowCount) => WindowCount): number[] {
  const field = of.kind === 'value_count' ? awsRegion.read : null
  const counting = { timespanMs: of.timespan, latenessMs: of.lateness, condition: of.condition, field }
  let detector = new WindowCount(counting)
  let newest = -Infinity
  const found = new Set<number>()
  for (const { time, value } of arrivals) {
    if (time > newest) {
      newest = time
      for (const verdict of detector.advance(newest)) found.add(verdict.time)
    }
    for (const verdict of detector.observe(call(time, { awsRegion: value ?? '' }))) found.add(verdict.time)
    detector = restart(detector)
  }
  for (const verdict of detector.advance(newest + 1000)) found.add(verdict.time)
  assert.ok(detector.empty(), 'nothing is kept when nothing can arrive any more')
  return [...found].sort((a, b) => a - b)
}

describe('window counts', () => {
  test('qualify at exactly the times at which brute force does, in any arrival order within lateness', () => {
    fc.assert(
      fc.property(parameters, stream, (of, arrivals) => {
        const counted = notLate(inOrderOfArrival(arrivals), of.lateness)
        const expected = qualifyingTimes(counted, of.kind, of.timespan, of.condition)
        assert.deepEqual(
          verdictTimes(of, counted, w => w),
          expected,
        )
      }),
      { numRuns },
    )
  })

  test('survive a copy and a snapshot after every event', () => {
    fc.assert(
      fc.property(parameters, stream, (of, arrivals) => {
        const counted = notLate(inOrderOfArrival(arrivals), of.lateness)
        const field = of.kind === 'value_count' ? awsRegion.read : null
        const counting = { timespanMs: of.timespan, latenessMs: of.lateness, condition: of.condition, field }
        const expected = qualifyingTimes(counted, of.kind, of.timespan, of.condition)
        const restored = verdictTimes(of, counted, w => {
          const plain = JSON.stringify(w.snapshot())
          const again = new WindowCount(counting, JSON.parse(plain))
          assert.equal(JSON.stringify(again.clone().snapshot()), plain)
          return again.clone()
        })
        assert.deepEqual(restored, expected)
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
  })
})

describe('what a window forgets', () => {
  // every window of the stream, the one-sided ones included, before and after later arrivals
  test('never changes min(count, saturation) of any window of one timespan', () => {
    fc.assert(
      fc.property(parameters, stream, (of, arrivals) => {
        const n = saturation(of.condition)
        const content = of.kind === 'event_count' ? new EventContent(of.timespan, n) : new ValueContent(of.timespan, n)
        const all: Point[] = []
        for (const { time, value } of arrivals) {
          content.insert(time, value)
          all.push({ time, value })
          for (let end = -1; end <= 60; end++) {
            const inside = all.filter(p => p.time > end - of.timespan && p.time <= end)
            const exact = of.kind === 'event_count' ? inside.length : new Set(inside.flatMap(p => p.value ?? [])).size
            assert.equal(Math.min(n, content.count(end - of.timespan, end)), Math.min(n, exact))
          }
        }
      }),
      { numRuns: Math.ceil(numRuns / 8) },
    )
  })

  test('is enough to bound the entries by the saturation and the span, whatever the traffic', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 10, max: 100 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 2 ** 30 }),
        (n, timespan, events, seed) => {
          const content = events ? new EventContent(timespan, n) : new ValueContent(timespan, n)
          const span = 250
          let x = seed | 1
          for (let i = 0; i < 3000; i++) {
            x = Math.imul(x, 1103515245) + 12345
            content.insert((x >>> 8) % span, `v${(x >>> 4) % 1000}`)
          }
          const windows = Math.ceil(span / timespan) + 1
          // 2N per timespan for events; for values a pass may have let it double before the next one
          const most = events ? 2 * n * windows : 2 * (2 * n * windows) + 16
          assert.ok(content.size() <= most, `${content.size()} entries, at most ${most}`)
        },
      ),
      { numRuns: 50 },
    )
  })
})
