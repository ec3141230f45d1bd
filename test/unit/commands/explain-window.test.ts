// The plain window count of `explain`: equal to counting every event anew, in any order of arrival within lateness.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WindowTally } from '../../../src/commands/explain-window.ts'

const timespan = 10
const lateness = 15

interface Seen {
  readonly time: number
  readonly value: string | null
}

function counted(seen: readonly Seen[], end: number): { events: number; distinct: number } {
  const inside = seen.filter(({ time }) => time > end - timespan && time <= end)
  const values = inside.flatMap(({ value }) => (value === null ? [] : [value]))
  return { events: inside.length, distinct: new Set(values).size }
}

test('windows are half-open: an event exactly one timespan before the end is outside', () => {
  const tally = new WindowTally(timespan, lateness)
  assert.deepEqual(tally.add(0, 'a'), { events: 1, distinct: 1, fresh: true })
  assert.deepEqual(tally.add(9, 'b'), { events: 2, distinct: 2, fresh: true })
  assert.deepEqual(tally.add(10, 'b'), { events: 2, distinct: 1, fresh: false })
  assert.deepEqual([...tally.values(10)], [['b', 9]])
})

test('equals counting anew, for any order within lateness', () => {
  const event = fc.record({
    step: fc.integer({ min: 0, max: 6 }),
    back: fc.integer({ min: 0, max: lateness }),
    value: fc.constantFrom('a', 'b', 'c', 'd', null),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), events => {
      const tally = new WindowTally(timespan, lateness)
      const seen: Seen[] = []
      let newest = 100
      for (const { step, back, value } of events) {
        newest += step
        const time = step === 0 ? newest - back : newest
        const before = counted(seen, time)
        seen.push({ time, value })
        const now = counted(seen, time)
        const fresh = value !== null && now.distinct > before.distinct
        assert.deepEqual(tally.add(time, value), { ...now, fresh })
        assert.equal(tally.values(time).size, now.distinct)
      }
    }),
    { numRuns: 300 },
  )
})

test('forgets what no window reaches, and goes on counting right', () => {
  const tally = new WindowTally(timespan, lateness)
  for (let time = 0; time < 5000; time++)
    assert.equal(tally.add(time, `v${time % 7}`).events, Math.min(time + 1, timespan))
  assert.deepEqual(tally.add(4990, 'late'), { events: 11, distinct: 8, fresh: true })
})
