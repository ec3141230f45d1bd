// LogClient: what the pipeline needs from a partitioned, transactional log, and nothing more.
// Two implementations keep the same contract: log/in-process.ts (no broker, deterministic) and kafka/ (kafkajs).
// The detector loop is written against this port only, so it runs in process, under a fault simulator and on Kafka unchanged.

/** Header values are bytes or text; a repeated key is not supported on our topics. */
export type Headers = Readonly<Record<string, Buffer | string>>

/** A record to append. `partition` wins over `key`; without it the Java-compatible murmur2 of the key decides. */
export interface OutRecord {
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers?: Headers
  readonly partition?: number
}

/** Records for one topic; one call appends to several topics. */
export interface TopicRecords {
  readonly topic: string
  readonly records: readonly OutRecord[]
}

/** Where records of one call went, for the counts of the caller. */
export interface Appended {
  readonly topic: string
  readonly partition: number
  /** At least one. */
  readonly records: number
}

/**
 * A record as read. Offsets are below 2^53, so they are numbers; `timestamp` is epoch milliseconds. Key and value may be
 * getters that cut a view of what was fetched: a copy by spreading does not have them.
 */
export interface LogRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | undefined>>
}

/** A run of records of one partition in offset order. Aborted and control records are already gone. */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly LogRecord[]
  /** Where reading goes on when every record is done: it steps over aborted, control and compacted-away records. */
  readonly nextOffset: number
  /** End of the partition as known with this batch; `highWatermark - nextOffset` is the lag. */
  readonly highWatermark: number
}

/** Appends without a transaction. */
export interface Producer {
  /**
   * Appends all records and resolves when every one is acknowledged by all in-sync replicas. On failure the whole call
   * is redone by the implementation until `retryForMs` is over (duplicates possible, loss not), then it rejects with TW_PRODUCE_FAILED.
   * When it has resolved, the bytes of the records are the caller's again and may be overwritten.
   */
  send(batch: readonly TopicRecords[]): Promise<readonly Appended[]>
  close(): Promise<void>
}

/** One transaction. After any rejected call the whole producer is to be thrown away: no other use is safe. */
export interface Transaction {
  /** Input positions that commit with the transaction. Called before `send` (design: offsets, one send, commit). */
  sendOffsets(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>
  send(batch: readonly TopicRecords[]): Promise<readonly Appended[]>
  commit(): Promise<void>
  abort(): Promise<void>
}

/** A transactional producer that has fenced every earlier holder of its id (InitProducerId) by the time it is handed out. */
export interface TransactionalProducer {
  begin(): Promise<Transaction>
  close(): Promise<void>
}

/** What a batch handler may do besides returning. */
export interface BatchControl {
  /** True as long as the group generation in which the batch was handed out still holds. Check before every commit. */
  current(): boolean
  /** The position of this partition after the work done so far: a redelivery starts there. Not a commit. */
  resolve(nextOffset: number): void
  /** Commits a position for the group outside a transaction. */
  commit(nextOffset: number): Promise<void>
  /** Keeps the membership alive during long work. */
  heartbeat(): Promise<void>
}

export interface ConsumerHandlers {
  /**
   * Called synchronously when a generation begins, before any of its records. All assigned partitions are paused:
   * nothing is delivered until {@link GroupConsumer.resume} is called for each of them.
   */
  assigned(partitions: readonly number[], generation: number): void
  /** Must not throw on data. A thrown error is a fault of the shell: the partition is paused and `crashed` is called. */
  batch(batch: RecordBatch, control: BatchControl): Promise<void>
  /** The consumer cannot go on; the process should exit non-zero and be restarted by its supervisor. */
  crashed(error: Error): void
}

export interface ConsumerOptions {
  readonly group: string
  readonly topic: string
  /** Where to begin without a committed position. Default `earliest`. */
  readonly from?: 'earliest' | 'latest'
  /** A position that retention has overtaken: `crashed` with TW_OFFSET_OUT_OF_RANGE (default), or on with what is left. */
  readonly outOfRange?: 'fail' | 'earliest'
  readonly sessionTimeoutMs?: number
  /** Bytes of one partition that a batch may have, default 1 MiB: what is read at once under load, and held in memory. */
  readonly fetchBytes?: number
  /** Partitions whose batches are handled at the same time. Default 3. */
  readonly concurrency?: number
}

/** A member of a consumer group on one topic. */
export interface GroupConsumer {
  start(handlers: ConsumerHandlers): Promise<void>
  /** Starts (or goes on with) delivery of a partition at an offset; `null` means the committed one, else `from`. */
  resume(partition: number, offset: number | null): void
  pause(partition: number): void
  /** Leaves the group after the running handlers have returned. */
  stop(): Promise<void>
}

export interface ReadOptions {
  /** First offset, default the earliest that is kept. */
  readonly from?: number
  /** Offset to stop before; default the end (last stable offset) at the time of the call. */
  readonly to?: number
  readonly signal?: AbortSignal
}

/** A partitioned log with consumer groups and transactions; reads are read_committed everywhere. */
export interface LogClient {
  producer(options?: { readonly retryForMs?: number }): Promise<Producer>
  transactionalProducer(transactionalId: string): Promise<TransactionalProducer>
  consumer(options: ConsumerOptions): GroupConsumer
  /** Number of partitions, or null where the topic does not exist. */
  partitions(topic: string): Promise<number | null>
  /** Earliest kept offset and last stable end of every partition, by partition number. */
  offsets(topic: string): Promise<readonly { readonly begin: number; readonly end: number }[]>
  /** End of every partition with open transactions counted in: above the `end` of {@link offsets} while one is open. */
  highWatermarks(topic: string): Promise<readonly number[]>
  /** First offset whose record timestamp is at or after `timestampMs`, by partition; the end where there is none. */
  offsetsAt(topic: string, timestampMs: number): Promise<readonly number[]>
  /** Committed position of a group by partition; null where nothing is committed. */
  committed(group: string, topic: string): Promise<readonly (number | null)[]>
  /** Reads a range of one partition outside any group. */
  read(topic: string, partition: number, options?: ReadOptions): AsyncIterable<RecordBatch>
  close(): Promise<void>
}
