// Which batch is delivered: only the one that begins where the current delivery of its partition stands.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Positions } from '../../../src/kafka/positions.ts'

function delivering(partition: number, position: number) {
  const positions = new Positions()
  positions.nextGeneration()
  positions.begin(partition, position)
  const verdict = positions.judge(partition, position)
  assert.ok(verdict.kind === 'deliver')
  return { positions, delivery: verdict.delivery }
}

test('nothing before begin, nothing after end', () => {
  const { positions } = delivering(0, 5)
  assert.deepEqual(positions.judge(1, 5), { kind: 'drop' })
  positions.end(0)
  assert.deepEqual(positions.judge(0, 5), { kind: 'drop' })
})

test('a batch from another position rewinds to the right one', () => {
  const { positions, delivery } = delivering(0, 5)
  assert.deepEqual(positions.judge(0, 9), { kind: 'rewind', to: 5 })
  assert.equal(positions.move(0, delivery, 9), true)
  assert.equal(positions.judge(0, 9).kind, 'deliver')
  assert.deepEqual(positions.judge(0, 5), { kind: 'rewind', to: 9 })
})

test('a handler of an ended delivery moves nothing, even where the same partition is delivered again', () => {
  const { positions, delivery } = delivering(0, 5)
  positions.begin(0, 2)
  assert.equal(positions.move(0, delivery, 6), false)
  assert.equal(positions.judge(0, 2).kind, 'deliver')
})

test('a generation ends every delivery', () => {
  const { positions, delivery } = delivering(0, 5)
  assert.equal(delivery.generation, 1)
  assert.equal(positions.nextGeneration(), 2)
  assert.deepEqual(positions.judge(0, 5), { kind: 'drop' })
  assert.equal(positions.move(0, delivery, 6), false)
})

test('a step over unseen records counts only from the current position', () => {
  const { positions } = delivering(0, 5)
  // Fetched before a rebalance: taking this over would skip 5 to 199.
  positions.stepped(0, 200, 210)
  assert.equal(positions.judge(0, 5).kind, 'deliver')
  positions.stepped(0, 5, 8)
  assert.equal(positions.judge(0, 8).kind, 'deliver')
  positions.stepped(3, 0, 8)
  assert.equal(positions.judge(3, 8).kind, 'drop')
})
