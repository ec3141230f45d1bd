// murmur2 against the vectors published with Apache Kafka (UtilsTest.testMurmur2), and the partition that follows from it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, partitionFor } from '../../../src/log/murmur2.ts'

const vectors: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

for (const [key, expected] of vectors)
  test(`murmur2 of "${key}" is what the Java client computes`, () => {
    assert.equal(murmur2(Buffer.from(key)), expected)
  })

test('a negative hash is masked, not negated', () => {
  const hash = murmur2(Buffer.from('21'))
  assert.ok(hash < 0)
  assert.equal(partitionFor(Buffer.from('21'), 6), (hash & 0x7fffffff) % 6)
  assert.notEqual(partitionFor(Buffer.from('21'), 6), -hash % 6)
})

test('a key that is a view into a larger buffer hashes by its own bytes', () => {
  const whole = new Uint8Array(Buffer.from('xxfoobarxx'))
  assert.equal(murmur2(whole.subarray(2, 8)), -790332482)
})

test('an empty key has a partition, a null key has none', () => {
  assert.equal(typeof partitionFor(new Uint8Array(0), 3), 'number')
  assert.equal(partitionFor(null, 3), null)
})
