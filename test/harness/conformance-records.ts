// Conformance of the LogClient port: appending and reading without groups or transactions.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { partitionFor } from '../../src/log/murmur2.ts'
import { append, readAll, rejectsWith, values } from './conformance-cluster.ts'
import type { Behaviour } from './log-conformance.ts'

const produceAndConsume: Behaviour = [
  'records of a key stay in order, on the partition that murmur2 of the key names',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 3 })
    const producer = await client.producer()
    const keys = ['alice', 'bob', 'carol', '123456789012/root', 'ünïcode', '']
    for (let round = 0; round < 3; round++)
      await producer.send([{ topic, records: keys.map(key => ({ key, value: Buffer.from(`${key}#${round}`) })) }])
    await producer.close()
    const byKey = new Map<string, string[]>()
    for (let partition = 0; partition < 3; partition++)
      for (const record of await readAll(other, topic, partition)) {
        const key = String(record.key)
        assert.equal(partition, partitionFor(Buffer.from(key), 3), `partition of "${key}"`)
        byKey.set(key, [...(byKey.get(key) ?? []), String(record.value)])
      }
    assert.deepEqual(
      keys.map(key => byKey.get(key)),
      keys.map(key => [`${key}#0`, `${key}#1`, `${key}#2`]),
    )
  },
]

const explicitPartition: Behaviour = [
  'an explicit partition wins over the key, and records without a key spread over all partitions',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 3 })
    const producer = await client.producer()
    const elsewhere = (partitionFor(Buffer.from('alice'), 3) + 1) % 3
    await producer.send([{ topic, records: [{ key: 'alice', value: Buffer.from('moved'), partition: elsewhere }] }])
    assert.deepEqual(values(await readAll(client, topic, elsewhere)), ['moved'])
    for (let i = 0; i < 4; i++)
      await producer.send([
        { topic, records: Array.from({ length: 6 }, () => ({ key: null, value: Buffer.from('x') })) },
      ])
    await producer.close()
    const ends = (await client.offsets(topic)).map(({ end }) => end)
    assert.equal(
      ends.reduce((a, b) => a + b),
      25,
    )
    assert.ok(
      ends.every(end => end > 0),
      `all partitions in use: ${ends.join(' ')}`,
    )
  },
]

const roundTrip: Behaviour = [
  'keys, values, headers and their nulls come back as they were sent',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const producer = await client.producer()
    const bytes = Buffer.from([0, 255, 128, 10])
    const before = Date.now()
    await producer.send([
      {
        topic,
        records: [
          { key: bytes, value: bytes, headers: { text: 'naïve', bytes, empty: '' } },
          { key: 'gone', value: null },
          { key: null, value: Buffer.alloc(0) },
        ],
      },
    ])
    await producer.close()
    const [full, tombstone, bare] = await readAll(other, topic)
    assert.ok(full && tombstone && bare)
    assert.deepEqual(full.key, bytes)
    assert.deepEqual(full.value, bytes)
    assert.deepEqual(Object.keys(full.headers), ['text', 'bytes', 'empty'])
    assert.deepEqual(full.headers['text'], Buffer.from('naïve'))
    assert.deepEqual(full.headers['bytes'], bytes)
    assert.deepEqual(full.headers['empty'], Buffer.alloc(0))
    assert.deepEqual([String(tombstone.key), tombstone.value], ['gone', null])
    assert.deepEqual([bare.key, bare.value, Object.keys(bare.headers)], [null, Buffer.alloc(0), []])
    assert.deepEqual([full.offset, tombstone.offset, bare.offset], [0, 1, 2])
    assert.ok(
      Number.isInteger(full.timestamp) && full.timestamp >= before - 1000 && full.timestamp <= Date.now() + 1000,
    )
  },
]

const severalTopics: Behaviour = [
  'one send appends to several topics, and empty ones change nothing',
  async ({ cluster, client }) => {
    const first = await cluster.createTopic({ partitions: 1 })
    const second = await cluster.createTopic({ partitions: 1 })
    const producer = await client.producer()
    await producer.send([
      { topic: first, records: [{ key: 'a', value: Buffer.from('1') }] },
      { topic: second, records: [{ key: 'a', value: Buffer.from('2') }] },
    ])
    await producer.send([])
    await producer.send([{ topic: first, records: [] }])
    await producer.close()
    assert.deepEqual(values(await readAll(client, first)), ['1'])
    assert.deepEqual(values(await readAll(client, second)), ['2'])
  },
]

const places: Behaviour = [
  'a send says where its records went, outside and inside a transaction',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 3 })
    const records = [2, 0, 2].map(partition => ({ key: 'k', value: Buffer.from('v'), partition }))
    const producer = await client.producer()
    const fenced = await client.transactionalProducer(`${topic}-id`)
    const transaction = await fenced.begin()
    for (const on of [producer, transaction]) {
      assert.deepEqual(
        [...(await on.send([{ topic, records }]))].sort((a, b) => a.partition - b.partition),
        [
          { topic, partition: 0, records: 1 },
          { topic, partition: 2, records: 2 },
        ],
      )
    }
    assert.deepEqual(await producer.send([]), [])
    await transaction.commit()
    await Promise.all([producer.close(), fenced.close()])
  },
]

const emptyTopic: Behaviour = [
  'an empty topic has offsets, no committed positions and nothing to read; a missing one is null',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 2 })
    assert.equal(await client.partitions(topic), 2)
    assert.equal(await client.partitions(`${topic}-missing`), null)
    const none = { begin: 0, end: 0 }
    assert.deepEqual(await client.offsets(topic), [none, none])
    assert.deepEqual(await client.offsetsAt(topic, 0), [0, 0])
    assert.deepEqual(await client.committed(`${topic}-group`, topic), [null, null])
    assert.deepEqual(await readAll(client, topic, 1), [])
    await rejectsWith('TW_TOPIC_MISSING', client.offsets(`${topic}-missing`))
  },
]

const refusals: Behaviour = [
  'a record that no broker takes is TW_RECORD_TOO_LARGE, an unknown topic TW_TOPIC_MISSING, and nothing is appended',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const producer = await client.producer({ retryForMs: 3_000 })
    await rejectsWith(
      'TW_RECORD_TOO_LARGE',
      producer.send([{ topic, records: [{ key: 'a', value: Buffer.alloc(3 << 20) }] }]),
    )
    const records = [{ key: 'a', value: Buffer.from('lost') }]
    await rejectsWith('TW_TOPIC_MISSING', producer.send([{ topic: `${topic}-missing`, records }]))
    assert.deepEqual(await client.offsets(topic), [{ begin: 0, end: 0 }])
    await producer.send([{ topic, records: [{ key: 'a', value: Buffer.from('fine') }] }])
    await producer.close()
    assert.deepEqual(values(await readAll(client, topic)), ['fine'])
  },
]

const readRange: Behaviour = [
  'a read gives exactly the offsets from `from` up to before `to`, by default all that is there at the call',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const all = Array.from({ length: 10 }, (_, i) => `v${i}`)
    await append(client, topic, ...all.slice(0, 5))
    await append(client, topic, ...all.slice(5))
    assert.deepEqual(values(await readAll(client, topic, 0, { from: 3, to: 7 })), all.slice(3, 7))
    assert.deepEqual(values(await readAll(client, topic, 0, { from: 8 })), all.slice(8))
    assert.deepEqual(values(await readAll(client, topic, 0, { to: 1 })), all.slice(0, 1))
    assert.deepEqual(await readAll(client, topic, 0, { from: 10 }), [])
    assert.deepEqual(await readAll(client, topic, 0, { from: 4, to: 4 }), [])
  },
]

const readAborted: Behaviour = [
  'an aborted read rejects with the reason of the signal instead of ending as if complete',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    await append(client, topic, 'a')
    const reason = new Error('enough')
    await assert.rejects(readAll(client, topic, 0, { signal: AbortSignal.abort(reason) }), reason)
    // Offset 5 does not exist yet, so this read waits until it is aborted.
    const controller = new AbortController()
    const waiting = readAll(client, topic, 0, { to: 5, signal: controller.signal })
    setTimeout(() => controller.abort(reason), 30)
    await assert.rejects(waiting, reason)
  },
]

const readWaits: Behaviour = [
  'a read up to an offset that does not exist yet goes on as records arrive',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    await append(client, topic, 'a')
    const reading = readAll(client, topic, 0, { to: 3 })
    await append(other, topic, 'b')
    await append(other, topic, 'c', 'd')
    assert.deepEqual(values(await reading), ['a', 'b', 'c'])
  },
]

const byTime: Behaviour = [
  'offsetsAt names the first record at or after a time, and the end where there is none',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 2 })
    for (const text of ['a', 'b', 'c']) {
      await append(client, topic, text)
      await sleep(5)
    }
    const records = await readAll(client, topic)
    const times = records.map(record => record.timestamp)
    assert.deepEqual(await client.offsetsAt(topic, 0), [0, 0])
    assert.deepEqual(await client.offsetsAt(topic, times[1]!), [1, 0])
    assert.deepEqual(await client.offsetsAt(topic, times[1]! + 1), [2, 0])
    assert.deepEqual(await client.offsetsAt(topic, times[2]! + 60_000), [3, 0])
  },
]

const retention: Behaviour = [
  'after retention the log begins later, and reading before that is TW_OFFSET_OUT_OF_RANGE',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    await append(client, topic, 'a', 'b', 'c', 'd')
    await cluster.deleteRecordsBefore(topic, 0, 2)
    assert.deepEqual(await client.offsets(topic), [{ begin: 2, end: 4 }])
    assert.deepEqual(values(await readAll(client, topic)), ['c', 'd'])
    await rejectsWith('TW_OFFSET_OUT_OF_RANGE', readAll(client, topic, 0, { from: 1 }))
  },
]

export const recordBehaviours: readonly Behaviour[] = [
  produceAndConsume,
  explicitPartition,
  roundTrip,
  severalTopics,
  places,
  emptyTopic,
  refusals,
  readRange,
  readAborted,
  readWaits,
  byTime,
  retention,
]
