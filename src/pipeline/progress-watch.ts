// Notices a partition that has records to read and does not move: a consumer that spins, a call that never returns.
// Silence alone is no fault, so the input is looked at by another way than the consumer's before anything is concluded.
import { asTrailwardenError } from '../errors.ts'
import type { LogClient } from '../log/log-client.ts'
import type { Logger } from '../logger.ts'
import { processClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { waitingRecord } from './waiting-record.ts'

const STALL_MS = 5 * 60_000

/** What is watched. */
export interface ProgressWatchOptions {
  readonly log: LogClient
  readonly topic: string
  readonly logger: Logger
  readonly clock?: Clock
  /** How long a partition may stand still with records to read, default 5 min; 0 for ever. */
  readonly stallMs?: number
}

/** Offset of the next record of a partition; null while it is being opened: that alone must not take so long. */
type PositionOf = (partition: number) => number | null | Promise<number | null>

/** Keeps the time of the last sign of life of every assigned partition. */
export class ProgressWatch {
  readonly #options: ProgressWatchOptions
  readonly #clock: Clock
  readonly #stallMs: number
  readonly #seen = new Map<number, number>()

  constructor(options: ProgressWatchOptions) {
    this.#options = options
    this.#clock = options.clock ?? processClock
    this.#stallMs = options.stallMs ?? STALL_MS
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

  /** Looks four times per stall, until a partition stands still (resolves to its number) or `over` (null). */
  async run(over: AbortSignal, position: PositionOf): Promise<number | null> {
    if (this.#stallMs <= 0) return null
    while (!over.aborted) {
      await this.#clock.sleep(this.#stallMs / 4, over, 'background')
      if (over.aborted) return null
      const partition = await this.#stalled(position)
      if (partition !== null) return partition
    }
    return null
  }

  /** The first partition that stands still although it has something to do. */
  async #stalled(position: PositionOf): Promise<number | null> {
    for (const [partition, seen] of [...this.#seen]) {
      if (this.#clock.now() - seen < this.#stallMs) continue
      const found = position(partition)
      const at = found instanceof Promise ? await found : found
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

  async #look(partition: number, from: number): Promise<boolean> {
    const { log, topic, logger } = this.#options
    try {
      return (await waitingRecord(log, topic, partition, from)) !== null
    } catch (thrown) {
      // The cluster is away; that the consumer makes no progress then is no news.
      logger.warn({ partition, code: asTrailwardenError(thrown).code }, 'Could not look whether the partition stalls.')
      return false
    }
  }
}
