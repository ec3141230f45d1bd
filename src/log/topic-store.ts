// The topics of the in-process log: creation, choice of partition and the append of whole produce calls.
// A call is checked completely before its first record is appended, so it takes effect as a whole or not at all.
import { twError } from '../errors.ts'
import type { ChangeFeed } from './change-feed.ts'
import type { Appended, OutRecord, TopicRecords } from './log-client.ts'
import { partitionFor } from './murmur2.ts'
import { PartitionLog } from './partition-log.ts'
import type { RecordContent, TransactionFate } from './partition-log.ts'

/** `compact` stands for cleanup.policy=compact: such a topic refuses records without a key, as a broker does. */
export interface TopicOptions {
  readonly partitions: number
  readonly compact?: boolean
}

interface Topic {
  readonly partitions: readonly PartitionLog[]
  readonly compact: boolean
  /** Where the next record without a key goes. Per topic, not per producer, so that a run is the same every time. */
  roundRobin: number
}

interface Append {
  readonly topic: string
  readonly partition: number
  readonly log: PartitionLog
  readonly content: RecordContent
}

export class TopicStore {
  readonly #topics = new Map<string, Topic>()
  readonly #now: () => number
  readonly #changes: ChangeFeed
  readonly #maxRecordBytes: number

  constructor(now: () => number, changes: ChangeFeed, maxRecordBytes: number) {
    this.#now = now
    this.#changes = changes
    this.#maxRecordBytes = maxRecordBytes
  }

  /** Creates a topic. A name that is taken or a count below 1 is a defect of the caller: TW_INTERNAL. */
  create(name: string, options: TopicOptions): void {
    if (this.#topics.has(name)) throw twError('TW_INTERNAL', `Topic ${name} exists already.`)
    if (!Number.isInteger(options.partitions) || options.partitions < 1)
      throw twError('TW_INTERNAL', `Topic ${name} cannot have ${options.partitions} partitions.`)
    const partitions = Array.from({ length: options.partitions }, () => new PartitionLog())
    this.#topics.set(name, { partitions, compact: options.compact ?? false, roundRobin: 0 })
  }

  has(name: string): boolean {
    return this.#topics.has(name)
  }

  /** All partitions in order. TW_TOPIC_MISSING where there is no such topic. */
  partitions(name: string): readonly PartitionLog[] {
    return this.#topic(name).partitions
  }

  /** One partition. TW_TOPIC_MISSING where the topic or the partition does not exist. */
  partition(name: string, partition: number): PartitionLog {
    const log = this.#topic(name).partitions[partition]
    if (log === undefined) throw twError('TW_TOPIC_MISSING', `Topic ${name} has no partition ${partition}.`)
    return log
  }

  /**
   * Appends all records, or none and throws TW_TOPIC_MISSING, TW_RECORD_TOO_LARGE or TW_PRODUCE_FAILED.
   * Returns the partitions it wrote to, each with the number of its records.
   */
  append(batch: readonly TopicRecords[], fate: TransactionFate | null): Map<PartitionLog, Appended> {
    const appends = batch.flatMap(({ topic, records }) => {
      const target = this.#topic(topic)
      return records.map(record => this.#prepare(topic, target, record))
    })
    const timestamp = this.#now()
    const touched = new Map<PartitionLog, Appended>()
    for (const { topic, partition, log, content } of appends) {
      log.append(content, timestamp, fate)
      touched.set(log, { topic, partition, records: (touched.get(log)?.records ?? 0) + 1 })
    }
    if (appends.length > 0) this.#changes.notify()
    return touched
  }

  /** Decides a transaction on every partition it wrote to. Readers see all of it or nothing. */
  endTransaction(fate: TransactionFate, state: 'committed' | 'aborted', touched: Iterable<PartitionLog>): void {
    fate.state = state
    const timestamp = this.#now()
    for (const log of touched) log.endTransaction(fate, timestamp)
    this.#changes.notify()
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw twError('TW_TOPIC_MISSING', `Topic ${name} does not exist.`)
    return topic
  }

  #prepare(name: string, topic: Topic, record: OutRecord): Append {
    const content = contentOf(record)
    if (content.key === null && topic.compact)
      throw twError('TW_PRODUCE_FAILED', `Topic ${name} is compacted and takes no record without a key.`)
    const bytes = sizeOf(content)
    if (bytes > this.#maxRecordBytes)
      throw twError('TW_RECORD_TOO_LARGE', `A record of ${bytes} bytes is too large for topic ${name}.`)
    const count = topic.partitions.length
    const partition = record.partition ?? partitionFor(content.key, count) ?? topic.roundRobin++ % count
    const log = topic.partitions[partition]
    if (log === undefined) throw twError('TW_PRODUCE_FAILED', `Topic ${name} has no partition ${partition}.`)
    return { topic: name, partition, log, content }
  }
}

/** Bytes are copied: a caller may reuse its buffers once a send has resolved, as with a client that writes to a socket. */
function contentOf(record: OutRecord): RecordContent {
  const headers = Object.fromEntries(
    Object.entries(record.headers ?? {}).map(([name, value]) => [name, bytesOf(value)]),
  )
  return { key: bytesOf(record.key), value: bytesOf(record.value), headers }
}

function bytesOf(data: Buffer | string): Buffer
function bytesOf(data: Buffer | string | null): Buffer | null
function bytesOf(data: Buffer | string | null): Buffer | null {
  if (data === null) return null
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : Buffer.from(data)
}

function sizeOf({ key, value, headers }: RecordContent): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, header] of Object.entries(headers)) bytes += Buffer.byteLength(name) + (header?.length ?? 0)
  return bytes
}
