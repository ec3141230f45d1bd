// The position record: what is written is read back, and what is not ours is not believed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isReserved, positionRecord, readPosition } from '../../../src/pipeline/changelog.ts'
import { noExpiryYet } from '../../../src/pipeline/state-expiry.ts'

const expiry = { stretch: 4, oldest: 1_767_225_600_000 }

function written(offset: number, progress = expiry): { key: Buffer; value: Buffer } {
  const { key, value, partition } = positionRecord('events', 2, offset, progress)
  assert.ok(Buffer.isBuffer(key) && value !== null)
  assert.equal(partition, 2)
  return { key, value }
}

test('a position is read back with the progress of the expiry', () => {
  const { key, value } = written(41)
  assert.deepEqual(readPosition(key, value, 'events', 2), { offset: 41, expiry })
})

test('a position written before there was an expiry is read', () => {
  const value = Buffer.from('{"topic":"events","partition":2,"offset":7}')
  assert.deepEqual(readPosition(written(0).key, value, 'events', 2), { offset: 7, expiry: noExpiryYet })
})

test('positions of other inputs, other reserved keys, tombstones and damage are no positions', () => {
  const { key, value } = written(41)
  assert.equal(readPosition(key, value, 'other', 2), null)
  assert.equal(readPosition(key, value, 'events', 3), null)
  assert.equal(readPosition(Buffer.from('\0other'), value, 'events', 2), null)
  assert.equal(readPosition(key, null, 'events', 2), null)
  for (const damaged of ['', '{', '[]', 'null', '{"topic":"events","partition":2,"offset":-1}'])
    assert.equal(readPosition(key, Buffer.from(damaged), 'events', 2), null)
  for (const offset of ['"7"', '1.5', '1e300'])
    assert.equal(
      readPosition(key, Buffer.from(`{"topic":"events","partition":2,"offset":${offset}}`), 'events', 2),
      null,
    )
})

test('its key is no principal, and not the four zero bytes that kafkajs takes for an abort marker', () => {
  const { key } = written(0)
  assert.ok(isReserved(key))
  assert.notEqual(key.length, 4)
  assert.ok(!isReserved(Buffer.from('111122223333/root')))
})
