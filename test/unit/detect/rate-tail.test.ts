// Log-gamma and the negative-binomial tail against Python's math.lgamma, exact sums and identities.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { logGamma, negativeBinomialTail } from '../../../src/detect/rate-tail.ts'

/** Arguments 1e-4 to 1e6, and close to the zeros at 1 and 2 where a relative error would show. */
const grid = [
  ...Array.from({ length: 401 }, (_, i) => 10 ** (-4 + i / 40)),
  ...[1e-9, 1e-6, 1e-3, 0.1].flatMap(h => [1 - h, 1 + h, 2 - h, 2 + h]),
]

test('logGamma agrees with math.lgamma to 1e-14 from 1e-4 to 1e6', t => {
  const script = 'import sys,json,math; print(json.dumps([math.lgamma(x) for x in json.load(sys.stdin)]))'
  const python = spawnSync('python3', ['-c', script], { input: JSON.stringify(grid), encoding: 'utf8' })
  if (python.status !== 0)
    return t.skip('NO PYTHON: math.lgamma cannot be asked, only the identities below are checked')
  const expected = JSON.parse(python.stdout) as number[]
  for (const [i, x] of grid.entries()) {
    const value = expected[i] ?? NaN
    const difference = Math.abs(logGamma(x) - value)
    assert.ok(difference <= 1e-14 * Math.max(1, Math.abs(value)), `logGamma(${x}) is off by ${difference}`)
  }
})

test('logGamma gives the factorials', () => {
  let factorial = 1
  for (let n = 1; n <= 20; n++) {
    assert.ok(Math.abs(logGamma(n) - Math.log(factorial)) < 2e-14 * Math.max(1, Math.log(factorial)), `n = ${n}`)
    factorial *= n
  }
})

test('logGamma at one half is half the logarithm of pi, and the duplication formula holds', () => {
  assert.ok(Math.abs(logGamma(0.5) - Math.log(Math.PI) / 2) < 1e-14)
  for (const x of [1e-4, 0.03, 0.7, 3.3, 41, 1234.5]) {
    const left = logGamma(x) + logGamma(x + 0.5)
    const right = (1 - 2 * x) * Math.LN2 + Math.log(Math.PI) / 2 + logGamma(2 * x)
    assert.ok(Math.abs(left - right) < 1e-13 * Math.max(1, Math.abs(right)), `x = ${x}`)
  }
})

/** P(X ≥ count) by adding probabilities from `count` upwards until they no longer matter. */
function summedTail(count: number, size: number, mean: number): number {
  const logP = Math.log(size / (size + mean))
  const q = mean / (size + mean)
  let term = size * logP
  for (let k = 0; k < count; k++) term += Math.log((q * (k + size)) / (k + 1))
  let factor = 1
  let total = 0
  for (let k = count; factor > total * 1e-18; k++) {
    total += factor
    factor *= (q * (k + size)) / (k + 1)
  }
  return Math.exp(term) * total
}

test('the tail equals the sum of its probabilities, from near 1 down to 1e-290', () => {
  const sizes = [0.005, 0.25, 0.5, 1, 3.2, 40]
  const means = [1e-6, 0.00066, 0.025, 0.7, 5, 40, 700]
  let smallest = 1
  for (const size of sizes) {
    for (const mean of means) {
      for (const count of [1, 2, 5, 9, 20, 45, 120, 800]) {
        const expected = summedTail(count, size, mean)
        if (expected < 1e-290) continue
        smallest = Math.min(smallest, expected)
        const tail = negativeBinomialTail(count, size, mean)
        const error = Math.abs(tail - expected)
        // Up to the mean the tail is a complement: exact absolutely, not relatively.
        assert.ok(
          error < (count > mean ? 2e-12 * expected : 1e-12),
          `P(X >= ${count}; ${size}, ${mean}) = ${tail}, summed ${expected}`,
        )
      }
    }
  }
  assert.ok(smallest < 1e-250, 'the grid reaches far tails')
})

test('the tail is certain at zero, impossible without a mean, and falls with the count', () => {
  assert.equal(negativeBinomialTail(0, 0.5, 3), 1)
  assert.equal(negativeBinomialTail(-1, 0.5, 3), 1)
  assert.equal(negativeBinomialTail(1, 0.5, 0), 0)
  let previous = 1
  for (let count = 1; count < 400; count++) {
    const tail = negativeBinomialTail(count, 0.37, 60)
    assert.ok(tail < previous && tail > 0, `count ${count}`)
    previous = tail
  }
})

test('at size 1 the tail is geometric', () => {
  for (const [count, mean] of [
    [1, 0.1],
    [7, 0.1],
    [3, 12],
    [300, 12],
    [50_000, 4000],
  ] as const) {
    const expected = Math.exp(count * -Math.log1p(1 / mean))
    assert.ok(Math.abs(negativeBinomialTail(count, 1, mean) / expected - 1) < 1e-10, `count ${count}, mean ${mean}`)
  }
})

test('a principal with a hundred thousand denials per window costs no more than another', () => {
  const started = process.hrtime.bigint()
  for (let i = 0; i < 1000; i++) assert.ok(negativeBinomialTail(120_000 + i, 0.4, 100_000) > 0)
  const milliseconds = Number(process.hrtime.bigint() - started) / 1e6
  assert.ok(milliseconds < 1000, `1000 tails took ${milliseconds} ms`)
})
