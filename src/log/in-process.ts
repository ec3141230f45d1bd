// The log without a broker: topics, groups and transactions with Kafka's semantics in one process, behind the LogClient port.
// For `demo`, `replay`, tests and the fault simulator. Deterministic: no timers, no randomness; the clock is an argument.
// Everything lives in memory and is never evicted, except by deleteRecordsBefore and compact.
import { twError } from '../errors.ts'
import { ChangeFeed } from './change-feed.ts'
import type { Gate } from './gate.ts'
import { gated } from './gate.ts'
import { GroupMember } from './group-member.ts'
import { GroupCoordinator } from './groups.ts'
import type { LogClient, ReadOptions, RecordBatch } from './log-client.ts'
import { inProcessProducer, inProcessTransactionalProducer } from './producers.ts'
import { TopicStore } from './topic-store.ts'
import type { TopicOptions } from './topic-store.ts'
import { TransactionCoordinator } from './transactions.ts'

export interface InProcessOptions {
  /** Epoch milliseconds, the timestamp of every append. */
  readonly now: () => number
  /**
   * Steps of the client that {@link inProcessLog} returns pass here; see gate.ts. Default: they go on at once, so that a
   * backlog is worked off in microtasks alone; a gate that awaits setImmediate at `consumer.fetch` lets other I/O live.
   */
  readonly gate?: Gate
  /** Records per batch of a consumer or reader, default 500. */
  readonly maxBatchRecords?: number
  /** Bytes of key, value and headers that a record may have, default 1,048,588 (Kafka's message.max.bytes). */
  readonly maxRecordBytes?: number
}

/** A client of the in-process log: one process as the log sees it. */
export interface InProcessClient extends LogClient {
  /** As kill -9: its calls never return, its sessions end, its open transactions stay until fenced or expired. */
  kill(): void
  /** Its sessions end although it lives (a stopped or cut-off process): it finds out at its next call. */
  expireSessions(): void
  /** What a client on Kafka does by itself every few seconds: who has lost its session joins again, also with nothing to read. */
  heartbeat(): void
}

/** The cluster, and its first client. */
export interface InProcessLog extends InProcessClient {
  /** Another client of the same cluster, as if from another process. */
  client(gate?: Gate): InProcessClient
  createTopic(name: string, options: TopicOptions): void
  /** Simulates retention: the partition begins at `offset` (at most at its end). */
  deleteRecordsBefore(topic: string, partition: number, offset: number): void
  /** Runs the log cleaner once over every partition of a topic. */
  compact(topic: string): void
  /** Transaction timeout: the coordinator aborts the open transaction of this id and fences its producer. */
  expireTransaction(transactionalId: string): void
  /**
   * As long as it is on, a transaction that ends is over for its coordinator alone and gets no marker on any partition: what
   * Kafka 4.3 does while the last replicas of them are shut down in order. Off at first.
   */
  loseMarkers(losing: boolean): void
  /** How many transactions have ended without their markers so far. */
  lostMarkers(): number
  /**
   * Resolves when every running consumer has handled everything that is committed and no handler is at work. A partition
   * that is assigned but was never resumed counts as work to come, a consumer that crashed does not; an open transaction
   * hides its records, so it is not waited for. Stays pending as long as a handler neither resolves its batch nor fails.
   */
  idle(): Promise<void>
}

interface Cluster {
  readonly store: TopicStore
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly changes: ChangeFeed
  readonly maxBatchRecords: number
}

/** Kafka's default of message.max.bytes. */
const defaultMaxRecordBytes = 1_048_588
const defaultMaxBatchRecords = 500

/** A new, empty cluster. */
export function inProcessLog(options: InProcessOptions): InProcessLog {
  const changes = new ChangeFeed()
  const store = new TopicStore(options.now, changes, options.maxRecordBytes ?? defaultMaxRecordBytes)
  const groups = new GroupCoordinator(topic => store.partitions(topic).length)
  const transactions = new TransactionCoordinator(store, groups)
  const maxBatchRecords = options.maxBatchRecords ?? defaultMaxBatchRecords
  const cluster: Cluster = { store, groups, transactions, changes, maxBatchRecords }
  const clients: Client[] = []
  const connect = (gate: Gate = () => undefined): Client => {
    const client = new Client(cluster, gate)
    clients.push(client)
    return client
  }
  return Object.assign(connect(options.gate), {
    client: connect,
    createTopic: (name: string, topic: TopicOptions) => store.create(name, topic),
    deleteRecordsBefore: (topic: string, partition: number, offset: number) => {
      store.partition(topic, partition).deleteBefore(offset)
      changes.notify()
    },
    compact: (topic: string) => {
      for (const log of store.partitions(topic)) log.compact()
      changes.notify()
    },
    expireTransaction: (id: string) => transactions.expire(id),
    loseMarkers: (losing: boolean) => void (transactions.losesMarkers = losing),
    lostMarkers: () => transactions.lostMarkers,
    idle: () => idle(clients, changes),
  })
}

async function idle(clients: readonly Client[], changes: ChangeFeed): Promise<void> {
  for (;;) {
    while (!clients.every(client => client.isQuiet())) await changes.next()
    // What follows a handler (promises chained to it, a produce outside any handler) runs in microtasks: after a turn of
    // the event loop without any change there is nothing left of it.
    const { version } = changes
    await new Promise(resolve => setImmediate(resolve))
    if (changes.version === version) return
  }
}

class Client implements InProcessClient {
  readonly #cluster: Cluster
  readonly #gate: Gate
  readonly #members: GroupMember[] = []
  #killed = false

  constructor(cluster: Cluster, gate: Gate) {
    this.#cluster = cluster
    this.#gate = async point => {
      await (this.#killed ? never() : gate(point))
      if (this.#killed) await never()
    }
  }

  async producer() {
    return inProcessProducer(this.#cluster.store, this.#gate)
  }

  async transactionalProducer(transactionalId: string) {
    return inProcessTransactionalProducer(this.#cluster.transactions, transactionalId, this.#gate)
  }

  consumer(options: Parameters<LogClient['consumer']>[0]) {
    const member = new GroupMember({ ...this.#cluster, gate: this.#gate }, options)
    this.#members.push(member)
    return member
  }

  async partitions(topic: string) {
    const { store } = this.#cluster
    return this.#call('partitions', () => (store.has(topic) ? store.partitions(topic).length : null))
  }

  async offsets(topic: string) {
    const { store } = this.#cluster
    return this.#call('offsets', () => store.partitions(topic).map(log => ({ begin: log.begin, end: log.stableEnd })))
  }

  async highWatermarks(topic: string) {
    const { store } = this.#cluster
    return this.#call('highWatermarks', () => store.partitions(topic).map(log => log.end))
  }

  async offsetsAt(topic: string, timestampMs: number) {
    const { store } = this.#cluster
    return this.#call('offsetsAt', () => store.partitions(topic).map(log => log.offsetAt(timestampMs)))
  }

  async committed(group: string, topic: string) {
    const { store, groups } = this.#cluster
    return this.#call('committed', () =>
      store.partitions(topic).map((_, partition) => groups.committed(group, topic, partition)),
    )
  }

  /** Waits for records below an explicit `to` that are not there yet. Rejects with the signal's reason, or out of range. */
  async *read(topic: string, partition: number, options: ReadOptions = {}): AsyncGenerator<RecordBatch, void, void> {
    const { store, changes, maxBatchRecords } = this.#cluster
    const { signal } = options
    const log = await this.#call('read.open', () => store.partition(topic, partition))
    const to = options.to ?? log.stableEnd
    let position = options.from ?? log.begin
    for (;;) {
      signal?.throwIfAborted()
      if (position >= to) return
      const from = position
      const { version } = changes
      const { records, nextOffset } = await this.#call('read.fetch', () => {
        if (from < log.begin || from > log.end)
          throw twError(
            'TW_OFFSET_OUT_OF_RANGE',
            `${topic}[${partition}] keeps ${log.begin} to ${log.end}, asked for ${from}.`,
          )
        return log.read(from, to, maxBatchRecords)
      })
      position = nextOffset
      if (records.length > 0) yield { topic, partition, records, nextOffset, highWatermark: log.end }
      else if (position === from && changes.version === version) await changes.next(signal)
    }
  }

  /** Holds nothing of its own: consumers are stopped and producers closed by whoever started them, as on Kafka. */
  async close() {}

  kill() {
    this.#killed = true
    for (const member of this.#members) member.kill()
  }

  expireSessions() {
    for (const member of this.#members) member.expire()
  }

  heartbeat() {
    for (const member of this.#members) member.heartbeat()
  }

  isQuiet(): boolean {
    return this.#members.every(member => member.isQuiet())
  }

  #call<T>(call: string, effect: () => T): Promise<T> {
    return gated(this.#gate, call, effect)
  }
}

/** What a call of a dead process returns. */
function never(): Promise<never> {
  return new Promise(() => undefined)
}
