// The LogClient on a real broker: producing, groups, transactions, fencing, reading; with the read_committed leak
// cases and batches that compaction emptied, as a broker really stores them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StoredBatch } from '../../src/kafka/corrections/record-batches.ts'
import { readCommittedCluster } from '../../src/kafka/internals.ts'
import { kafkaLog } from '../../src/kafka/kafka-log.ts'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import type { LogClient, LogRecord, OutRecord, RecordBatch } from '../../src/log/log-client.ts'
import { describeOnKafka } from '../harness/suite.ts'
import { uniqueName } from '../harness/kafka.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const texts = (records: readonly LogRecord[]) => records.map(({ value }) => value?.toString())
const numbered = (count: number, prefix = 'v'): OutRecord[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i % 50}`, value: Buffer.from(`${prefix}${i}`) }))

async function all(log: LogClient, topic: string, partition = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const batch of log.read(topic, partition)) records.push(...batch.records)
  return records
}

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await sleep(20)
  }
}

await describeOnKafka(
  'LogClient on Kafka',
  kafka => {
    let log: LogClient
    const connection = { brokers: kafka.brokers, clientId: 'kafka-log-test' }
    const raw = new kafkajs.Kafka({ ...connection, logLevel: kafkajs.logLevel.NOTHING })
    const admin = raw.admin()
    before(async () => {
      log = await kafkaLog(connection, quiet)
      await admin.connect()
    })
    after(async () => {
      await log.close()
      await admin.disconnect()
    })
    async function topicOf(numPartitions = 1, config: Record<string, string> = {}): Promise<string> {
      const topic = uniqueName('log')
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
      await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true })
      return topic
    }

    /** The batches of partition 0 as the broker stores them. */
    async function storedBatches(topic: string): Promise<readonly StoredBatch[]> {
      const cluster = readCommittedCluster(raw)
      await cluster.connect()
      await cluster.addTargetTopic(topic)
      const broker = await cluster.findBroker({ nodeId: cluster.findTopicPartitionMetadata(topic)[0]?.leader ?? -1 })
      const place = { partition: 0, fetchOffset: '0', maxBytes: 1 << 20 }
      const request = { isolationLevel: 1, maxWaitTime: 100, minBytes: 1, maxBytes: 1 << 20 } as const
      const { responses } = await broker.fetch({ ...request, topics: [{ topic, partitions: [place] }] })
      await cluster.disconnect()
      return responses[0]?.partitions[0]?.messages ?? []
    }

    /** A consumer that collects what it gets and commits it. */
    async function member(group: string, topic: string, options: { sessionTimeoutMs?: number } = {}) {
      const consumer = log.consumer({ group, topic, ...options })
      const state = {
        got: [] as string[],
        assigned: [] as readonly number[],
        generations: 0,
        crash: null as Error | null,
      }
      await consumer.start({
        assigned(partitions, generation) {
          state.assigned = partitions
          state.generations = generation
          for (const partition of partitions) consumer.resume(partition, null)
        },
        async batch({ records, nextOffset }, control) {
          state.got.push(...texts(records).map(String))
          control.resolve(nextOffset)
          await control.commit(nextOffset).catch((error: unknown) => {
            assert.equal((error as { code?: string }).code, 'TW_REBALANCED')
          })
        },
        crashed(error) {
          state.crash = error
        },
      })
      return { consumer, state }
    }

    test('records come back as they were sent: bytes, nulls, headers, chosen partition', async () => {
      const topic = await topicOf(3)
      const producer = await log.producer()
      const value = Buffer.from([0, 1, 255])
      const sent = Date.now()
      await producer.send([{ topic, records: [{ key: null, value: null, partition: 2, headers: { h: 'x' } }] }])
      await producer.send([{ topic, records: [{ key: Buffer.from([9]), value, partition: 2 }] }])
      await producer.close()
      const [first, second] = await all(log, topic, 2)
      assert.equal(first?.key, null)
      assert.equal(first.value, null)
      assert.equal(first.headers['h']?.toString(), 'x')
      assert.ok(first.timestamp >= sent - 1_000 && first.timestamp <= Date.now() + 1_000)
      assert.deepEqual([second?.offset, second?.key, second?.value], [1, Buffer.from([9]), value])
    })

    test('partitions, offsets, offsets by time and committed offsets', async () => {
      const topic = await topicOf(2)
      assert.equal(await log.partitions(topic), 2)
      assert.equal(await log.partitions(uniqueName('absent')), null)
      const producer = await log.producer()
      await producer.send([{ topic, records: [{ key: 'a', value: Buffer.from('1'), partition: 1 }] }])
      await sleep(20)
      const between = Date.now()
      await sleep(20)
      await producer.send([{ topic, records: [{ key: 'a', value: Buffer.from('2'), partition: 1 }] }])
      await producer.close()
      assert.deepEqual(await log.offsets(topic), [
        { begin: 0, end: 0 },
        { begin: 0, end: 2 },
      ])
      assert.deepEqual(await log.offsetsAt(topic, between), [0, 1])
      assert.deepEqual(await log.offsetsAt(topic, Date.now() + 3_600_000), [0, 2])
      assert.deepEqual(await log.committed(uniqueName('group'), topic), [null, null])
    })

    test('a send far above max.message.bytes is cut into batches that fit; one record above it is named', async () => {
      const topic = await topicOf(2)
      const producer = await log.producer()
      const records = Array.from({ length: 40 }, (_, i) => ({ key: `k${i}`, value: Buffer.alloc(100_000, i) }))
      await producer.send([{ topic, records }])
      const ends = await log.offsets(topic)
      assert.equal(
        ends.reduce((sum, { end }) => sum + end, 0),
        40,
      )
      const big = { key: 'big', value: Buffer.alloc(2_000_000) }
      const small = { key: 'small', value: Buffer.from('x') }
      await assert.rejects(producer.send([{ topic, records: [small, big] }]), (error: unknown) => {
        const { code, record } = error as { code?: string; record?: unknown }
        return code === 'TW_RECORD_TOO_LARGE' && record === big
      })
      await producer.close()
    })

    test('batches are halved where a topic takes less than we assume', async () => {
      const topic = await topicOf(1, { 'max.message.bytes': '20000' })
      const producer = await log.producer()
      await producer.send([{ topic, records: numbered(20).map(r => ({ ...r, value: Buffer.alloc(5_000) })) }])
      await producer.close()
      assert.equal((await all(log, topic)).length, 20)
    })

    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      test(`what we write with ${compression} the broker accepts and we read`, async () => {
        const topic = await topicOf()
        const client = await kafkaLog(connection, quiet, { compression })
        const producer = await client.producer()
        await producer.send([{ topic, records: numbered(500, 'compressed-') }])
        await producer.close()
        await client.close()
        assert.deepEqual(texts(await all(log, topic)), texts(numbered(500, 'compressed-') as never))
      })
    }

    test('a missing topic is TW_TOPIC_MISSING for producer, consumer and reader', async () => {
      const topic = uniqueName('absent')
      const missing = { code: 'TW_TOPIC_MISSING' }
      const producer = await log.producer({ retryForMs: 1_000 })
      await assert.rejects(producer.send([{ topic, records: numbered(1) }]), missing)
      await assert.rejects(all(log, topic), missing)
      await assert.rejects(log.read(topic, 0, { from: 0, to: 5 })[Symbol.asyncIterator]().next(), missing)
      const consumer = log.consumer({ group: uniqueName('group'), topic })
      await assert.rejects(consumer.start({ assigned() {}, async batch() {}, crashed() {} }), missing)
      await producer.close()
    })

    test('a group member delivers everything once, commits, and its successor goes on there', async () => {
      const topic = await topicOf(3)
      const group = uniqueName('group')
      const producer = await log.producer()
      await producer.send([{ topic, records: numbered(300, 'a') }])
      const first = await member(group, topic)
      await until('300 records', () => first.state.got.length >= 300)
      await first.consumer.stop()
      const committed = await log.committed(group, topic)
      assert.deepEqual(
        committed,
        (await log.offsets(topic)).map(({ end }) => end),
      )
      await producer.send([{ topic, records: numbered(30, 'b') }])
      const second = await member(group, topic)
      await until('30 records', () => second.state.got.length >= 30)
      await sleep(300)
      await second.consumer.stop()
      assert.equal(first.state.got.length, 300)
      assert.deepEqual(second.state.got.sort(), texts(numbered(30, 'b') as never).sort())
      await producer.close()
    })

    test('nothing is delivered before resume, after pause, or from another offset than asked for', async () => {
      const topic = await topicOf(2)
      const producer = await log.producer()
      await producer.send([{ topic, records: numbered(20).map(r => ({ ...r, partition: 0 })) }])
      const consumer = log.consumer({ group: uniqueName('group'), topic })
      const seen: RecordBatch[] = []
      await consumer.start({
        assigned() {},
        async batch(batch, control) {
          seen.push(batch)
          control.resolve(batch.nextOffset)
        },
        crashed: assert.fail,
      })
      await sleep(700)
      assert.equal(seen.length, 0)
      consumer.resume(0, 15)
      await until('the tail', () => seen.length === 1)
      assert.deepEqual(
        seen[0]?.records.map(({ offset }) => offset),
        [15, 16, 17, 18, 19],
      )
      consumer.pause(0)
      await producer.send([{ topic, records: [{ key: 'k', value: null, partition: 0 }] }])
      await sleep(700)
      assert.equal(seen.length, 1)
      consumer.resume(0, 3)
      await until('from 3', () => seen.length >= 2)
      assert.equal(seen[1]?.records[0]?.offset, 3)
      await consumer.stop()
      await producer.close()
    })

    test('a batch that is not resolved comes again, and a handler that throws crashes visibly', async () => {
      const topic = await topicOf()
      const producer = await log.producer()
      await producer.send([{ topic, records: numbered(5) }])
      const consumer = log.consumer({ group: uniqueName('group'), topic })
      let calls = 0
      let crash: Error | null = null
      await consumer.start({
        assigned: partitions => partitions.forEach(partition => consumer.resume(partition, null)),
        async batch({ records }) {
          assert.equal(records.length, 5)
          if (++calls === 3) throw new Error('defect in the handler')
        },
        crashed(error) {
          crash = error
        },
      })
      await until('the crash', () => crash !== null)
      await sleep(600)
      assert.equal(calls, 3, 'nothing is delivered after a crash')
      assert.match(String(crash), /defect in the handler/)
      await consumer.stop()
      await producer.close()
    })

    test('a second member takes over half, and all when the first leaves; late handlers are told', async () => {
      const topic = await topicOf(4)
      const group = uniqueName('group')
      const producer = await log.producer()
      const one = await member(group, topic)
      await until('all four', () => one.state.assigned.length === 4)
      const two = await member(group, topic)
      await until('two each', () => one.state.assigned.length === 2 && two.state.assigned.length === 2)
      assert.ok(one.state.generations >= 2)
      await producer.send([{ topic, records: numbered(400) }])
      await until('400 records', () => one.state.got.length + two.state.got.length >= 400)
      assert.ok(one.state.got.length > 0 && two.state.got.length > 0)
      await one.consumer.stop()
      await until('all four again', () => two.state.assigned.length === 4)
      await producer.send([{ topic, records: numbered(40, 'later') }])
      await until('40 more', () => two.state.got.filter(text => text.startsWith('later')).length === 40)
      assert.equal(one.state.got.length + two.state.got.length, 440)
      await two.consumer.stop()
      await producer.close()
    })

    test('a handler of an old generation: not current, cannot commit, cannot move the position', async () => {
      const topic = await topicOf(1)
      const group = uniqueName('group')
      const producer = await log.producer()
      await producer.send([{ topic, records: numbered(10) }])
      const consumer = log.consumer({ group, topic, sessionTimeoutMs: 6_000 })
      let release = () => {}
      const held = new Promise<void>(resolve => (release = resolve))
      let first = true
      const outcome: Record<string, unknown> = {}
      await consumer.start({
        assigned: partitions => partitions.forEach(partition => consumer.resume(partition, 0)),
        async batch(_batch, control) {
          if (!first) return
          first = false
          outcome['before'] = control.current()
          await held
          await control.heartbeat().catch((error: unknown) => (outcome['heartbeat'] = (error as { code: string }).code))
          await control.commit(10).catch((error: unknown) => (outcome['commit'] = (error as { code: string }).code))
        },
        crashed: assert.fail,
      })
      await until('the batch', () => !first)
      // The session (6 s, no heartbeat while the handler is held) ends: the group is empty for the coordinator.
      await sleep(8_000)
      release()
      await until('the commit', () => outcome['commit'] !== undefined)
      assert.deepEqual(outcome, { before: true, heartbeat: 'TW_REBALANCED', commit: 'TW_REBALANCED' })
      assert.deepEqual(await log.committed(group, topic), [null])
      await consumer.stop()
      await producer.close()
    })

    test('a position that retention deleted: TW_OFFSET_OUT_OF_RANGE, or earliest where configured', async () => {
      const topic = await topicOf()
      const producer = await log.producer()
      await producer.send([{ topic, records: numbered(10) }])
      await producer.close()
      await admin.fetchTopicOffsets(topic) // kafkajs deletes only on leaders it has heard of
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] })
      const group = uniqueName('group')
      const start = async (outOfRange: 'fail' | 'earliest') => {
        const client = await kafkaLog(connection, quiet, { outOfRange })
        const consumer = client.consumer({ group, topic })
        const state = { offsets: [] as number[], crash: null as { code?: string } | null }
        await consumer.start({
          assigned: () => consumer.resume(0, 2),
          async batch({ records, nextOffset }, control) {
            state.offsets.push(...records.map(({ offset }) => offset))
            control.resolve(nextOffset)
          },
          crashed(error) {
            state.crash = error as { code?: string }
          },
        })
        return { state, end: () => consumer.stop().then(() => client.close()) }
      }
      const failing = await start('fail')
      await until('the crash', () => failing.state.crash !== null)
      assert.equal(failing.state.crash?.code, 'TW_OFFSET_OUT_OF_RANGE')
      await failing.end()
      assert.deepEqual(await log.committed(group, topic), [null], 'the group must not have been moved')
      const going = await start('earliest')
      await until('the rest', () => going.state.offsets.length === 4)
      assert.deepEqual(going.state.offsets, [6, 7, 8, 9])
      await going.end()
      await assert.rejects(log.read(topic, 0, { from: 2 })[Symbol.asyncIterator]().next(), {
        code: 'TW_OFFSET_OUT_OF_RANGE',
      })
      assert.equal((await all(log, topic)).length, 4)
    })

    test('a transaction commits output and input position together, or neither; several in a row', async () => {
      const topic = await topicOf(2)
      const group = uniqueName('group')
      const producer = await log.transactionalProducer(uniqueName('tx'))
      for (const [round, end] of (['commit', 'abort', 'commit'] as const).entries()) {
        const transaction = await producer.begin()
        await transaction.sendOffsets(group, topic, new Map([[1, round + 1]]))
        const values = [0, 1].map(partition => ({ key: null, value: Buffer.from(`r${round}`), partition }))
        await transaction.send([{ topic, records: values }])
        await transaction[end]()
        const settled = end === 'commit' ? round + 1 : round
        // The marker on the offsets topic follows the answer to EndTxn by a moment.
        await until('the offset', async () => (await log.committed(group, topic))[1] === settled)
      }
      // Without offsets the first send meets the previous transaction; several partitions must not be written twice.
      for (let round = 3; round < 6; round++) {
        const transaction = await producer.begin()
        const values = [0, 1].map(partition => ({ key: null, value: Buffer.from(`r${round}`), partition }))
        await transaction.send([{ topic, records: values }])
        await transaction.commit()
      }
      await producer.close()
      for (const partition of [0, 1]) {
        assert.deepEqual(texts(await all(log, topic, partition)), ['r0', 'r2', 'r3', 'r4', 'r5'])
      }
    })

    test('a new holder of the id fences the old one, whose open transaction leaves nothing behind', async () => {
      const topic = await topicOf()
      const id = uniqueName('tx')
      const zombie = await log.transactionalProducer(id)
      const left = await zombie.begin()
      await left.send([{ topic, records: [{ key: 'k', value: Buffer.from('zombie') }] }])
      const successor = await log.transactionalProducer(id)
      // The fence has settled the old transaction: the end is known now, not later.
      const [{ end } = { end: -1 }] = await log.offsets(topic)
      assert.equal(end, 2, 'record and abort marker')
      await assert.rejects(left.commit(), { code: 'TW_FENCED' })
      await assert.rejects(left.abort(), { code: 'TW_PRODUCER_DEAD' })
      await assert.rejects(zombie.begin(), { code: 'TW_PRODUCER_DEAD' })
      const transaction = await successor.begin()
      await transaction.send([{ topic, records: [{ key: 'k', value: Buffer.from('successor') }] }])
      await transaction.commit()
      assert.deepEqual(texts(await all(log, topic)), ['successor'])
      await Promise.all([zombie.close(), successor.close()])
    })

    test('closing a producer with an open transaction aborts it, so that readers need not wait', async () => {
      const topic = await topicOf()
      const producer = await log.transactionalProducer(uniqueName('tx'))
      const transaction = await producer.begin()
      await transaction.send([{ topic, records: [{ key: 'k', value: Buffer.from('open') }] }])
      assert.equal((await log.offsets(topic))[0]?.end, 0, 'the last stable offset stands before an open transaction')
      await producer.close()
      await until('the abort', async () => (await log.offsets(topic))[0]?.end === 2, 5_000)
      assert.deepEqual(await all(log, topic), [])
    })

    test('an oversized record in a transaction is TW_RECORD_TOO_LARGE', async () => {
      const topic = await topicOf()
      const producer = await log.transactionalProducer(uniqueName('tx'))
      const transaction = await producer.begin()
      const send = transaction.send([{ topic, records: [{ key: 'k', value: Buffer.alloc(2_000_000) }] }])
      await assert.rejects(send, { code: 'TW_RECORD_TOO_LARGE' })
      await producer.close()
    })

    test('no record of an aborted transaction is ever seen: the three cases that kafkajs leaks', async () => {
      const topic = await topicOf()
      const [p1, p2] = await Promise.all(['p1', 'p2'].map(id => log.transactionalProducer(uniqueName(id))))
      assert.ok(p1 && p2)
      const record = (value: string, key: Buffer | string = 'k') => [
        { topic, records: [{ key, value: Buffer.from(value) }] },
      ]
      // Case A: p1 begins first, p2 aborts first. Case C: a key of four zero bytes inside p1's.
      const a1 = await p1.begin()
      await a1.send(record('aborted-1'))
      const a2 = await p2.begin()
      await a2.send(record('aborted-2'))
      await a2.abort()
      await a1.send(record('aborted-3', Buffer.alloc(4)))
      await a1.send(record('aborted-4'))
      await a1.abort()
      const good = await p1.begin()
      await good.send(record('good'))
      await good.commit()
      assert.deepEqual(texts(await all(log, topic)), ['good'])
      // Case B: every start inside the open transactions.
      for (let from = 0; from < 6; from++) {
        const seen: LogRecord[] = []
        for await (const batch of log.read(topic, 0, { from })) seen.push(...batch.records)
        assert.deepEqual(texts(seen), ['good'], `from ${from}`)
      }
      const { consumer, state } = await member(uniqueName('group'), topic)
      await until('the good one', () => state.got.length > 0)
      await sleep(300)
      assert.deepEqual(state.got, ['good'])
      // The member stepped over the trailing marker as well.
      await consumer.stop()
      await Promise.all([p1.close(), p2.close()])
    })

    test('a consumer goes on behind batches that hold nothing but aborted records', async () => {
      const topic = await topicOf()
      const producer = await log.transactionalProducer(uniqueName('tx'))
      const { consumer, state } = await member(uniqueName('group'), topic)
      for (let round = 0; round < 6; round++) {
        const transaction = await producer.begin()
        await transaction.send([{ topic, records: numbered(3, `r${round}-`) }])
        await (round % 2 === 0 ? transaction.abort() : transaction.commit())
        await sleep(150)
      }
      await until('nine', () => state.got.length >= 9)
      await sleep(300)
      assert.deepEqual(
        state.got,
        [1, 3, 5].flatMap(round => [0, 1, 2].map(i => `r${round}-${i}`)),
      )
      assert.equal(state.crash, null)
      await consumer.stop()
      await producer.close()
    })

    test('read() and a consumer pass a compacted log with emptied batches', async () => {
      const topic = await topicOf(1, {
        'cleanup.policy': 'compact',
        'segment.bytes': '1048576',
        'segment.ms': '100',
        'min.cleanable.dirty.ratio': '0.01',
        'min.compaction.lag.ms': '0',
        'delete.retention.ms': '100',
      })
      // The broker keeps the last batch of every producer for its sequence number, as an empty one where all its
      // records are superseded: so every round has a producer of its own.
      for (let round = 0; round < 6; round++) {
        const producer = await log.transactionalProducer(uniqueName('tx'))
        const transaction = await producer.begin()
        await transaction.send([{ topic, records: numbered(50, `round${round}-`) }])
        await transaction.commit()
        await producer.close()
        await sleep(120)
      }
      const producer = await log.transactionalProducer(uniqueName('tx'))
      const { end } = (await log.offsets(topic))[0] ?? { end: 0 }
      const emptied = async () =>
        (await storedBatches(topic)).filter(({ records, control }) => records.length === 0 && !control).length
      await until(
        'batches that compaction emptied',
        async () => {
          // A new segment makes the ones before it cleanable.
          const transaction = await producer.begin()
          await transaction.send([{ topic, records: [{ key: 'roll', value: Buffer.from('roll') }] }])
          await transaction.commit()
          await sleep(400)
          return (await emptied()) >= 3
        },
        90_000,
      )
      const seen: LogRecord[] = []
      for await (const batch of log.read(topic, 0, { to: end })) seen.push(...batch.records)
      assert.deepEqual(new Set(seen.map(({ key }) => key?.toString())).size, 50, 'every key has its last value')
      const { consumer, state } = await member(uniqueName('group'), topic)
      await until('the roll records', () => state.got.includes('roll'))
      await consumer.stop()
      await producer.close()
    })

    test('a read stops at `to`, by signal, and says when it is stuck', async () => {
      const topic = await topicOf()
      const client = await kafkaLog(connection, quiet, { stuckAfterMs: 1_000 })
      const producer = await client.producer()
      await producer.send([{ topic, records: numbered(10) }])
      await producer.close()
      const read: number[] = []
      for await (const { records } of client.read(topic, 0, { from: 2, to: 7 }))
        read.push(...records.map(r => r.offset))
      assert.deepEqual(read, [2, 3, 4, 5, 6])
      const beyond = client.read(topic, 0, { from: 10, to: 12 })[Symbol.asyncIterator]()
      await assert.rejects(beyond.next(), { code: 'TW_READ_STUCK' })
      const aborted = client.read(topic, 0, { signal: AbortSignal.abort(new Error('enough')) })[Symbol.asyncIterator]()
      await assert.rejects(aborted.next(), /enough/)
      await client.close()
    })

    test('no broker there is TW_BROKER_UNAVAILABLE', async () => {
      const nowhere = { brokers: ['127.0.0.1:1'], clientId: 'nobody' }
      await assert.rejects(kafkaLog(nowhere, quiet), { code: 'TW_BROKER_UNAVAILABLE' })
    })
  },
  { registry: false },
)
