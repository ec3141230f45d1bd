// The first-denials variant: what it forgives, what it still reports, and that its state stays small.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownCapacity } from '../../../src/detect/rate-first-denials.ts'
import { RateAnomaly } from '../../../src/detect/rate-anomaly.ts'
import { day, minute, second, secretCall, shippedRate, shippedTiming } from '../../model/streams.ts'

const start = 1_700_000_000_000 - (1_700_000_000_000 % (30 * minute))
const variant = { ...shippedRate, model: 'first-denials' as const }

function deny(to: RateAnomaly, time: number, secret: string): number {
  return to.observe(secretCall({ time, outcome: 'DENIED', secret })).length
}

/** Forty days of a deployment that breaks every other day: twelve denials of the same eight secrets within minutes. */
function afterBrokenDeployments(rate: typeof shippedRate): RateAnomaly {
  const detector = new RateAnomaly(rate, shippedTiming)
  for (let d = 0; d < 40; d += 2) {
    for (let i = 0; i < 12; i++) deny(detector, start + d * day + i * 10 * second, `app-${i % 8}`)
  }
  return detector
}

/** Verdicts of `count` denials, ten seconds apart, on day 40. */
function burst(detector: RateAnomaly, count: number, secret: (i: number) => string): number {
  return Array.from({ length: count }, (_, i) => deny(detector, start + 40 * day + i * 10 * second, secret(i))).reduce(
    (sum, verdicts) => sum + verdicts,
    0,
  )
}

test('the same secrets denied as so often before are reported by the shared model and not by the variant', () => {
  const same = (i: number): string => `app-${i % 8}`
  assert.ok(burst(afterBrokenDeployments(shippedRate), 40, same) > 0)
  assert.equal(burst(afterBrokenDeployments(variant), 40, same), 0)
})

test('as many denials of secrets never denied before are reported, and sooner than by the shared model', () => {
  const fresh = (i: number): string => `fresh-${i}`
  assert.ok(burst(afterBrokenDeployments(variant), 15, fresh) > burst(afterBrokenDeployments(shippedRate), 15, fresh))
})

test('a hundred denials of the usual secrets are too many for any broken deployment', () => {
  assert.ok(burst(afterBrokenDeployments(variant), 100, i => `app-${i % 8}`) > 0)
})

test('a newcomer is judged as by the shared model', () => {
  const anomalies = [shippedRate, variant].map(rate => {
    const detector = new RateAnomaly(rate, shippedTiming)
    return Array.from({ length: 8 }, (_, i) =>
      detector.judge(secretCall({ time: start + i * second, outcome: 'DENIED', secret: `s${i}` })),
    ).flat()
  })
  assert.equal(anomalies[0]?.length, 4)
  assert.deepEqual(anomalies[1], anomalies[0])
})

test('the secrets known stay at their capacity, the oldest forgotten first, and survive a restart', () => {
  const detector = new RateAnomaly(variant, shippedTiming)
  for (let i = 0; i < 500; i++) deny(detector, start + i * 3 * minute, `s${i}`)
  deny(detector, start + 3 * day, 's499')
  const state = detector.snapshot()
  assert.equal(state.history.firstDenials?.known.length, knownCapacity)
  const restored = new RateAnomaly(variant, shippedTiming, JSON.parse(JSON.stringify(state)))
  for (const each of [detector, restored]) for (let i = 0; i < 9; i++) deny(each, start + 4 * day + i * second, `t${i}`)
  for (const each of [detector, restored]) deny(each, start + 5 * day, 't0')
  assert.deepEqual(restored.snapshot(), detector.snapshot())
  assert.notDeepEqual(restored.snapshot().history, state.history)
})

test('the shared model keeps nothing of the variant', () => {
  assert.equal(new RateAnomaly(shippedRate, shippedTiming).snapshot().history.firstDenials, null)
})
