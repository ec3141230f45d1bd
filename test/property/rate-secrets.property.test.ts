// Distinct secrets in sliding windows against brute force: exact below capacity, the bound exact beyond it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SecretTimes } from '../../src/detect/rate-secrets.ts'

const windowMs = 100

interface Denial {
  readonly time: number
  readonly secret: number
}

const denials = (secrets: number, length: number): fc.Arbitrary<Denial[]> =>
  fc.array(fc.record({ time: fc.nat(250), secret: fc.nat(secrets) }), { maxLength: length, size: 'max' })

function distinct(all: readonly Denial[], end: number): number {
  return new Set(all.filter(({ time }) => time > end - windowMs && time <= end).map(({ secret }) => secret)).size
}

test('below the capacity the distinct secrets of every window are exact, in any order of arrival', () => {
  fc.assert(
    fc.property(denials(12, 60), all => {
      const secrets = new SecretTimes(windowMs, 3, 256)
      for (const { time, secret } of all) secrets.add(time, secret)
      for (let end = 0; end <= 400; end++) {
        assert.equal(secrets.distinct(end - windowMs, end), distinct(all, end), `window ending at ${end}`)
      }
    }),
    { numRuns: 300 },
  )
})

test('beyond the capacity whether a window has the least distinct secrets stays exact, and no count is too high', () => {
  fc.assert(
    fc.property(denials(400, 400), fc.integer({ min: 1, max: 3 }), (all, minDistinct) => {
      const capacity = 4 * minDistinct * 4
      const secrets = new SecretTimes(windowMs, minDistinct, capacity)
      for (const { time, secret } of all) secrets.add(time, secret)
      assert.ok(secrets.size <= capacity)
      for (let end = 0; end <= 400; end++) {
        const kept = secrets.distinct(end - windowMs, end)
        const truth = distinct(all, end)
        assert.ok(kept <= truth)
        assert.equal(kept >= minDistinct, truth >= minDistinct, `window ending at ${end}: ${kept} of ${truth}`)
      }
    }),
    { numRuns: 200 },
  )
})

test('a time in memory is one that can still matter: at most two per window length and secret, and one more', () => {
  const secrets = new SecretTimes(windowMs, 3, 256)
  for (let time = 0; time <= 1000; time++) secrets.add(time, 7)
  const [[, ...times] = []] = secrets.snapshot()
  assert.ok(times.length <= 21, `${times.length} times`)
})

test('forgetting names each secret that has no later denial, with its last; the others keep their earliest', () => {
  const secrets = new SecretTimes(windowMs, 3, 256)
  for (const time of [10, 80, 200]) secrets.add(time, 1)
  for (const time of [20, 50]) secrets.add(time, 2)
  secrets.add(300, 3)
  const forgotten: [number, number][] = []
  secrets.prune(100, (hash, last) => forgotten.push([hash, last]))
  assert.deepEqual(forgotten, [[2, 50]])
  assert.deepEqual(secrets.snapshot(), [
    [1, 10, 200],
    [3, 300],
  ])
  const none = (): boolean => false
  assert.equal(secrets.distinct(100, 400), 2)
  assert.equal(secrets.firstDenials(100, 400, none), 1)
})
