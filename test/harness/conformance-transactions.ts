// Conformance of the LogClient port: transactions as every reader sees them, and the fencing of zombies.
import assert from 'node:assert/strict'
import { append, eventually, listen, readAll, rejectsWith, texts, values } from './conformance-cluster.ts'
import type { Behaviour } from './log-conformance.ts'

const visibility: Behaviour = [
  'records and offsets of a transaction are invisible while it is open, all there once it is committed',
  async ({ cluster, client, other }) => {
    const input = await cluster.createTopic({ partitions: 2 })
    const first = await cluster.createTopic({ partitions: 1 })
    const second = await cluster.createTopic({ partitions: 1 })
    const group = `${input}-group`
    const producer = await client.transactionalProducer(`${input}-id`)
    const transaction = await producer.begin()
    await transaction.sendOffsets(group, input, new Map([[1, 7]]))
    await transaction.send([
      { topic: first, records: texts('a', 'b') },
      { topic: second, records: texts('c') },
    ])
    // A plain append behind it waits for it: the last stable offset stands at the open transaction.
    await append(client, first, 'behind')
    assert.deepEqual(await other.offsets(first), [{ begin: 0, end: 0 }])
    await eventually('the high watermark', async () => (await other.highWatermarks(first))[0] === 3)
    assert.deepEqual(await readAll(other, first), [])
    await transaction.commit()
    await eventually('visible', async () => (await readAll(other, first)).length === 3)
    assert.deepEqual(values(await readAll(other, first)), ['a', 'b', 'behind'])
    await eventually('visible', async () => (await readAll(other, second)).length === 1)
    // Three records and the marker, nothing open: both ends are the same.
    assert.deepEqual(await other.highWatermarks(first), [4])
    assert.deepEqual(await other.offsets(first), [{ begin: 0, end: 4 }])
    await eventually('committed', async () => (await other.committed(group, input))[1] === 7)
    assert.deepEqual(await other.committed(group, input), [null, 7])
    await producer.close()
  },
]

const aborted: Behaviour = [
  'aborted records are never seen, neither by reads nor by groups, and their offsets are not committed',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const group = `${topic}-group`
    const producer = await client.transactionalProducer(`${topic}-id`)
    for (const [text, commits] of [
      ['a', true],
      ['b', false],
      ['c', false],
      ['d', true],
      ['e', false],
    ] as const) {
      const transaction = await producer.begin()
      await transaction.sendOffsets(`${topic}-riding`, topic, new Map([[0, text.charCodeAt(0)]]))
      await transaction.send([{ topic, records: texts(text) }])
      await (commits ? transaction.commit() : transaction.abort())
    }
    await producer.close()
    // Every transaction ends with a control record: five records, five markers.
    await eventually('the last marker', async () => (await other.offsets(topic))[0]?.end === 10)
    assert.deepEqual(values(await readAll(other, topic)), ['a', 'd'])
    assert.deepEqual(await other.committed(`${topic}-riding`, topic), ['d'.charCodeAt(0)])
    const member = await listen(other, { group, topic })
    await eventually('both', () => member.received.length >= 2)
    assert.deepEqual(values(member.received), ['a', 'd'])
    assert.ok(member.lastNextOffset()! >= 7)
    await append(client, topic, 'f')
    await eventually('the next one', () => member.received.length >= 3)
    assert.deepEqual(values(member.received), ['a', 'd', 'f'])
    await member.consumer.stop()
  },
]

const controlAtEnd: Behaviour = [
  'a read reaches its end although the range ends in control records',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const producer = await client.transactionalProducer(`${topic}-id`)
    for (const text of ['a', 'b']) {
      const transaction = await producer.begin()
      await transaction.send([{ topic, records: texts(text) }])
      await transaction.commit()
    }
    await producer.close()
    await eventually('the last marker', async () => (await client.offsets(topic))[0]?.end === 4)
    assert.deepEqual(values(await readAll(client, topic)), ['a', 'b'])
    assert.deepEqual(values(await readAll(client, topic, 0, { to: 4 })), ['a', 'b'])
    assert.deepEqual(values(await readAll(client, topic, 0, { from: 1 })), ['b'])
    assert.deepEqual(await readAll(client, topic, 0, { from: 3 }), [], 'nothing but a control record')
  },
]

const fencing: Behaviour = [
  'a new producer of the same id aborts what the earlier one left open and fences it',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const id = `${topic}-id`
    const group = `${topic}-group`
    const zombie = await client.transactionalProducer(id)
    const open = await zombie.begin()
    await open.sendOffsets(group, topic, new Map([[0, 5]]))
    await open.send([{ topic, records: texts('zombie') }])
    const heir = await other.transactionalProducer(id)
    await eventually('aborted', async () => (await other.offsets(topic))[0]?.end === 2)
    await rejectsWith('TW_FENCED', open.commit())
    await rejectsWith('TW_PRODUCER_DEAD', zombie.begin())
    const transaction = await heir.begin()
    await transaction.send([{ topic, records: texts('heir') }])
    await transaction.commit()
    await eventually('visible', async () => (await readAll(client, topic)).length > 0)
    assert.deepEqual(values(await readAll(client, topic)), ['heir'])
    assert.deepEqual(await other.committed(group, topic), [null])
    await zombie.close()
    await heir.close()
  },
]

const fencedCalls: Behaviour = [
  'send and sendOffsets of a zombie are fenced as well, and have no effect',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const group = `${topic}-group`
    for (const call of ['send', 'sendOffsets'] as const) {
      const id = `${topic}-${call}`
      const zombie = await client.transactionalProducer(id)
      const open = await zombie.begin()
      const heir = await other.transactionalProducer(id)
      const late =
        call === 'send'
          ? open.send([{ topic, records: texts('zombie') }])
          : open.sendOffsets(group, topic, new Map([[0, 5]]))
      await rejectsWith('TW_FENCED', late)
      await rejectsWith('TW_PRODUCER_DEAD', open.commit())
      await zombie.close()
      await heir.close()
    }
    await append(client, topic, 'fine')
    await eventually('visible', async () => (await readAll(client, topic)).length > 0)
    assert.deepEqual(values(await readAll(client, topic)), ['fine'])
    assert.deepEqual(await other.committed(group, topic), [null])
  },
]

const closeReleases: Behaviour = [
  'closing a producer aborts its open transaction, so that readers do not wait for its timeout',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const producer = await client.transactionalProducer(`${topic}-id`)
    const open = await producer.begin()
    await open.send([{ topic, records: texts('a') }])
    await append(client, topic, 'behind')
    assert.deepEqual(await other.offsets(topic), [{ begin: 0, end: 0 }])
    await producer.close()
    await eventually('released', async () => (await other.offsets(topic))[0]?.end === 3)
    assert.deepEqual(values(await readAll(other, topic)), ['behind'])
    await rejectsWith('TW_PRODUCER_DEAD', producer.begin())
  },
]

const exactlyOnceLoop: Behaviour = [
  'consume, transform, produce in transactions: positions of the next member come from the committed offsets',
  async ({ cluster, client, other }) => {
    const input = await cluster.createTopic({ partitions: 1 })
    const output = await cluster.createTopic({ partitions: 1 })
    const group = `${input}-group`
    await append(client, input, 'a', 'b', 'c')
    const producer = await client.transactionalProducer(`${input}-id`)
    const member = await listen(client, {
      group,
      topic: input,
      handle: async (batch, control) => {
        const transaction = await producer.begin()
        await transaction.sendOffsets(group, input, new Map([[batch.partition, batch.nextOffset]]))
        const done = values(batch.records).map(text => text.toUpperCase())
        await transaction.send([{ topic: output, records: texts(...done) }])
        await transaction.commit()
        control.resolve(batch.nextOffset)
      },
    })
    await eventually('the output', async () => (await readAll(other, output)).length === 3)
    await member.consumer.stop()
    await producer.close()
    await append(client, input, 'd')
    const next = await listen(other, { group, topic: input })
    await eventually('the rest', () => next.received.length > 0)
    assert.deepEqual(values(next.received), ['d'])
    assert.deepEqual(values(await readAll(other, output)), ['A', 'B', 'C'])
    await next.consumer.stop()
  },
]

export const transactionBehaviours: readonly Behaviour[] = [
  visibility,
  aborted,
  controlAtEnd,
  fencing,
  fencedCalls,
  closeReleases,
  exactlyOnceLoop,
]
