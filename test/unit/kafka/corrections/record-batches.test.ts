// The decoder at its edges; equality with kafkajs' original on arbitrary batches is in test/property.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeRecordBatches, magicOf } from '../../../../src/kafka/corrections/record-batches.ts'
import { decodedByOriginal, encodedBatch, recordSet } from '../encoded-batches.ts'

const plain = (_codec: number, body: Buffer) => body

test('a batch emptied by compaction still says where reading goes on; the original forgets it', async () => {
  const bytes = await encodedBatch({ baseOffset: 100, records: [], lastOffsetDelta: 49 })
  const [batch] = await decodeRecordBatches(bytes, plain)
  assert.equal(batch?.nextOffset, 150)
  assert.equal(batch.records.length, 0)
  assert.deepEqual(await decodedByOriginal(bytes), [], 'the original knows nothing about the offsets 100 to 149')
})

test('a compressed batch without records is not handed to the codec', async () => {
  const bytes = await encodedBatch({ baseOffset: 7, records: [], lastOffsetDelta: 2 })
  bytes.writeInt16BE(4, 21)
  const refuse = () => {
    throw new Error('nothing to decompress')
  }
  assert.equal((await decodeRecordBatches(bytes, refuse))[0]?.nextOffset, 10)
})

test('an incomplete last batch is left out', async () => {
  const bytes = await recordSet([
    { baseOffset: 1, records: [{}] },
    { baseOffset: 2, records: [{ value: Buffer.alloc(100) }] },
  ])
  const batches = await decodeRecordBatches(bytes.subarray(0, bytes.length - 1), plain)
  assert.deepEqual(
    batches.map(({ nextOffset }) => nextOffset),
    [2],
  )
})

test('more records in one fetch than a call has room for arguments; the original overflows the stack', async () => {
  const records = Array.from({ length: 130_000 }, () => ({}))
  const bytes = await encodedBatch({ baseOffset: 0, records })
  const [batch] = await decodeRecordBatches(bytes, plain)
  assert.equal(batch?.records.length, records.length)
  assert.equal(batch.records.at(-1)?.offset, records.length - 1)
  await assert.rejects(decodedByOriginal(bytes), RangeError)
})

test('a header may be named __proto__, and a repeated header has its last value', async () => {
  const headers = Object.fromEntries([
    ['__proto__', Buffer.from('x')],
    ['twice', [Buffer.from('first'), Buffer.from('last')]],
  ])
  const [batch] = await decodeRecordBatches(await encodedBatch({ baseOffset: 0, records: [{ headers }] }), plain)
  const found = batch?.records[0]?.headers
  assert.deepEqual(Object.keys(found ?? {}), ['__proto__', 'twice'])
  assert.equal(found?.['twice']?.toString(), 'last')
})

test('LogAppendTime gives every record the time of the batch', async () => {
  const records = [{ timestampDelta: 5 }, { timestampDelta: 9 }]
  const bytes = await encodedBatch({ baseOffset: 0, records, logAppendTime: true, maxTimestamp: 77 })
  const [batch] = await decodeRecordBatches(bytes, plain)
  assert.deepEqual(
    batch?.records.map(({ timestamp }) => timestamp),
    [77, 77],
  )
})

test('damage is an error with the place, not a hang: record beyond its batch, count beyond the records', async () => {
  const bytes = await encodedBatch({ baseOffset: 9, records: [{ value: Buffer.from('abc') }] })
  const long = Buffer.from(bytes)
  long[61] = 0x7e
  const code = { code: 'TW_CODEC_UNSUPPORTED', message: /offset 9/ }
  await assert.rejects(decodeRecordBatches(long, plain), code)
  const backwards = Buffer.from(bytes)
  backwards.writeInt32BE(-12, 8)
  assert.deepEqual(await decodeRecordBatches(backwards, plain), [])
  const many = Buffer.from(bytes)
  many.writeInt32BE(2_000_000_000, 57)
  await assert.rejects(decodeRecordBatches(many, plain), code)
})

test('a codec that does not exist is TW_CODEC_UNSUPPORTED and not retriable', async () => {
  const bytes = await encodedBatch({ baseOffset: 3, records: [{}] })
  bytes.writeInt16BE(6, 21)
  const refuse = (codec: number) => {
    throw new Error(`no codec ${codec}`)
  }
  await assert.rejects(decodeRecordBatches(bytes, refuse), { code: 'TW_CODEC_UNSUPPORTED', retriable: false })
})

test('the magic byte of an empty record set is that of today', () => {
  assert.equal(magicOf(Buffer.alloc(0)), 2)
})
