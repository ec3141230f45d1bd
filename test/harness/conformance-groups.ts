// Conformance of the LogClient port: consumer groups, positions, rebalances and the faults of handlers.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { TrailwardenError } from '../../src/errors.ts'
import { append, eventually, listen, rejectsWith, values } from './conformance-cluster.ts'
import type { Behaviour } from './log-conformance.ts'

const restart: Behaviour = [
  'a group goes on at its committed position after a restart',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const group = `${topic}-group`
    await append(client, topic, 'a', 'b', 'c')
    const first = await listen(client, { group, topic })
    await eventually('three records', () => first.received.length === 3)
    await eventually('commit', async () => (await other.committed(group, topic))[0] === 3)
    await first.consumer.stop()
    await append(client, topic, 'd')
    const second = await listen(other, { group, topic })
    await eventually('the fourth record', () => second.received.length > 0)
    assert.deepEqual(values(second.received), ['d'])
    await second.consumer.stop()
  },
]

const pausedUntilResume: Behaviour = [
  'nothing is delivered before resume, or after pause; resume starts at any offset, also an earlier one',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    await append(client, topic, 'a', 'b', 'c', 'd')
    const member = await listen(client, { group: `${topic}-group`, topic, at: null })
    await sleep(cluster.settleMs)
    assert.deepEqual(values(member.received), [])
    member.consumer.resume(0, 2)
    await eventually('from 2', () => member.received.length === 2)
    assert.deepEqual(values(member.received), ['c', 'd'])
    member.consumer.pause(0)
    await append(client, topic, 'e')
    await sleep(cluster.settleMs)
    assert.equal(member.received.length, 2)
    member.consumer.resume(0, 1)
    await eventually('from 1', () => member.received.length === 6)
    assert.deepEqual(values(member.received.slice(2)), ['b', 'c', 'd', 'e'])
    await member.consumer.stop()
  },
]

const latest: Behaviour = [
  'without a committed position a group starts where `from` says',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    await append(client, topic, 'old')
    const member = await listen(client, { group: `${topic}-late`, topic, from: 'latest' })
    // On Kafka the end is looked up after the resume: give it time before the next append.
    await sleep(cluster.settleMs)
    await append(client, topic, 'new')
    await eventually('a record', () => member.received.length > 0)
    assert.deepEqual(values(member.received), ['new'])
    await member.consumer.stop()
    const early = await listen(client, { group: `${topic}-early`, topic })
    await eventually('both records', () => early.received.length === 2)
    assert.deepEqual(values(early.received), ['old', 'new'])
    await early.consumer.stop()
  },
]

const unresolved: Behaviour = [
  'a batch that was not resolved comes again, from the position that was reached',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    await append(client, topic, 'a', 'b', 'c')
    const firsts: string[] = []
    const member = await listen(client, {
      group: `${topic}-group`,
      topic,
      handle: async (batch, control) => {
        firsts.push(...values(batch.records.slice(0, 1)))
        if (firsts.length === 2) control.resolve(1)
        if (firsts.length > 2) control.resolve(batch.nextOffset)
      },
    })
    await eventually('the last record after the third call', () => {
      return firsts.length > 2 && values(member.received).at(-1) === 'c'
    })
    assert.deepEqual(firsts.slice(0, 3), ['a', 'a', 'b'])
    assert.deepEqual(await client.committed(`${topic}-group`, topic), [null])
    await member.consumer.stop()
  },
]

const takeOver: Behaviour = [
  'two members share the partitions, and the one that stays takes over from the one that leaves',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 4 })
    const group = `${topic}-group`
    const send = async (round: number): Promise<void> => {
      const producer = await client.producer()
      const records = [0, 1, 2, 3].map(partition => ({
        key: 'k',
        value: Buffer.from(`${partition}-${round}`),
        partition,
      }))
      await producer.send([{ topic, records }])
      await producer.close()
    }
    const first = await listen(client, { group, topic })
    await eventually('all partitions', () => first.generations.at(-1)?.length === 4)
    await send(0)
    await eventually('the first round', () => first.received.length === 4)
    const second = await listen(other, { group, topic })
    await eventually(
      'half each',
      () => first.generations.at(-1)?.length === 2 && second.generations.at(-1)?.length === 2,
    )
    const shared = [...first.generations.at(-1)!, ...second.generations.at(-1)!]
    assert.deepEqual(
      shared.sort((a, b) => a - b),
      [0, 1, 2, 3],
    )
    await send(1)
    await eventually('the second round', () => first.received.length + second.received.length === 8)
    assert.deepEqual(
      new Set(second.received.map(record => record.partition)),
      new Set(second.generations.at(-1)),
      'each member gets its own partitions',
    )
    await second.consumer.stop()
    await eventually('all partitions again', () => first.generations.at(-1)?.length === 4)
    await send(2)
    await eventually('the third round', () => first.received.length + second.received.length === 12)
    assert.equal(new Set([...first.received, ...second.received].map(r => String(r.value))).size, 12, 'each one once')
    await first.consumer.stop()
  },
]

const staleControl: Behaviour = [
  'after a rebalance the control of an older batch is not current, and its commit is TW_REBALANCED',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 2 })
    const group = `${topic}-group`
    await append(client, topic, 'a')
    const first = await listen(client, { group, topic })
    await eventually('a record', () => first.received.length === 1 && first.control() !== undefined)
    const control = first.control()!
    assert.equal(control.current(), true)
    await control.heartbeat()
    const second = await listen(other, { group, topic, at: null })
    await eventually('the next generation', () => first.generations.at(-1)?.length === 1)
    assert.equal(control.current(), false)
    await rejectsWith('TW_REBALANCED', control.commit(0))
    assert.deepEqual(await other.committed(group, topic), [1, null])
    await second.consumer.stop()
    await first.consumer.stop()
  },
]

const stopWaits: Behaviour = [
  'stop waits for the running handler, whose commit still counts',
  async ({ cluster, client, other }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    const group = `${topic}-group`
    await append(client, topic, 'a')
    const order: string[] = []
    const gate = Promise.withResolvers<void>()
    const member = await listen(client, {
      group,
      topic,
      handle: async (batch, control) => {
        order.push('begin')
        await gate.promise
        assert.equal(control.current(), true)
        await control.commit(batch.nextOffset)
        control.resolve(batch.nextOffset)
        order.push('end')
      },
    })
    await eventually('the handler', () => order.length === 1)
    const stopped = member.consumer.stop().then(() => order.push('stopped'))
    await sleep(30)
    gate.resolve()
    await stopped
    assert.deepEqual(order, ['begin', 'end', 'stopped'])
    assert.deepEqual(member.crashes, [])
    assert.deepEqual(await other.committed(group, topic), [1])
  },
]

const crash: Behaviour = [
  'a handler that throws is reported once, and nothing more is delivered',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    await append(client, topic, 'a')
    const fault = new Error('defect')
    const member = await listen(client, {
      group: `${topic}-group`,
      topic,
      handle: () => Promise.reject(fault),
    })
    await eventually('crashed', () => member.crashes.length > 0)
    await append(client, topic, 'b')
    await sleep(cluster.settleMs)
    assert.deepEqual(values(member.received), ['a'])
    assert.equal(member.crashes.length, 1)
    assert.equal(member.crashes[0]?.cause, fault)
    await member.consumer.stop()
  },
]

const overtaken: Behaviour = [
  'a position that retention has overtaken crashes with TW_OFFSET_OUT_OF_RANGE, or goes on with what is left',
  async ({ cluster, client }) => {
    const topic = await cluster.createTopic({ partitions: 1 })
    await append(client, topic, 'a', 'b', 'c')
    await cluster.deleteRecordsBefore(topic, 0, 2)
    const strict = await listen(client, { group: `${topic}-strict`, topic, at: 0 })
    await eventually('crashed', () => strict.crashes.length > 0)
    const [error] = strict.crashes
    assert.ok(error instanceof TrailwardenError)
    assert.equal(error.code, 'TW_OFFSET_OUT_OF_RANGE')
    assert.deepEqual(strict.received, [])
    await strict.consumer.stop()
    const lenient = await listen(client, { group: `${topic}-lenient`, topic, at: 0, outOfRange: 'earliest' })
    await eventually('what is left', () => lenient.received.length > 0)
    assert.deepEqual(values(lenient.received), ['c'])
    assert.deepEqual(lenient.crashes, [])
    await lenient.consumer.stop()
  },
]

export const groupBehaviours: readonly Behaviour[] = [
  restart,
  pausedUntilResume,
  latest,
  unresolved,
  takeOver,
  staleControl,
  stopWaits,
  crash,
  overtaken,
]
