// The Batch that kafkajs' consumer hands to eachBatch, over decoded record batches.
// Replaces kafkajs src/consumer/batch.js: the position after a batch comes from the batch headers, so that record
// batches emptied by compaction are stepped over (the original asks for the same offset for ever), and the
// read_committed filter is the corrected one. Offsets are numbers; kafkajs' own arithmetic accepts them.

import type { LogRecord } from '../../log/log-client.ts'
import { committedRecords } from './read-committed.ts'
import type { AbortedTransaction } from './read-committed.ts'
import type { StoredBatch } from './record-batches.ts'

/** What a partition of a decoded Fetch response holds. */
export interface PartitionData {
  readonly partition: number
  readonly highWatermark: string
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly messages: readonly StoredBatch[]
}

/** One fetch of one partition: the visible records and where reading goes on. */
export class Batch {
  readonly topic: string
  readonly partition: number
  readonly highWatermark: string
  readonly fetchedOffset: string
  /** Visible records; the name is kafkajs'. */
  readonly messages: readonly LogRecord[]
  /** First offset that this fetch says nothing about. Equals the fetch position where the fetch brought nothing. */
  readonly nextOffset: number
  readonly #start: number

  constructor(topic: string, fetchedOffset: string | number, data: PartitionData) {
    this.topic = topic
    this.partition = data.partition
    this.highWatermark = data.highWatermark
    this.fetchedOffset = String(fetchedOffset)
    this.#start = Number(fetchedOffset)
    this.messages = committedRecords(data.messages, data.abortedTransactions, this.#start)
    this.nextOffset = Math.max(this.#start, data.messages.at(-1)?.nextOffset ?? 0)
  }

  isEmpty(): boolean {
    return this.messages.length === 0
  }

  /** Nothing at all came, not even a batch header: there is nothing to step over. */
  isEmptyIncludingFiltered(): boolean {
    return this.nextOffset === this.#start
  }

  /** Nothing to see, but the position moves: aborted, control or compacted records only. */
  isEmptyDueToFiltering(): boolean {
    return this.isEmpty() && this.nextOffset > this.#start
  }

  /** The fetch position, not the first record: the consumer tells a stale batch by it. */
  firstOffset(): string | null {
    return this.isEmptyIncludingFiltered() ? null : this.fetchedOffset
  }

  lastOffset(): string {
    return this.isEmptyIncludingFiltered() ? String(Number(this.highWatermark) - 1) : String(this.nextOffset - 1)
  }

  offsetLag(): string {
    return String(Number(this.highWatermark) - 1 - Number(this.lastOffset()))
  }

  offsetLagLow(): string {
    return this.isEmptyIncludingFiltered() ? '0' : String(Number(this.highWatermark) - 1 - this.#start)
  }
}
