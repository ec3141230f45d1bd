// The in-process log against the contract that it shares with Kafka, and against what only it can be made to do:
// compaction on demand, death at a chosen step, sessions and transactions that expire on call.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inProcessLog } from '../../../src/log/in-process.ts'
import type { InProcessLog, InProcessOptions } from '../../../src/log/in-process.ts'
import { append, eventually, listen, readAll, rejectsWith, texts, values } from '../../harness/conformance-cluster.ts'
import { logConformance } from '../../harness/log-conformance.ts'

for (const maxBatchRecords of [1, 500])
  logConformance(`in process, at most ${maxBatchRecords} records per batch`, async () => {
    const log = inProcessLog({ now: Date.now, maxBatchRecords })
    let topics = 0
    return {
      settleMs: 20,
      client: async () => log.client(),
      createTopic: async options => {
        const topic = `topic-${topics++}`
        log.createTopic(topic, options)
        return topic
      },
      deleteRecordsBefore: async (topic, partition, offset) => log.deleteRecordsBefore(topic, partition, offset),
    }
  })

const topic = 'topic'
const group = 'group'

function newLog(options: Partial<InProcessOptions> = {}, partitions = 1): InProcessLog {
  let time = 0
  const log = inProcessLog({ now: () => time++, ...options })
  log.createTopic(topic, { partitions })
  return log
}

test('the clock is the argument, and the same calls give the same log', async () => {
  const run = async (): Promise<unknown> => {
    const log = newLog({}, 3)
    const producer = await log.producer()
    for (let i = 0; i < 5; i++) await producer.send([{ topic, records: [{ key: null, value: Buffer.from(`v${i}`) }] }])
    return Promise.all([0, 1, 2].map(partition => readAll(log, topic, partition)))
  }
  const [first, second] = [await run(), await run()]
  assert.deepEqual(first, second)
  const log = newLog({ now: () => 42 })
  await append(log, topic, 'a')
  assert.equal((await readAll(log, topic))[0]?.timestamp, 42)
})

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

test('every call passes a gate before and after its effect', async () => {
  const points: string[] = []
  const log = newLog({ gate: point => void points.push(point) })
  const producer = await log.transactionalProducer('id')
  const transaction = await producer.begin()
  await transaction.sendOffsets(group, topic, new Map([[0, 0]]))
  await transaction.send([{ topic, records: texts('a') }])
  await transaction.commit()
  const member = await listen(log, {
    group,
    topic,
    handle: async (batch, control) => {
      await control.heartbeat()
      await control.commit(batch.nextOffset)
      control.resolve(batch.nextOffset)
    },
  })
  await log.idle()
  await member.consumer.stop()
  const calls = [
    'transactional.init',
    'transaction.begin',
    'transaction.sendOffsets',
    'transaction.send',
    'transaction.commit',
  ]
  const both = (call: string): string[] => [`${call}:request`, `${call}:response`]
  assert.deepEqual(points, [
    ...calls.flatMap(both),
    'consumer.join:request',
    'consumer.rebalance',
    'consumer.join:response',
    'consumer.fetch',
    ...['consumer.heartbeat', 'consumer.commit', 'consumer.leave'].flatMap(both),
  ])
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

test('a killed process answers nothing, its partitions and its open transaction go to the next one', async () => {
  const log = newLog({}, 2)
  await append(log, topic, 'a')
  const victim = log.client()
  let killed = false
  let answered = false
  const producer = await victim.transactionalProducer('id')
  const doomed = await listen(victim, {
    group,
    topic,
    handle: async batch => {
      const transaction = await producer.begin()
      await transaction.sendOffsets(group, topic, new Map([[0, batch.nextOffset]]))
      await transaction.send([{ topic, records: [{ key: 'k', value: Buffer.from('out'), partition: 1 }] }])
      victim.kill()
      killed = true
      await transaction.commit()
      answered = true
    },
  })
  await eventually('the kill', () => killed)
  assert.deepEqual((await log.offsets(topic))[1], { begin: 0, end: 0 }, 'the open transaction holds readers back')
  const heir = await listen(log, { group, topic })
  await log.idle()
  assert.deepEqual(heir.generations, [[0, 1]])
  assert.deepEqual(values(heir.received), ['a'], 'handled again, because nothing was committed')
  await log.transactionalProducer('id')
  assert.deepEqual((await log.offsets(topic))[1], { begin: 0, end: 2 })
  assert.deepEqual(await readAll(log, topic, 1), [])
  await append(log, topic, 'b')
  await log.idle()
  assert.deepEqual([values(doomed.received), values(heir.received)], [['a'], ['a', 'b']])
  assert.equal(answered, false)
  assert.deepEqual(doomed.crashes, [])
})

test('a zombie believes in its generation until its next call, and is a new member after that', async () => {
  const log = newLog()
  await append(log, topic, 'a')
  const process = log.client()
  const frozen = Promise.withResolvers<void>()
  const beliefs: unknown[] = []
  const zombie = await listen(process, {
    group,
    topic,
    handle: async (batch, control) => {
      if (beliefs.length === 0) {
        await frozen.promise
        beliefs.push(control.current())
        await rejectsWith('TW_REBALANCED', control.commit(batch.nextOffset))
        beliefs.push(control.current())
      } else control.resolve(batch.nextOffset)
    },
  })
  await eventually('the handler', () => zombie.received.length === 1)
  process.expireSessions()
  const heir = await listen(log, { group, topic })
  await eventually('the heir', () => heir.received.length === 1)
  assert.deepEqual(await log.committed(group, topic), [1])
  frozen.resolve()
  await log.idle()
  assert.deepEqual(beliefs, [true, false])
  assert.equal(zombie.generations.length, 2)
  assert.deepEqual([...zombie.generations[1]!, ...heir.generations.at(-1)!], [0], 'one of the two has the partition')
})

test('an expired member without a handler finds out when there is work', async () => {
  const log = newLog()
  const member = await listen(log, { group, topic })
  log.expireSessions()
  await append(log, topic, 'a')
  await log.idle()
  assert.equal(member.generations.length, 2)
  assert.deepEqual(values(member.received), ['a'])
})

test('idle waits for a chain of consumers, for resume, and for what handlers start, but not for open transactions', async () => {
  const log = newLog()
  log.createTopic('next', { partitions: 1 })
  const producer = await log.producer()
  await listen(log, {
    group,
    topic,
    handle: async (batch, control) => {
      await new Promise(resolve => setTimeout(resolve, 5))
      await producer.send([{ topic: 'next', records: batch.records.map(({ key, value }) => ({ key, value })) }])
      control.resolve(batch.nextOffset)
    },
  })
  const end = await listen(log, { group: 'end', topic: 'next', at: null })
  const open = await (await log.transactionalProducer('id')).begin()
  await append(log, topic, 'a', 'b')
  await open.send([{ topic, records: texts('hidden') }])
  let isIdle = false
  const idle = log.idle().then(() => (isIdle = true))
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.equal(isIdle, false, 'a partition that was never resumed is work to come')
  end.consumer.resume(0, null)
  await idle
  assert.deepEqual(values(end.received), ['a', 'b'])
  await open.commit()
  await log.idle()
  assert.deepEqual(values(end.received), ['a', 'b', 'hidden'])
})

test('idle does not wait for a consumer that crashed, nor for one that stopped', async () => {
  const log = newLog()
  await append(log, topic, 'a')
  const crashing = await listen(log, { group, topic, handle: () => Promise.reject(new Error('defect')) })
  await log.idle()
  assert.equal(crashing.crashes.length, 1)
  await crashing.consumer.stop()
  await log.idle()
})

test('no more handlers run at a time than `concurrency` says, one per partition, and all partitions get their turn', async () => {
  const log = newLog({ maxBatchRecords: 1 }, 4)
  const producer = await log.producer()
  for (let round = 0; round < 3; round++)
    await producer.send([{ topic, records: [0, 1, 2, 3].map(partition => ({ key: 'k', value: null, partition })) }])
  const running: number[] = []
  const order: number[] = []
  let most = 0
  await listen(log, {
    group,
    topic,
    concurrency: 2,
    handle: async (batch, control) => {
      assert.ok(!running.includes(batch.partition), 'two handlers of one partition')
      running.push(batch.partition)
      order.push(batch.partition)
      most = Math.max(most, running.length)
      await new Promise(resolve => setImmediate(resolve))
      running.splice(running.indexOf(batch.partition), 1)
      control.resolve(batch.nextOffset)
    },
  })
  await log.idle()
  assert.equal(most, 2)
  assert.deepEqual(order, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3])
})

test('a reader steps over what compaction removed, also at the end, and so does a group', async () => {
  const log = newLog()
  await append(log, topic, 'a', 'b', 'c')
  const producer = await log.transactionalProducer('id')
  const transaction = await producer.begin()
  await transaction.send([{ topic, records: texts('never') }])
  await transaction.abort()
  log.compact(topic)
  log.compact(topic)
  assert.deepEqual(
    (await readAll(log, topic)).map(record => record.offset),
    [2],
  )
  assert.deepEqual(await readAll(log, topic, 0, { from: 3 }), [])
  const member = await listen(log, { group, topic })
  await log.idle()
  assert.deepEqual([values(member.received), member.lastNextOffset()], [['c'], 5])
})

test('a handler that never gets on does not keep timers from firing', { timeout: 5_000 }, async () => {
  const log = newLog()
  await append(log, topic, 'a')
  const member = await listen(log, { group, topic, handle: async () => undefined })
  await new Promise(resolve => setTimeout(resolve, 10))
  assert.ok(member.received.length > 1)
  await member.consumer.stop()
})

test('stop during the join leaves no ghost in the group', async () => {
  const log = newLog()
  const ghost = log.consumer({ group, topic })
  const handlers = { assigned: () => undefined, batch: async () => undefined, crashed: () => undefined }
  const started = ghost.start(handlers)
  await ghost.stop()
  await started
  const member = await listen(log, { group, topic })
  assert.deepEqual(member.generations, [[0]])
  await rejectsWith('TW_INTERNAL', ghost.start(handlers))
})
