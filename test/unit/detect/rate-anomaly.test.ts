// The rate_anomaly detector, sentence by sentence: thresholds, windows, lateness, order of arrival, success, state.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '../../../src/detect/detector.ts'
import { createRateAnomaly, RateAnomaly, restoreRateAnomaly } from '../../../src/detect/rate-anomaly.ts'
import type { Outcome } from '../../../src/normalize/event.ts'
import { day, hour, minute, second, secretCall, shippedRate, shippedTiming } from '../../model/streams.ts'

const start = 1_700_000_000_000 - (1_700_000_000_000 % (30 * minute))

function detector(change: Partial<typeof shippedRate> = {}): RateAnomaly {
  return new RateAnomaly({ ...shippedRate, ...change }, shippedTiming)
}

function see(to: RateAnomaly, time: number, secret: string | null, outcome: Outcome = 'DENIED'): readonly Verdict[] {
  return to.observe(secretCall({ time, outcome, secret }))
}

/** `count` denials of fresh secrets, one per `spacing`; every verdict. */
function enumerate(to: RateAnomaly, from: number, count: number, spacing = second, name = 'fresh'): Verdict[] {
  return Array.from({ length: count }, (_, i) => see(to, from + i * spacing, `${name}-${i}`)).flat()
}

test('a principal never seen before is reported at its fifth denial over five secrets, not at the fourth', () => {
  const rate = detector()
  assert.deepEqual(enumerate(rate, start, 4), [])
  const [verdict, ...rest] = see(rate, start + 4 * second, 'fresh-4')
  assert.deepEqual(rest, [])
  assert.ok(verdict?.anomaly)
  assert.equal(verdict.time, start + 4 * second)
  assert.equal(verdict.count, 5)
  assert.equal(verdict.distinct, 5)
  assert.equal(verdict.raise, undefined)
  const { pValue, expected, alpha, exposureMs, dispersion } = verdict.anomaly
  assert.ok(pValue <= alpha && pValue > 0)
  // The prior alone: half a denial per ten hours, size 1 / (2 + 1/0.5).
  assert.ok(Math.abs(expected - 0.025) < 1e-9)
  assert.ok(Math.abs(dispersion - 0.25) < 1e-9)
  assert.ok(exposureMs >= 0 && exposureMs < second)
})

test('one secret denied fifty times is a retry, not enumeration', () => {
  const rate = detector()
  for (let i = 0; i < 50; i++) assert.deepEqual(see(rate, start + i * second, 'same'), [])
})

test('denials that name no secret are together one secret', () => {
  const rate = detector()
  for (let i = 0; i < 20; i++) assert.deepEqual(see(rate, start + i * second, i % 2 ? null : 'one'), [])
  assert.equal(see(rate, start + 20 * second, 'two').length, 1)
})

test('a denial exactly one window earlier is outside, one millisecond later is inside', () => {
  const window = shippedRate.windowMs
  const outside = detector()
  enumerate(outside, start, 1)
  assert.deepEqual(enumerate(outside, start + window - 3 * second, 4, second, 'b'), [])
  const inside = detector()
  enumerate(inside, start + 1, 1)
  const [verdict] = enumerate(inside, start + window - 3 * second, 4, second, 'b')
  assert.equal(verdict?.time, start + window)
  assert.equal(verdict.count, 5)
})

test('a denial exactly as late as allowed counts, a later one changes nothing', () => {
  const lateness = shippedTiming.latenessMs
  for (const [late, verdicts] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const rate = detector()
    enumerate(rate, start, 3, 0)
    see(rate, start + lateness, 'later')
    const before = rate.snapshot()
    assert.equal(see(rate, start - late, 'overtaken').length, verdicts)
    if (late > 0) assert.deepEqual(rate.snapshot(), before)
  }
})

test('a denial that arrives out of order reports every later window it completes, each once', () => {
  const rate = detector()
  const times = [10, 20, 30, 40]
  for (const at of times) see(rate, start + at * second, `s${at}`)
  const verdicts = see(rate, start + 15 * second, 's15')
  assert.deepEqual(
    verdicts.map(verdict => verdict.time),
    [start + 40 * second],
  )
  // 10, 15, 20, 25, 30: the windows that end at 30 and at 40 hold five or more, and 40 is known already.
  const more = see(rate, start + 25 * second, 's25')
  assert.deepEqual(
    more.map(each => [each.time, each.count]),
    [[start + 30 * second, 5]],
  )
})

test('a noisy principal is not reported for what it always does, and a quiet one is for the same', () => {
  const noisy = detector()
  const quiet = detector()
  for (let h = 0; h < 40 * 24; h++) {
    const hourStart = start + h * hour
    if (h > 0) see(quiet, hourStart, 'own', 'SUCCESS')
    for (let i = 0; i < 12; i++) see(noisy, hourStart + i * 5 * minute, `n${i}`)
  }
  const burst = start + 40 * day
  assert.deepEqual(enumerate(noisy, burst, 8), [])
  assert.equal(enumerate(quiet, burst, 8)[0]?.count, 5)
  assert.ok(enumerate(noisy, burst + minute, 200).length > 0, 'but two hundred are too many for anyone')
})

test('events that are neither denied nor successful only age the history', () => {
  const rate = detector()
  assert.deepEqual(see(rate, start, 'a', 'NOT_FOUND'), [])
  assert.equal(rate.snapshot().first, start)
  assert.deepEqual(rate.snapshot().success.successes, [])
})

test('a success within the hour after the denials repeats the verdict with raise, once', () => {
  const rate = detector()
  const [verdict] = enumerate(rate, start, 5)
  const raised = see(rate, start + hour, 'fresh-4', 'SUCCESS')
  assert.deepEqual(raised, [{ ...verdict, raise: true }])
  assert.deepEqual(see(rate, start + hour + second, 'fresh-4', 'SUCCESS'), [])
})

test('a success before the denials, or later than the hour, raises nothing', () => {
  const rate = detector()
  see(rate, start - second, 'own', 'SUCCESS')
  assert.equal(enumerate(rate, start, 5)[0]?.raise, undefined)
  assert.deepEqual(see(rate, start + 4 * second + hour + 1, 'own', 'SUCCESS'), [])
})

test('a success between the denials raises the verdict when it is first reported', () => {
  const rate = detector()
  enumerate(rate, start, 4)
  see(rate, start + 10 * second, 'own', 'SUCCESS')
  assert.equal(see(rate, start + 20 * second, 'fifth')[0]?.raise, true)
})

test('a denial that arrives after the success it precedes raises an older verdict', () => {
  const rate = detector()
  see(rate, start + 10 * second, 'own', 'SUCCESS')
  const [verdict] = enumerate(rate, start + 20 * second, 5)
  assert.equal(verdict?.raise, undefined)
  const verdicts = see(rate, start, 'earlier')
  assert.ok(verdicts.some(each => each.time === verdict?.time && each.raise === true))
})

test('with successWithin 0 nothing is ever raised', () => {
  const rate = detector({ successWithinMs: 0 })
  enumerate(rate, start, 5)
  assert.deepEqual(see(rate, start + minute, 'fresh-1', 'SUCCESS'), [])
})

test('a clock moved by other rules folds and forgets earlier and changes no later verdict', () => {
  const [own, moved] = [detector(), detector()]
  for (let d = 0; d < 30; d++) {
    for (const each of [own, moved]) enumerate(each, start + d * day, 3, second, `d${d}`)
    moved.advance(start + d * day + 2 * hour)
  }
  moved.advance(start + 30 * day)
  assert.deepEqual(enumerate(moved, start + 30 * day, 30), enumerate(own, start + 30 * day, 30))
})

test('an advance to an older time changes nothing', () => {
  const rate = detector()
  enumerate(rate, start, 3)
  const before = rate.snapshot()
  assert.deepEqual(rate.advance(start - day), [])
  assert.deepEqual(rate.snapshot(), before)
})

test('a detector restored from its JSON state goes on as if nothing had happened', () => {
  const straight = detector()
  let restored = createRateAnomaly(shippedRate, shippedTiming)
  for (let i = 0; i < 400; i++) {
    const time = start + i * 7 * minute + (i % 50 < 12 ? 0 : i * minute)
    const event = secretCall({ time, outcome: i % 3 ? 'DENIED' : 'SUCCESS', secret: `s${i % 23}` })
    const state: unknown = JSON.parse(JSON.stringify(restored.snapshot()))
    restored = restoreRateAnomaly(shippedRate, shippedTiming, state)
    assert.deepEqual(restored.observe(event), straight.observe(event))
    assert.deepEqual(restored.snapshot(), straight.snapshot())
  }
})

test('a clone goes its own way', () => {
  const rate = detector()
  enumerate(rate, start, 4)
  const before = rate.snapshot()
  const clone = rate.clone()
  assert.equal(clone.observe(secretCall({ time: start + minute, outcome: 'DENIED', secret: 'x' })).length, 1)
  assert.deepEqual(rate.snapshot(), before)
})

test('a detector is empty before its first event only', () => {
  const rate = detector()
  assert.equal(rate.empty(), true)
  see(rate, start, 'a', 'SUCCESS')
  assert.equal(rate.empty(), false)
})

test('an attacker who mints names and times grows the state to its cap and no further, and stays reported', () => {
  const rate = detector()
  let largest = 0
  for (let i = 0; i < 30_000; i++) {
    // Milliseconds are finer than CloudTrail's seconds: the worst that any input could do.
    see(rate, start + i * 61, `${'x'.repeat(i % 1000)}${i}`)
    if (i % 2500 === 0) largest = Math.max(largest, JSON.stringify(rate.snapshot()).length)
  }
  assert.ok(largest < 60_000, `${largest} characters of state`)
  assert.ok(largest > 10_000, 'the attack did fill the state')
  const [verdict] = see(rate, start + 30_000 * 61, 'last')
  assert.ok(verdict !== undefined && verdict.count > 25_000 && verdict.distinct >= 128)
})

test('at one denial per second the state stays exact and below its documented size', () => {
  const rate = detector()
  const verdicts = Array.from({ length: 6000 }, (_, i) => see(rate, start + i * second, `s${i % 200}`)).flat()
  assert.deepEqual([verdicts.at(-1)?.count, verdicts.at(-1)?.distinct], [1800, 200])
  const size = JSON.stringify(rate.snapshot()).length
  assert.ok(size < 48_000, `${size} characters of state`)
})
