// Producers of the in-process log at the moments a network cannot be made to show: lost answers, death at a gate, time-outs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, readAll, rejectsWith, texts, values } from '../../harness/conformance-cluster.ts'
import { barrier, group, newLog, topic } from '../../harness/in-process-log.ts'

test('the log keeps its own bytes: a caller may reuse its buffer once the send has resolved', async () => {
  const log = newLog()
  const value = Buffer.from('before')
  const producer = await log.producer()
  await producer.send([{ topic, records: [{ key: value, value, headers: { value } }] }])
  value.fill('x')
  const [record] = await readAll(log, topic)
  assert.deepEqual([record?.key, record?.value, record?.headers['value']].map(String), ['before', 'before', 'before'])
})

test('a send is atomic: one bad record, and none is appended', async () => {
  const log = newLog({ maxRecordBytes: 10 })
  const producer = await log.producer()
  const records = [...texts('fits'), ...texts('is much too large')]
  const header = [{ key: 'k', value: null, headers: { large: 'is much too large' } }]
  await rejectsWith('TW_RECORD_TOO_LARGE', producer.send([{ topic, records: header }]))
  await rejectsWith('TW_RECORD_TOO_LARGE', producer.send([{ topic, records }]))
  await rejectsWith(
    'TW_PRODUCE_FAILED',
    producer.send([{ topic, records: [...texts('a'), { key: null, value: null, partition: 9 }] }]),
  )
  assert.deepEqual(await log.offsets(topic), [{ begin: 0, end: 0 }])
  log.createTopic('compacted', { partitions: 1, compact: true })
  await rejectsWith('TW_PRODUCE_FAILED', producer.send([{ topic: 'compacted', records: [{ key: null, value: null }] }]))
})

test('a response that is lost leaves the effect in place and the producer dead', async () => {
  let failing = ''
  const fault = new Error('connection lost')
  const log = newLog({
    gate: point => {
      if (point === failing) throw fault
    },
  })
  const producer = await log.transactionalProducer('id')
  const transaction = await producer.begin()
  await transaction.sendOffsets(group, topic, new Map([[0, 3]]))
  await transaction.send([{ topic, records: texts('a') }])
  failing = 'transaction.commit:response'
  await assert.rejects(transaction.commit(), fault)
  assert.deepEqual(values(await readAll(log, topic)), ['a'], 'the commit took place')
  assert.deepEqual(await log.committed(group, topic), [3])
  await rejectsWith('TW_PRODUCER_DEAD', producer.begin())

  const next = await log.transactionalProducer('id')
  const lost = await next.begin()
  await lost.send([{ topic, records: texts('b') }])
  failing = 'transaction.commit:request'
  await assert.rejects(lost.commit(), fault)
  await log.transactionalProducer('id')
  assert.deepEqual(values(await readAll(log, topic)), ['a'], 'this one never reached the coordinator')
})

test('an open transaction whose time is over is aborted, and its producer fenced', async () => {
  const log = newLog()
  const producer = await log.transactionalProducer('id')
  log.expireTransaction('id')
  const transaction = await producer.begin()
  await transaction.send([{ topic, records: texts('a') }])
  log.expireTransaction('id')
  assert.deepEqual(await log.offsets(topic), [{ begin: 0, end: 2 }])
  await rejectsWith('TW_FENCED', transaction.commit())
  assert.deepEqual(await readAll(log, topic), [])
})

test('a process that is killed while a call waits at its gate never makes the call', async () => {
  const commit = barrier('transaction.commit:request')
  const log = newLog()
  const victim = log.client(commit.gate)
  const producer = await victim.transactionalProducer('id')
  const transaction = await producer.begin()
  await transaction.send([{ topic, records: texts('a') }])
  void transaction.commit()
  await eventually('the commit', () => commit.waiting() === 1)
  victim.kill()
  commit.open()
  await sleep(5)
  assert.deepEqual(await log.offsets(topic), [{ begin: 0, end: 0 }])
})

test('a transaction that is over does not write into the next one', async () => {
  const log = newLog()
  const producer = await log.transactionalProducer('id')
  const first = await producer.begin()
  await first.commit()
  const second = await producer.begin()
  await rejectsWith('TW_TRANSACTION_FAILED', first.send([{ topic, records: texts('late') }]))
  await second.commit()
  assert.deepEqual(await readAll(log, topic), [])
})
