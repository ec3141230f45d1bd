// A short run of `npm run simulate`: the operating characteristics that ADR 0011 promises, with room for the smaller sample.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate, worlds } from '../../bench/rate-simulation.ts'
import { shippedRate } from '../model/streams.ts'

const [world] = worlds
assert.ok(world)
const sample = { seed: 5, principals: 250, ramps: 25 }
const shared = simulate(shippedRate, world, sample)
const variant = simulate({ ...shippedRate, model: 'first-denials' }, world, sample)

for (const [name, result] of [
  ['shared', shared],
  ['first-denials', variant],
] as const) {
  const [, ten = [], twenty = [], forty = []] = result.detected

  test(`${name}: no false episode on principals without bursts`, () => {
    assert.equal(result.steady, 0)
  })

  test(`${name}: bursts of 10 and more on quiet principals are always detected`, () => {
    for (const [quiet] of [ten, twenty, forty]) assert.equal(quiet, 1)
  })

  test(`${name}: bursts of 20 on moderate and of 40 on noisy principals are nearly always detected`, () => {
    assert.ok((twenty[1] ?? 0) > 0.9, `moderate ${twenty[1]}`)
    assert.ok((forty[2] ?? 0) > 0.85, `noisy ${forty[2]}`)
  })

  test(`${name}: a slow ramp is detected, in the middle of its second week`, () => {
    assert.ok(result.rampDetected > 0.95, `${result.rampDetected}`)
    assert.ok(result.rampMedianDay > 9 && result.rampMedianDay < 13, `${result.rampMedianDay}`)
  })
}

test('first-denials reports a fifth or less of the benign bursts that the shared model does, and more of the attacks', () => {
  assert.ok(shared.bursty > 20, `shared ${shared.bursty}`)
  assert.ok(variant.bursty < shared.bursty / 5, `first-denials ${variant.bursty}`)
  assert.ok((variant.detected[1]?.[1] ?? 0) > (shared.detected[1]?.[1] ?? 1) + 0.1)
})

test('the same seed gives the same figures', () => {
  const small = { seed: 1, principals: 20, ramps: 2 }
  assert.deepEqual(simulate(shippedRate, world, small), simulate(shippedRate, world, small))
})
