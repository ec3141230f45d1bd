// The in-process log against the contract that it shares with Kafka, and what only it has: a clock and gates as arguments,
// idle, death on call, compaction on demand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inProcessLog } from '../../../src/log/in-process.ts'
import { append, eventually, listen, readAll, rejectsWith, texts, values } from '../../harness/conformance-cluster.ts'
import { group, newLog, topic } from '../../harness/in-process-log.ts'
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

test('idle waits for a chain of consumers, for resume, and for what handlers start, but not for open transactions', async () => {
  const log = newLog()
  log.createTopic('next', { partitions: 1 })
  const producer = await log.producer()
  await listen(log, {
    group,
    topic,
    handle: async (batch, control) => {
      control.resolve(batch.nextOffset)
      await sleep(5)
      await producer.send([{ topic: 'next', records: batch.records.map(({ key, value }) => ({ key, value })) }])
    },
  })
  const end = await listen(log, { group: 'end', topic: 'next', at: null })
  const open = await (await log.transactionalProducer('id')).begin()
  await append(log, topic, 'a', 'b')
  await open.send([{ topic, records: texts('hidden') }])
  let isIdle = false
  const idle = log.idle().then(() => (isIdle = true))
  await sleep(20)
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

test('idle waits for an assignment that is on its way', async () => {
  const log = newLog({ gate: point => (point === 'consumer.rebalance' ? sleep(10) : undefined) })
  await append(log, topic, 'a')
  const handled: string[] = []
  const listening = listen(log, {
    group,
    topic,
    handle: async (batch, control) => {
      handled.push(...values(batch.records))
      control.resolve(batch.nextOffset)
    },
  })
  await log.idle()
  assert.deepEqual(handled, ['a'])
  await listening
})

test('a waiting reader does not miss a record that arrives with the answer that there is none', async () => {
  const log = newLog()
  const reader = log.client(async point => {
    if (point === 'read.fetch:response' && (await log.offsets(topic))[0]?.end === 0) await append(log, topic, 'a')
  })
  assert.deepEqual(values(await readAll(reader, topic, 0, { to: 1 })), ['a'])
})

test('a read that starts beyond the end is out of range: nothing there was ever written', async () => {
  const log = newLog()
  await append(log, topic, 'a')
  await rejectsWith('TW_OFFSET_OUT_OF_RANGE', readAll(log, topic, 0, { from: 2, to: 5 }))
})

test('idle waits for what a handler started without awaiting it', async () => {
  const log = newLog()
  await append(log, topic, 'a')
  const handled: string[] = []
  const appendLater = async (): Promise<void> => {
    for (let turns = 0; turns < 20; turns++) await Promise.resolve()
    await append(log, topic, 'b')
  }
  await listen(log, {
    group,
    topic,
    handle: async (batch, control) => {
      const texts = values(batch.records)
      if (texts.includes('b')) await sleep(5)
      handled.push(...texts)
      control.resolve(batch.nextOffset)
      if (texts.includes('a')) void appendLater()
    },
  })
  await log.idle()
  assert.deepEqual(handled, ['a', 'b'])
})

test('what a transaction wrote stays open when its markers are lost, and ends along with the next one of its id', async () => {
  for (const [next, left] of [
    ['commit', ['a', 'b']],
    ['abort', []],
  ] as const) {
    const log = newLog({}, 2)
    const send = async (id: string, partition: number, value: string) => {
      const transaction = await (await log.transactionalProducer(id)).begin()
      await transaction.sendOffsets(group, topic, new Map([[partition, value.charCodeAt(0)]]))
      await transaction.send([{ topic, records: [{ key: 'k', value: Buffer.from(value), partition }] }])
      return transaction
    }
    const first = await send('id', 0, 'a')
    log.loseMarkers(true)
    await first.commit()
    log.loseMarkers(false)
    assert.equal(log.lostMarkers(), 1)
    // Neither another id nor a new holder of this one settles it, nor a marker on another partition.
    await (await send('other', 0, 'x')).abort()
    await (await send('id', 1, 'y')).abort()
    assert.deepEqual(await readAll(log, topic), [])
    assert.deepEqual(await log.offsets(topic), [
      { begin: 0, end: 0 },
      { begin: 0, end: 2 },
    ])
    assert.deepEqual(await log.highWatermarks(topic), [3, 2])
    await (await send('id', 0, 'b'))[next]()
    assert.deepEqual(values(await readAll(log, topic)), left)
    assert.deepEqual(await log.highWatermarks(topic), [5, 2])
    assert.deepEqual((await log.offsets(topic))[0], { begin: 0, end: 5 })
    assert.deepEqual(await log.committed(group, topic), [next === 'commit' ? 'b'.charCodeAt(0) : null, null])
  }
})
