// Notices a partition that has records to read and does not move: a consumer that spins, a call that never returns.
// Silence alone is no fault, so the input is looked at by another way than the consumer's before anything is concluded.
import { asTrailwardenError } from '../errors.ts'
import { processClock } from './clock.ts'
import type { Clock } from './clock.ts'
import type { DetectorOptions } from './detector-options.ts'

const STALL_MS = 5 * 60_000

/** Keeps the time of the last sign of life of every assigned partition. */
export class ProgressWatch {
  readonly #options: DetectorOptions
  readonly #clock: Clock
  readonly #stallMs: number
  readonly #seen = new Map<number, number>()

  constructor(options: DetectorOptions) {
    this.#options = options
    this.#clock = options.clock ?? processClock
    this.#stallMs = options.stallMs ?? STALL_MS
  }

  /** Milliseconds between two looks. */
  get everyMs(): number {
    return this.#stallMs / 4
  }

  /** A new assignment: everybody gets the full time. */
  assigned(partitions: Iterable<number>): void {
    this.#seen.clear()
    for (const partition of partitions) this.alive(partition)
  }

  /** A sign of life: progress, or a wait with a reason that is retried, such as a registry that does not answer. */
  alive(partition: number): void {
    this.#seen.set(partition, this.#clock.now())
  }

  /**
   * The first partition that stands still although it has something to do, or null. `position` gives the offset of the
   * next record of an open partition, null for one that is still being opened: that alone must not take so long.
   */
  async stalled(position: (partition: number) => number | null): Promise<number | null> {
    for (const [partition, seen] of [...this.#seen]) {
      if (this.#clock.now() - seen < this.#stallMs) continue
      const at = position(partition)
      const waiting = at === null || (await this.#hasRecord(partition, at))
      // It may have moved, or moved away, while we looked.
      if (this.#seen.get(partition) !== seen) continue
      if (waiting) return partition
      this.alive(partition)
    }
    return null
  }

  /** A look that does not come back is an answer too: the client hangs. */
  async #hasRecord(partition: number, from: number): Promise<boolean> {
    const over = new AbortController()
    const late = this.#clock.sleep(this.#stallMs, over.signal, 'background').then(() => true)
    return Promise.race([this.#look(partition, from), late]).finally(() => over.abort())
  }

  /** Lag is not enough: behind the last record there may be aborted and control records that nobody delivers. */
  async #look(partition: number, from: number): Promise<boolean> {
    const { log, topics, logger } = this.#options
    try {
      const range = (await log.offsets(topics.events))[partition]
      if (range === undefined || from >= range.end) return false
      for await (const _ of log.read(topics.events, partition, { from: Math.max(from, range.begin), to: range.end }))
        return true
      return false
    } catch (thrown) {
      // The cluster is away; that the consumer makes no progress then is no news.
      logger.warn({ partition, code: asTrailwardenError(thrown).code }, 'Could not look whether the partition stalls.')
      return false
    }
  }
}
