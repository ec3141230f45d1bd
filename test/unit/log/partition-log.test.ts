// One partition of the in-process log: what compaction and retention leave behind, and where reads go on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PartitionLog } from '../../../src/log/partition-log.ts'
import type { TransactionFate } from '../../../src/log/partition-log.ts'

function put(log: PartitionLog, key: string, value: string | null, fate: TransactionFate | null = null): number {
  const content = { key: Buffer.from(key), value: value === null ? null : Buffer.from(value), headers: {} }
  return log.append(content, 1_000 + log.end, fate)
}

const all = (log: PartitionLog): string[] =>
  log
    .read(log.begin, Infinity, Infinity)
    .records.map(({ offset, key, value }) => `${offset}:${String(key)}=${String(value)}`)

const commit = (log: PartitionLog, fate: TransactionFate, state: 'committed' | 'aborted'): void => {
  fate.state = state
  log.endTransaction(fate, 5_000)
}

test('compaction keeps the last record of each key with its offset, and a gap at the end', () => {
  const log = new PartitionLog()
  for (const [key, value] of [
    ['a', '1'],
    ['b', '1'],
    ['a', '2'],
    ['c', '1'],
  ] as const)
    put(log, key, value)
  const fate: TransactionFate = { state: 'open' }
  put(log, 'd', 'never', fate)
  commit(log, fate, 'aborted')
  log.compact()
  assert.deepEqual(all(log), ['1:b=1', '2:a=2', '3:c=1'])
  log.compact()
  assert.deepEqual([log.begin, log.end, log.stableEnd], [0, 6, 6])
  assert.deepEqual(log.read(4, Infinity, 10), { records: [], nextOffset: 6 }, 'the gap at the end is stepped over')
  assert.equal(put(log, 'e', '1'), 6)
})

test('a tombstone survives one compaction and is dropped by the next, together with the key', () => {
  const log = new PartitionLog()
  put(log, 'a', '1')
  put(log, 'a', null)
  put(log, 'b', '1')
  log.compact()
  assert.deepEqual(all(log), ['1:a=null', '2:b=1'])
  log.compact()
  assert.deepEqual(all(log), ['2:b=1'])
})

test('compaction leaves everything at and above the last stable offset alone', () => {
  const log = new PartitionLog()
  put(log, 'a', '1')
  put(log, 'a', '2')
  const fate: TransactionFate = { state: 'open' }
  put(log, 'a', '3', fate)
  put(log, 'a', '4')
  put(log, 'b', '1')
  put(log, 'b', '2')
  log.compact()
  assert.deepEqual(all(log), ['1:a=2'], 'a newer value above it does not count yet')
  commit(log, fate, 'committed')
  assert.deepEqual(all(log), ['1:a=2', '2:a=3', '3:a=4', '4:b=1', '5:b=2'])
  log.compact()
  assert.deepEqual(all(log), ['3:a=4', '5:b=2'])
})

test('keys that differ only in bytes outside UTF-8 stay distinct', () => {
  const log = new PartitionLog()
  for (const byte of [0xfe, 0xff])
    log.append({ key: Buffer.from([byte]), value: Buffer.from('x'), headers: {} }, 1, null)
  log.compact()
  assert.equal(log.read(0, Infinity, 10).records.length, 2)
})

test('retention moves the beginning, at most to the end, and never back', () => {
  const log = new PartitionLog()
  for (const key of ['a', 'b', 'c']) put(log, key, '1')
  log.deleteBefore(2)
  assert.deepEqual(all(log), ['2:c=1'])
  log.deleteBefore(1)
  assert.equal(log.begin, 2)
  log.deleteBefore(99)
  assert.deepEqual([log.begin, log.end, log.stableEnd], [3, 3, 3])
})

test('retention below an open transaction keeps the last stable offset at its beginning or later', () => {
  const log = new PartitionLog()
  const fate: TransactionFate = { state: 'open' }
  put(log, 'a', '1', fate)
  put(log, 'b', '1')
  log.deleteBefore(1)
  assert.deepEqual([log.begin, log.stableEnd], [1, 1])
  commit(log, fate, 'committed')
  assert.deepEqual(all(log), ['1:b=1'])
})

test('the last stable offset is that of the oldest open transaction', () => {
  const log = new PartitionLog()
  const [first, second]: TransactionFate[] = [{ state: 'open' }, { state: 'open' }]
  assert.ok(first && second)
  put(log, 'a', '1', first)
  put(log, 'b', '1', second)
  put(log, 'a', '2', first)
  commit(log, second, 'committed')
  assert.equal(log.stableEnd, 0)
  commit(log, first, 'committed')
  assert.equal(log.stableEnd, 5)
  assert.deepEqual(all(log), ['0:a=1', '1:b=1', '2:a=2'])
})

test('a read stops at its limits and names the next visible record', () => {
  const log = new PartitionLog()
  const fate: TransactionFate = { state: 'open' }
  put(log, 'a', '1')
  put(log, 'x', 'aborted', fate)
  commit(log, fate, 'aborted')
  put(log, 'b', '1')
  put(log, 'c', '1')
  assert.equal(log.read(0, Infinity, 1).nextOffset, 3, 'over the aborted record and its marker')
  assert.equal(log.read(0, 2, 5).nextOffset, 2)
  assert.equal(log.read(3, Infinity, 5).nextOffset, 5)
})

test('offsetAt finds visible records only', () => {
  const log = new PartitionLog()
  const fate: TransactionFate = { state: 'open' }
  put(log, 'x', 'aborted', fate)
  commit(log, fate, 'aborted')
  put(log, 'a', '1')
  assert.equal(log.offsetAt(0), 2)
  assert.equal(log.offsetAt(1_003), 3)
  put(log, 'x', 'open', { state: 'open' })
  put(log, 'a', 'not readable yet')
  assert.equal(log.offsetAt(1_003), 3, 'the stable end, not the record above it')
})
