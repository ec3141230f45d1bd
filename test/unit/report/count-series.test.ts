// The series of counting rules: what the sliding window holds, step by step, equals a plain count; and everything is capped.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CountCollector, thinned } from '../../../src/report/count-series.ts'
import { regionAlert } from '../alerts/samples.ts'

const base = Date.UTC(2026, 0, 15, 9)
const timespan = 600_000

function collector(byValue = true): CountCollector {
  const seen = { first: base, last: base + 1_200_000 }
  const alert = regionAlert({
    firstSeen: seen.first,
    lastSeen: seen.last,
    distinctValues: [{ value: 'us-east-1', ...seen, count: 2 }],
    evidence: [],
  })
  return new CountCollector(alert, timespan, byValue)
}

test('steps are the distinct values, or the events, of the window that ends there', () => {
  const sightings = fc.array(
    fc.record({ second: fc.integer({ min: -700, max: 1500 }), value: fc.integer({ min: 0, max: 6 }) }),
  )
  fc.assert(
    fc.property(sightings, fc.boolean(), (found, byValue) => {
      const events = found
        .map(({ second, value }) => ({ time: base + second * 1000, value: `region-${value}` }))
        .sort((a, b) => a.time - b.time)
      const own = collector(byValue)
      for (const { time, value } of events) own.add(time, value)
      const { steps, from, to } = own.series()
      assert.equal(steps[0]!.time, from)
      for (let time = from; time <= to; time += 7919) {
        const inside = events.filter(event => event.time > time - timespan && event.time <= time)
        const expected = byValue ? new Set(inside.map(({ value }) => value)).size : inside.length
        assert.equal(steps.findLast(step => step.time <= time)!.count, expected, `${byValue} at ${time - base}`)
      }
    }),
    { numRuns: 100 },
  )
})

test('a row for each value in the order of their first sighting, calls close together in one mark', () => {
  const own = collector()
  for (const [second, value] of [
    [0, 'b'],
    [1, 'b'],
    [300, 'a'],
    [600, 'b'],
  ] as const)
    own.add(base + second * 1000, value)
  const { rows, marks } = own.series()
  assert.deepEqual(rows, ['b', 'a'])
  assert.deepEqual(
    marks.map(({ row, time, count }) => [row, (time - base) / 1000, count]),
    [
      [0, 0, 2],
      [1, 300, 1],
      [0, 600, 1],
    ],
  )
})

test('events without the counted value are not drawn, and everything has a cap', () => {
  const own = collector()
  own.add(base, null)
  for (let i = 0; i < 30_000; i++) own.add(base + Math.floor(i / 25), `value-${i % 100}`)
  const { rows, moreRows, marks, steps, beyond } = own.series()
  assert.equal(rows.length, 24)
  assert.equal(moreRows, 76)
  assert.equal(beyond, 10_000)
  assert.ok(marks.length <= 24 * 25 && steps.length <= 400)
  assert.equal(Math.max(...steps.map(({ count }) => count)), 100)
})

test('thinning keeps the highest of every stretch', () => {
  const steps = Array.from({ length: 5000 }, (_, time) => ({ time, count: time === 3333 ? 99 : time % 3 }))
  const kept = thinned(steps, 0, 5000)
  assert.ok(kept.length <= 400)
  assert.ok(kept.some(({ count }) => count === 99))
  assert.equal(thinned(steps.slice(0, 10), 0, 5000).length, 10)
})
