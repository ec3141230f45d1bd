// A partition that stands still with something to read ends the loop; silence, markers and a cluster that is away do not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { twError } from '../../../src/errors.ts'
import type { LogClient } from '../../../src/log/log-client.ts'
import type { Clock } from '../../../src/pipeline/clock.ts'
import { startDetector } from '../../../src/pipeline/detector.ts'
import { minute } from '../../harness/detection.ts'
import {
  clientWith,
  detectorOptions,
  SimulatedCluster,
  SimulatedRegistry,
  topics,
} from '../../harness/simulator-cluster.ts'
import { eventSchemaId, simulatedInput } from '../../harness/simulator-input.ts'
import { Random } from '../../harness/simulator.ts'
import { rejectsWith } from '../../harness/conformance-cluster.ts'

const world = { partitions: 1, engine: {}, expireEvery: 1000 }
const batching = { maxBatchRecords: 100, batchMaxRecords: 100, batchMaxMs: 1000 }

/** A clock that is moved by hand: who sleeps is woken by `pass`. */
class HandClock implements Clock {
  #now = 0
  #waits: { due: number; wake: () => void }[] = []

  readonly now = (): number => this.#now
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise(resolve => {
      this.#waits.push({ due: this.#now + ms, wake: resolve })
      signal?.addEventListener('abort', () => resolve())
    })

  async pass(ms: number): Promise<void> {
    for (const end = this.#now + ms; this.#now < end;) {
      this.#now += 1000
      const due = this.#waits.filter(wait => wait.due <= this.#now)
      this.#waits = this.#waits.filter(wait => wait.due > this.#now)
      for (const { wake } of due) wake()
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

/** A client whose consumer joins and is assigned, and never delivers anything. */
function deaf(log: LogClient): LogClient {
  return clientWith(log, {
    consumer(options) {
      const consumer = log.consumer(options)
      return {
        start: handlers => consumer.start(handlers),
        resume: () => undefined,
        pause: partition => consumer.pause(partition),
        stop: () => consumer.stop(),
      }
    },
  })
}

async function detectorOn(change: (log: LogClient) => LogClient, input: number) {
  const cluster = new SimulatedCluster(world, 100)
  await cluster.append(simulatedInput(new Random(5), input, false))
  const clock = new HandClock()
  const registry = new SimulatedRegistry()
  const loop = await startDetector(detectorOptions(change(cluster.log.client()), registry, clock, world, batching))
  let end = 'running'
  loop.done.then(
    () => (end = 'stopped'),
    () => (end = 'failed'),
  )
  return { cluster, clock, registry, loop, end: () => end }
}

test('a consumer that delivers nothing although there are records ends the loop', async () => {
  const { clock, loop, end } = await detectorOn(deaf, 10)
  await clock.pass(4 * minute)
  assert.equal(end(), 'running')
  await clock.pass(3 * minute)
  await rejectsWith('TW_CONSUMER_CRASHED', loop.done)
  await loop.stop()
})

test('a partition with nothing to read may be silent for ever', async () => {
  const { clock, loop, end } = await detectorOn(log => log, 10)
  await clock.pass(60 * minute)
  assert.equal(end(), 'running')
  await loop.stop()
})

test('aborted records behind the last one are nothing to read, although they are lag', async () => {
  const { cluster, clock, loop, end } = await detectorOn(log => log, 10)
  const aborted = { key: 'k', value: Buffer.from('aborted'), timestamp: 0, aborted: true } as const
  await cluster.append(Array.from({ length: 5 }, () => aborted))
  await clock.pass(30 * minute)
  assert.equal(end(), 'running')
  await loop.stop()
})

test('waiting for the registry is no stall, however long; the work goes on after it', async () => {
  const { cluster, clock, registry, loop, end } = await detectorOn(log => log, 0)
  registry.away = true
  await cluster.append(simulatedInput(new Random(5), 10, false))
  await clock.pass(30 * minute)
  assert.equal(end(), 'running')
  assert.ok((await cluster.remaining()) > 0)
  registry.away = false
  await clock.pass(minute)
  assert.equal(await cluster.remaining(), 0)
  await loop.stop()
})

test('a cluster that cannot be looked at gives no verdict', async () => {
  const away = (log: LogClient): LogClient =>
    clientWith(deaf(log), {
      read(topic, partition, options) {
        if (topic === topics.events) throw twError('TW_BROKER_UNAVAILABLE', 'The cluster is away.')
        return log.read(topic, partition, options)
      },
    })
  const { clock, loop, end } = await detectorOn(away, 10)
  await clock.pass(30 * minute)
  assert.equal(end(), 'running')
  await loop.stop()
})

test('what is done does not wait for the schema of the record behind it', async () => {
  const { cluster, clock, registry, loop } = await detectorOn(log => log, 10)
  await clock.pass(minute)
  const before = (await cluster.log.committed('detect', topics.events))[0] ?? 0
  registry.away = true
  const known = simulatedInput(new Random(6), 40, false).find(({ value }) => value?.readUInt32BE(1) === eventSchemaId)
  assert.ok(known?.value)
  const stray = Buffer.from(known.value)
  stray.writeUInt32BE(eventSchemaId + 100, 1)
  await cluster.append([known, known, { ...known, value: stray }])
  await clock.pass(minute)
  assert.equal((await cluster.log.committed('detect', topics.events))[0], before + 2)
  assert.equal(await cluster.remaining(), 1)
  registry.away = false
  await clock.pass(minute)
  assert.equal(await cluster.remaining(), 0)
  await loop.stop()
})
