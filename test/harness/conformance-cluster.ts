// What the conformance suite of the LogClient port needs besides a client, and the small steps its behaviours share.
// Waiting is by polling with a limit, never by a fixed sleep: the same test runs in microseconds in process and on Kafka.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { TrailwardenError } from '../../src/errors.ts'
import type { ErrorCode } from '../../src/errors.ts'
import type {
  BatchControl,
  ConsumerOptions,
  GroupConsumer,
  LogClient,
  LogRecord,
  OutRecord,
  ReadOptions,
  RecordBatch,
} from '../../src/log/log-client.ts'

/** A cluster under test. Clients are independent of each other, as if each belonged to its own process. */
export interface ConformanceCluster {
  /** Milliseconds in which the cluster delivers what it would wrongly deliver. */
  readonly settleMs: number
  client(): Promise<LogClient>
  /** Creates a topic of a new name and returns the name. */
  createTopic(options: { readonly partitions: number }): Promise<string>
  deleteRecordsBefore(topic: string, partition: number, offset: number): Promise<void>
}

/** Milliseconds after which a condition that should come true counts as failed: a rebalance on Kafka takes seconds. */
const patienceMs = 20_000
const pollMs = 10

/** Resolves once the condition holds; fails with `what` when it does not come true in time. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within ${patienceMs} ms: ${what}`)
    await sleep(pollMs)
  }
}

/** Asserts that the promise rejects with this code of the error table. */
export async function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, error => {
    assert.ok(error instanceof TrailwardenError, `not an error of the table: ${String(error)}`)
    assert.equal(error.code, code)
    return true
  })
}

export const values = (records: readonly LogRecord[]): string[] => records.map(record => String(record.value))

/** Records that go to partition 0 in this order. */
export const texts = (...all: string[]): OutRecord[] =>
  all.map(text => ({ key: 'k', value: Buffer.from(text), partition: 0 }))

/** Appends values to partition 0 without a transaction. */
export async function append(client: LogClient, topic: string, ...all: string[]): Promise<void> {
  const producer = await client.producer()
  await producer.send([{ topic, records: texts(...all) }])
  await producer.close()
}

/** Every batch of a read; checks what holds for all: batches have records, in order, inside the range. */
export async function readAll(
  client: LogClient,
  topic: string,
  partition = 0,
  options: ReadOptions = {},
): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const batch of client.read(topic, partition, options)) {
    assert.ok(batch.records.length > 0, 'a batch without records')
    records.push(...batch.records)
    assert.ok(batch.nextOffset > (records.at(-1)?.offset ?? Infinity), 'nextOffset is behind the last record')
    if (options.to !== undefined) assert.ok(batch.nextOffset <= options.to, 'nextOffset is beyond the range')
  }
  const offsets = records.map(record => record.offset)
  assert.deepEqual(
    offsets,
    [...new Set(offsets)].sort((a, b) => a - b),
  )
  return records
}

/** A group member that records what happens to it. */
export interface Listener {
  readonly consumer: GroupConsumer
  readonly received: (LogRecord & { readonly partition: number })[]
  readonly generations: (readonly number[])[]
  readonly crashes: Error[]
  /** The control object of the newest batch. */
  control(): BatchControl | undefined
  lastNextOffset(): number | undefined
}

interface ListenOptions extends ConsumerOptions {
  /** Default: every assigned partition goes on at its committed position. `null` leaves it paused. */
  readonly at?: number | null
  /** Default: take all records, resolve and commit. */
  readonly handle?: (batch: RecordBatch, control: BatchControl) => Promise<void>
}

/** Starts a member and returns it once it has its first assignment. */
export async function listen(client: LogClient, options: ListenOptions): Promise<Listener> {
  const { at, handle, ...consumerOptions } = options
  // The shortest session Kafka allows: what is tested here never runs into it, what fails is over sooner.
  const consumer = client.consumer({ sessionTimeoutMs: 6_000, ...consumerOptions })
  const received: Listener['received'] = []
  const generations: Listener['generations'] = []
  const crashes: Error[] = []
  let control: BatchControl | undefined
  let nextOffset: number | undefined
  await consumer.start({
    assigned(partitions) {
      generations.push([...partitions])
      if (at === null) return
      for (const partition of partitions) consumer.resume(partition, at ?? null)
    },
    async batch(batch, batchControl) {
      control = batchControl
      nextOffset = batch.nextOffset
      assert.ok(batch.records.length > 0, 'a batch without records')
      received.push(
        ...batch.records.map(({ offset, timestamp, key, value, headers }) => ({
          offset,
          timestamp,
          key,
          value,
          headers,
          partition: batch.partition,
        })),
      )
      if (handle) return handle(batch, batchControl)
      await batchControl.commit(batch.nextOffset)
      batchControl.resolve(batch.nextOffset)
    },
    crashed: error => void crashes.push(error),
  })
  await eventually('first assignment', () => generations.length > 0)
  return {
    consumer,
    received,
    generations,
    crashes,
    control: () => control,
    lastNextOffset: () => nextOffset,
  }
}
