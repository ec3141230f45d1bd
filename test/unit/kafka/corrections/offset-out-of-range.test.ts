// A position that retention has deleted: asked about, never silently replaced.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  onOffsetOutOfRange,
  recoverFromOffsetOutOfRange,
} from '../../../../src/kafka/corrections/offset-out-of-range.ts'
import { original } from '../encoded-batches.ts'

const error = Object.assign(new Error('out of range'), { topic: 't', partition: 3 })

test('the owner of the consumer decides; the original commits the default offset for the group', async () => {
  const commits: object[] = []
  const group = {
    cluster: {},
    preferredReadReplicasPerTopicPartition: {},
    logger: { info() {}, error() {} },
    offsetManager: {
      async setDefaultOffset(place: object) {
        commits.push(place)
      },
    },
  }
  const { prototype } = original<{ prototype: { recoverFromOffsetOutOfRange(e: Error): Promise<void> } }>(
    'consumer/consumerGroup',
  )
  await prototype.recoverFromOffsetOutOfRange.call(group as never, error)
  assert.deepEqual(commits, [{ topic: 't', partition: 3 }], 'the original no longer commits')

  const asked: unknown[] = []
  onOffsetOutOfRange(group.cluster, (topic, partition) => asked.push([topic, partition]))
  await recoverFromOffsetOutOfRange.call(group, error)
  assert.deepEqual(asked, [['t', 3]])
  assert.equal(commits.length, 1)
})

test('without an owner the error stands', async () => {
  await assert.rejects(recoverFromOffsetOutOfRange.call({ cluster: {} }, error), error)
})
