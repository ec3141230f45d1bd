// A group member between the coordinator and its handlers: zombies, late news, pauses, ghosts, fairness.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { append, eventually, listen, rejectsWith, values } from '../../harness/conformance-cluster.ts'
import { barrier, group, newLog, topic } from '../../harness/in-process-log.ts'

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

test('an expired member with nothing to read joins again with its next heartbeat, and not before', async () => {
  const log = newLog()
  const process = log.client()
  const member = await listen(process, { group, topic })
  process.heartbeat()
  await log.idle()
  assert.equal(member.generations.length, 1, 'who is a member stays one')
  process.expireSessions()
  await log.idle()
  assert.equal(member.generations.length, 1)
  process.heartbeat()
  await log.idle()
  assert.deepEqual(member.generations, [[0], [0]])
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

test('a handler that never gets on does not keep timers from firing', { timeout: 5_000 }, async () => {
  const log = newLog()
  await append(log, topic, 'a')
  const member = await listen(log, { group, topic, handle: async () => undefined })
  await sleep(10)
  assert.ok(member.received.length > 1)
  await member.consumer.stop()
})

test('stop during the join leaves no ghost in the group', async () => {
  const join = barrier('consumer.join:request')
  const log = newLog()
  const ghost = log.client(join.gate).consumer({ group, topic })
  const handlers = { assigned: () => undefined, batch: async () => undefined, crashed: () => undefined }
  const started = ghost.start(handlers)
  await ghost.stop()
  join.open()
  await started
  const member = await listen(log, { group, topic })
  assert.deepEqual(member.generations, [[0]])
  await rejectsWith('TW_INTERNAL', ghost.start(handlers))
})

test('a generation that is over before the member heard of it is never announced', async () => {
  const rebalance = barrier('consumer.rebalance')
  const log = newLog({}, 4)
  const slow = listen(log.client(rebalance.gate), { group, topic })
  const others = [await listen(log, { group, topic }), await listen(log, { group, topic })]
  await eventually('three generations', () => rebalance.waiting() === 3)
  rebalance.open()
  assert.equal((await slow).generations.length, 1)
  const owned = [await slow, ...others].map(member => member.generations.at(-1) ?? [])
  assert.deepEqual(
    owned.flat().sort((a, b) => a - b),
    [0, 1, 2, 3],
  )
})

test('what was fetched before a pause is not delivered after it', async () => {
  const fetching = barrier('consumer.fetch')
  const log = newLog({ gate: fetching.gate })
  await append(log, topic, 'a')
  const member = await listen(log, { group, topic })
  await eventually('the fetch', () => fetching.waiting() === 1)
  member.consumer.pause(0)
  fetching.open()
  await sleep(5)
  assert.deepEqual(member.received, [])
  member.consumer.resume(0, null)
  await log.idle()
  assert.deepEqual(values(member.received), ['a'])
})

test('a handler from before the last resume does not move the position', async () => {
  const log = newLog()
  await append(log, topic, 'a', 'b')
  let calls = 0
  const member = await listen(log, {
    group,
    topic,
    at: null,
    handle: async (batch, control) => {
      calls += 1
      if (calls === 1) member.consumer.resume(0, 1)
      control.resolve(batch.nextOffset)
    },
  })
  member.consumer.resume(0, 0)
  await log.idle()
  assert.deepEqual(values(member.received), ['a', 'b', 'b'])
})
