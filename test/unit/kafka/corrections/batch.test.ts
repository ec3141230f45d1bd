// Where reading goes on after a fetch: the corrected Batch next to kafkajs' original.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Batch } from '../../../../src/kafka/corrections/batch.ts'
import { decodeRecordBatches } from '../../../../src/kafka/corrections/record-batches.ts'
import { decodedByOriginal, marker, original, recordSet } from '../encoded-batches.ts'
import type { TestBatch } from '../encoded-batches.ts'

interface OriginalBatch {
  isEmptyDueToFiltering(): boolean
  lastOffset(): string
  readonly messages: readonly unknown[]
}
type OriginalConstructor = new (topic: string, fetchedOffset: string, data: object) => OriginalBatch

async function fetched(batches: readonly TestBatch[], from: number, highWatermark = '100') {
  const bytes = await recordSet(batches)
  const data = { partition: 0, highWatermark, abortedTransactions: [] }
  const OriginalBatch = original<OriginalConstructor>('consumer/batch')
  return {
    corrected: new Batch('t', String(from), { ...data, messages: await decodeRecordBatches(bytes, (_, b) => b) }),
    original: new OriginalBatch('t', String(from), { ...data, messages: await decodedByOriginal(bytes) }),
  }
}

test('batches emptied by compaction are stepped over; the original asks for the same offset for ever', async () => {
  const { corrected, original } = await fetched([{ baseOffset: 40, records: [], lastOffsetDelta: 9 }], 40)
  assert.equal(corrected.isEmptyDueToFiltering(), true)
  assert.equal(corrected.lastOffset(), '49')
  assert.equal(corrected.nextOffset, 50)
  assert.equal(original.isEmptyDueToFiltering(), false, 'the original now advances by itself')
})

test('after compaction removed the last records of a batch, reading goes on behind them', async () => {
  const batch = { baseOffset: 40, records: [{ offsetDelta: 2 }], lastOffsetDelta: 9 }
  const { corrected, original } = await fetched([batch], 40)
  assert.deepEqual(
    corrected.messages.map(({ offset }) => offset),
    [42],
  )
  assert.equal(corrected.lastOffset(), '49')
  assert.equal(original.lastOffset(), '42')
})

test('a trailing control record belongs to the batch', async () => {
  const data: TestBatch = { baseOffset: 5, producerId: 1, transactional: true, records: [{}, {}] }
  const { corrected } = await fetched([data, marker(7, 1, 'commit')], 5)
  assert.equal(corrected.messages.length, 2)
  assert.equal(corrected.nextOffset, 8)
  assert.equal(corrected.firstOffset(), '5')
  assert.equal(corrected.offsetLag(), '92')
})

test('a fetch that brought nothing moves nothing', async () => {
  const { corrected, original } = await fetched([], 12)
  assert.equal(corrected.isEmpty(), true)
  assert.equal(corrected.isEmptyDueToFiltering(), false)
  assert.equal(corrected.nextOffset, 12)
  assert.equal(corrected.lastOffset(), original.lastOffset())
})
