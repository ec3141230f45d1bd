// Grouping by partition: the same groups as kafkajs' original, without copying the group for every message.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupMessagesPerPartition } from '../../../../src/kafka/corrections/partition-grouping.ts'
import { original } from '../encoded-batches.ts'

interface Message {
  readonly id: number
}
const group = original<typeof groupMessagesPerPartition<Message>>('producer/groupMessagesPerPartition')
const partitioner = ({ message }: { message: Message }) => message.id % 7
const messagesOf = (count: number) => Array.from({ length: count }, (_, id) => ({ id }))

test('same groups in the same order', () => {
  const args = { topic: 't', partitionMetadata: [{}], messages: messagesOf(100), partitioner }
  assert.deepEqual(groupMessagesPerPartition(args), group(args))
  assert.deepEqual(groupMessagesPerPartition({ ...args, partitionMetadata: [] }), {})
})

test('the time for one partition grows with the messages; that of the original with their square', () => {
  const args = { topic: 't', partitionMetadata: [{}], messages: messagesOf(8_000), partitioner: () => 0 }
  const time = (run: () => unknown) => {
    const start = performance.now()
    run()
    return performance.now() - start
  }
  const ours = Math.min(...[1, 2, 3].map(() => time(() => groupMessagesPerPartition(args))))
  const theirs = time(() => group(args))
  assert.ok(theirs > ours * 5, `ours ${ours.toFixed(1)} ms, theirs ${theirs.toFixed(1)} ms`)
})
