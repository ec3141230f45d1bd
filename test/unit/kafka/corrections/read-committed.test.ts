// The read_committed rule in the three cases that kafkajs' original gets wrong; each test also shows the wrong result,
// so that it fails where the correction is not needed any more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { committedRecords } from '../../../../src/kafka/corrections/read-committed.ts'
import type { AbortedTransaction } from '../../../../src/kafka/corrections/read-committed.ts'
import { decodeRecordBatches } from '../../../../src/kafka/corrections/record-batches.ts'
import { decodedByOriginal, marker, original, recordSet } from '../encoded-batches.ts'
import type { OriginalMessage, TestBatch } from '../encoded-batches.ts'

type Filter = (args: {
  messages: OriginalMessage[]
  abortedTransactions: readonly AbortedTransaction[]
}) => OriginalMessage[]

const written = (baseOffset: number, producerId: number, key: Buffer | null = null): TestBatch => ({
  baseOffset,
  producerId,
  transactional: true,
  records: [{ key, value: Buffer.from(`p${producerId}@${baseOffset}`) }],
})

async function both(batches: readonly TestBatch[], abortedTransactions: readonly AbortedTransaction[], from = 0) {
  const bytes = await recordSet(batches)
  const decoded = await decodeRecordBatches(bytes, (_codec, body) => body)
  const messages = (await decodedByOriginal(bytes)).filter(message => Number(message.offset) >= from)
  const leaky = original<Filter>('consumer/filterAbortedMessages')({ messages, abortedTransactions })
  return {
    corrected: committedRecords(decoded, abortedTransactions, from).map(({ offset }) => offset),
    original: leaky.filter(message => !message.isControlRecord).map(({ offset }) => Number(offset)),
  }
}

test('case A: transactions that abort in another order than they began', async () => {
  const log = [written(10, 1), written(11, 2), marker(12, 2, 'abort'), written(13, 1), marker(14, 1, 'abort')]
  // The broker's order is that of the ends.
  const aborted = [
    { producerId: '2', firstOffset: '11' },
    { producerId: '1', firstOffset: '10' },
  ]
  const seen = await both([...log, written(15, 3), marker(16, 3, 'commit')], aborted, 10)
  assert.deepEqual(seen.corrected, [15])
  assert.ok(seen.original.includes(10), 'the original no longer leaks')
})

test('case B: a fetch that starts inside two open transactions', async () => {
  const log = [written(20, 1), written(21, 2), marker(22, 1, 'abort'), marker(23, 2, 'abort'), written(24, 3)]
  const aborted = [
    { producerId: '1', firstOffset: '5' },
    { producerId: '2', firstOffset: '6' },
  ]
  // The first record belongs to the transaction that the original has not taken up yet.
  const seen = await both([written(19, 2), ...log], aborted, 19)
  assert.deepEqual(seen.corrected, [24])
  assert.ok(seen.original.includes(19), 'the original no longer leaks')
})

test('case C: a key of four zero bytes inside an aborted transaction is a key, not a marker', async () => {
  const log = [written(30, 1, Buffer.alloc(4)), written(31, 1), marker(32, 1, 'abort'), written(33, 2)]
  const seen = await both(log, [{ producerId: '1', firstOffset: '30' }])
  assert.deepEqual(seen.corrected, [33])
  assert.ok(seen.original.includes(31), 'the original no longer leaks')
})

test('a producer that aborts and then commits is visible again after its abort marker', async () => {
  const log = [written(1, 1), marker(2, 1, 'abort'), written(3, 1), marker(4, 1, 'commit')]
  const seen = await both(log, [{ producerId: '1', firstOffset: '1' }])
  assert.deepEqual(seen.corrected, [3])
})

test('a plain record between aborted ones is visible', async () => {
  const log = [written(1, 1), { baseOffset: 2, producerId: 1, records: [{}] }, written(3, 1)]
  const seen = await both(log, [{ producerId: '1', firstOffset: '1' }])
  assert.deepEqual(seen.corrected, [2])
})

test('records before the fetch position are not given again', async () => {
  const seen = await both([{ baseOffset: 5, records: [{}, {}, {}] }], [], 6)
  assert.deepEqual(seen.corrected, [6, 7])
})
