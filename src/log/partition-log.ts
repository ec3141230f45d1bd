// One partition of the in-process log: offsets, transactions, retention and compaction as Kafka's storage has them.
// Pure data structure: time is an argument. Control markers take an offset; reads are read_committed and see neither
// them, nor aborted records, nor anything at or above the last stable offset.
import type { LogRecord } from './log-client.ts'

/** The fate of a transaction, shared by all its records on all partitions: one assignment decides for all at once. */
export interface TransactionFate {
  state: 'open' | 'committed' | 'aborted'
}

/** What a producer supplies of a record; offset and timestamp come with the append. */
export type RecordContent = Pick<LogRecord, 'key' | 'value' | 'headers'>

/** Visible records of a range, and where reading goes on after them. */
export interface Slice {
  readonly records: LogRecord[]
  readonly nextOffset: number
}

interface Entry {
  readonly record: LogRecord
  fate: TransactionFate | null
  readonly control: boolean
  /** A tombstone or marker that a compaction has kept once: the next one drops it (Kafka's delete horizon). */
  expiring: boolean
}

const marker: RecordContent = { key: null, value: null, headers: {} }

export class PartitionLog {
  #entries: Entry[] = []
  #begin = 0
  #end = 0
  /** First offset of every open transaction here. Insertion order is offset order, so the first one is the lowest. */
  readonly #open = new Map<TransactionFate, number>()

  /** Earliest kept offset (log start offset). Compaction does not move it, retention does. */
  get begin(): number {
    return this.#begin
  }

  /** The offset of the next append (high watermark: there are no replicas to wait for). */
  get end(): number {
    return this.#end
  }

  /** Last stable offset: the first record of the oldest open transaction, else the end. Never goes back. */
  get stableEnd(): number {
    for (const first of this.#open.values()) return Math.max(first, this.#begin)
    return this.#end
  }

  /** Appends a record, as part of a transaction where one is given, and returns its offset. */
  append(content: RecordContent, timestamp: number, fate: TransactionFate | null): number {
    if (fate !== null && !this.#open.has(fate)) this.#open.set(fate, this.#end)
    return this.#push(content, timestamp, fate, false)
  }

  /** Writes the marker of a transaction whose fate is decided. Does nothing where the transaction has no record here. */
  endTransaction(fate: TransactionFate, timestamp: number): void {
    if (this.#open.delete(fate)) this.#push(marker, timestamp, fate, true)
  }

  /** Makes what is open of one transaction part of another, which is open here as well. */
  join(left: TransactionFate, fate: TransactionFate): void {
    this.#open.delete(left)
    for (const entry of this.#entries) if (entry.fate === left) entry.fate = fate
  }

  /** Up to `max` visible records from `from` on, below `to` and the last stable offset. */
  read(from: number, to: number, max: number): Slice {
    const stop = Math.min(to, this.stableEnd)
    const records: LogRecord[] = []
    for (let i = this.#indexOf(from); i < this.#entries.length; i++) {
      const entry = this.#entries[i]
      if (entry === undefined || entry.record.offset >= stop) break
      if (!isVisible(entry)) continue
      if (records.length === max) return { records, nextOffset: entry.record.offset }
      records.push(entry.record)
    }
    return { records, nextOffset: Math.max(from, stop) }
  }

  /** Whether a read from this offset finds a record. */
  hasRecordFrom(offset: number): boolean {
    return this.read(offset, Infinity, 1).records.length > 0
  }

  /** Offset of the first visible record with this timestamp (epoch milliseconds) or a later one, else the stable end. */
  offsetAt(timestamp: number): number {
    const stop = this.stableEnd
    const found = this.#entries.find(
      entry => isVisible(entry) && entry.record.timestamp >= timestamp && entry.record.offset < stop,
    )
    return found?.record.offset ?? stop
  }

  /** Retention: everything below the offset is gone (at most up to the end), and the log begins there. */
  deleteBefore(offset: number): void {
    this.#begin = Math.max(this.#begin, Math.min(offset, this.#end))
    this.#entries = this.#entries.slice(this.#indexOf(this.#begin))
  }

  /**
   * Log compaction below the last stable offset: the last record of each key stays, aborted records go, tombstones and
   * markers go the second time they are met. Offsets keep their numbers, so gaps remain, also at the very end (Kafka
   * spares the active segment; sparing nothing is what a reader must be able to stand).
   */
  compact(): void {
    const stop = this.stableEnd
    const last = new Map<string, number>()
    for (const entry of this.#entries)
      if (isVisible(entry) && entry.record.offset < stop) last.set(keyOf(entry), entry.record.offset)
    this.#entries = this.#entries.filter(entry => {
      if (entry.record.offset >= stop) return true
      if (!entry.control && (!isVisible(entry) || last.get(keyOf(entry)) !== entry.record.offset)) return false
      if (!entry.control && entry.record.value !== null) return true
      const keep = !entry.expiring
      entry.expiring = true
      return keep
    })
  }

  #push(content: RecordContent, timestamp: number, fate: TransactionFate | null, control: boolean): number {
    const offset = this.#end++
    const { key, value, headers } = content
    this.#entries.push({ record: { offset, timestamp, key, value, headers }, fate, control, expiring: false })
    return offset
  }

  /** Index of the first entry at or above the offset: binary search, because compaction leaves gaps. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle]?.record.offset ?? Infinity) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isVisible(entry: Entry): boolean {
  return !entry.control && (entry.fate === null || entry.fate.state === 'committed')
}

/** Latin-1 maps bytes to characters one to one, so distinct keys stay distinct. Compacted topics refuse null keys. */
function keyOf(entry: Entry): string {
  return entry.record.key?.toString('latin1') ?? ''
}
