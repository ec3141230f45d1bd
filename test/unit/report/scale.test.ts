// Scales and ticks: round, in range, not too many, and the date where it begins.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTicks, linear, measureTicks, timeTicks } from '../../../src/report/scale.ts'

test('a linear scale meets both ends and the middle of an empty domain', () => {
  const x = linear(10, 20, 100, 0)
  assert.deepEqual([10, 15, 20].map(x), [100, 50, 0])
  assert.equal(linear(5, 5, 0, 100)(5), 50)
})

test('ticks of counts are whole, start at 0 and reach the highest', () => {
  assert.deepEqual(countTicks(1), [0, 1])
  assert.deepEqual(countTicks(7), [0, 2, 4, 6, 8])
  assert.deepEqual(countTicks(0), [0])
  for (const high of [2, 3, 5, 12, 99, 1000, 123_456]) {
    const ticks = countTicks(high)
    assert.ok(ticks.at(-1)! >= high && ticks.length <= 6, String(high))
    assert.ok(ticks.every(Number.isInteger))
  }
})

test('ticks of a measure are round and reach the highest', () => {
  assert.deepEqual(measureTicks(0), [0, 1])
  assert.deepEqual(measureTicks(1), [0, 0.5, 1])
  assert.deepEqual(measureTicks(0.03), [0, 0.01, 0.02, 0.03])
  assert.deepEqual(measureTicks(0.3), [0, 0.1, 0.2, 0.3])
  for (const high of [1e-6, 0.7, 3.3, 47, 1e6]) {
    const ticks = measureTicks(high)
    assert.ok(ticks.at(-1)! >= high * (1 - 1e-9) && ticks.length <= 6, String(high))
  }
})

test('times are round, in range, at most so many, and say the date first', () => {
  const start = Date.UTC(2026, 0, 15, 9, 0, 1)
  assert.deepEqual(
    timeTicks(start, start + 30 * 60_000, 7).map(({ label }) => label),
    ['2026-01-15 09:05', '09:10', '09:15', '09:20', '09:25', '09:30'],
  )
  assert.deepEqual(
    timeTicks(start, start + 4000, 7).map(({ label }) => label),
    ['2026-01-15 09:00:01', '09:00:02', '09:00:03', '09:00:04', '09:00:05'],
  )
  assert.deepEqual(
    timeTicks(Date.UTC(2026, 0, 15, 18), Date.UTC(2026, 0, 16, 12), 4).map(({ label }) => label),
    ['2026-01-15 18:00', '2026-01-16 00:00', '06:00', '12:00'],
  )
  assert.deepEqual(
    timeTicks(Date.UTC(2026, 0, 15), Date.UTC(2026, 0, 20), 7).map(({ label }) => label),
    ['2026-01-15', '2026-01-16', '2026-01-17', '2026-01-18', '2026-01-19', '2026-01-20'],
  )
  for (const span of [0, 1, 999, 1e5, 1e8, 1e10, 1e12, 4e15]) {
    const ticks = timeTicks(0, span, 7)
    assert.ok(ticks.length <= 8, String(span))
    assert.ok(ticks.every(({ value }) => value >= 0 && value <= span))
  }
})
