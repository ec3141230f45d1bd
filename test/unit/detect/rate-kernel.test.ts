// The decayed sums against the definition of their kernel: every addition remembered and weighed one by one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../../bench/samplers.ts'
import { DecayedSums } from '../../../src/detect/rate-kernel.ts'
import { day } from '../../model/streams.ts'

const tau = 7 * day

function weight(filters: number, age: number): number {
  if (filters === 0) return Math.exp(-age / tau)
  return (age / (filters * tau)) ** filters * Math.exp(filters - age / tau)
}

function nearly(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${what}: ${actual}, expected ${expected}`)
}

for (const filters of [0, 1, 3, 6]) {
  test(`with ${filters} further filters the sums are those of the kernel, also after silence of years`, () => {
    const random = new Random(filters)
    const sums = new DecayedSums(filters, tau, 2)
    const added: { time: number; x: number }[] = []
    let time = 1.7e12
    for (let i = 0; i < 400; i++) {
      time += i % 100 === 99 ? 500 * day : random.integer(day)
      const x = 1 + random.integer(9)
      added.push({ time, x })
      sums.add(time, [x, x * x])
      const later = time + random.integer(40) * day + 1000
      const expected = added.reduce((sum, a) => sum + a.x * weight(filters, later - a.time), 0)
      const squares = added.reduce((sum, a) => sum + a.x * a.x * weight(filters, later - a.time), 0)
      nearly(sums.value(0, later), expected, 1e-12, `sum after ${i}`)
      nearly(sums.value(1, later), squares, 1e-12, `squares after ${i}`)
    }
  })

  test(`with ${filters} further filters the exposure is the integral of the kernel`, () => {
    const sums = new DecayedSums(filters, tau, 1)
    for (const age of [60_000, 3_600_000, day, 20 * day, 40 * day, 400 * day]) {
      const steps = 20_000
      let integral = 0
      for (let i = 0; i < steps; i++) integral += (weight(filters, ((i + 0.5) / steps) * age) * age) / steps
      nearly(sums.exposure(age), integral, 1e-5, `exposure of ${age} ms`)
    }
    assert.equal(sums.exposure(0), 0)
    assert.equal(sums.exposure(-5), 0)
  })
}

test('with three further filters the last hours weigh nothing and three weeks ago weighs most', () => {
  const sums = new DecayedSums(3, tau, 1)
  sums.add(0, [1])
  assert.equal(sums.value(0, 0), 0)
  assert.ok(sums.value(0, 3 * 3_600_000) < 1e-5)
  nearly(sums.value(0, 21 * day), 1, 1e-14, 'the peak')
  assert.ok(sums.value(0, 20 * day) < 1 && sums.value(0, 22 * day) < 1)
})

test('a sum restored from its snapshot goes on to the same digit', () => {
  const sums = new DecayedSums(3, tau, 2)
  sums.add(1e12, [3, 9])
  sums.add(1e12 + day, [1, 1])
  const restored = new DecayedSums(3, tau, 2, JSON.parse(JSON.stringify(sums.snapshot())))
  for (const each of [sums, restored]) each.add(1e12 + 9 * day, [4, 16])
  assert.equal(restored.value(0, 1e12 + 30 * day), sums.value(0, 1e12 + 30 * day))
  assert.deepEqual(restored.snapshot(), sums.snapshot())
})

test('before the first addition every sum is zero', () => {
  assert.equal(new DecayedSums(3, tau, 1).value(0, 1e12), 0)
})
