// StoredRecord: key and value are views of one memory, null where there are none; any record can be had as such a one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoredRecord } from '../../../src/log/stored-record.ts'

const bytes = Buffer.from('..key..value..')
const headers = { name: Buffer.from('x') }

test('key and value are cut out of the memory, not copied', () => {
  const record = new StoredRecord(7, 8, headers, bytes, 2, 5, 7, 12)
  assert.deepEqual([String(record.key), String(record.value), record.keyText()], ['key', 'value', 'key'])
  assert.equal(record.value?.buffer, bytes.buffer)
  assert.equal(new StoredRecord(7, 8, headers, bytes, -1, 2, 7, 12).key, null)
  assert.equal(new StoredRecord(7, 8, headers, bytes, 2, 5, -1, 7).value, null)
  assert.equal(new StoredRecord(7, 8, headers, bytes, 2, 2, 7, 7).key?.length, 0, 'empty is not null')
})

test('any record with key and value can be had as one', () => {
  const record = new StoredRecord(7, 8, headers, bytes, 2, 5, 7, 12)
  assert.equal(StoredRecord.of(record), record)
  const { offset, timestamp, key, value } = record
  const copy = StoredRecord.of({ offset, timestamp, headers, key, value })
  assert.deepEqual(
    [copy?.offset, copy?.timestamp, copy?.headers, String(copy?.key), String(copy?.value)],
    [7, 8, headers, 'key', 'value'],
  )
  for (const missing of [
    { key: null, value },
    { key, value: null },
  ])
    assert.equal(StoredRecord.of({ offset, timestamp, headers, ...missing }), null)
  assert.equal(StoredRecord.of(new StoredRecord(7, 8, headers, bytes, -1, 2, 7, 12)), null)
  assert.equal(StoredRecord.of(new StoredRecord(7, 8, headers, bytes, 2, 5, -1, 7)), null)
})
