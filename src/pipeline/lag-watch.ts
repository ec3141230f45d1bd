// Looks at the end of every owned partition now and then, so that the lag of a partition that stands still is known too:
// the loop reports where it stands with every batch, and a loop that waits, restores or hangs gets none. It also notices
// that the cluster does not answer. Started by the process beside the loop, which is the same without it.
import { setTimeout as sleep } from 'node:timers/promises'
import { asTrailwardenError } from '../errors.ts'
import type { LogClient } from '../log/log-client.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { RunningLoop } from './running-loop.ts'
import { waitingRecord } from './waiting-record.ts'

const EVERY_MS = 10_000

export interface LagWatchOptions {
  readonly log: LogClient
  readonly topic: string
  readonly group: string
  readonly loop: Pick<RunningLoop, 'positions'>
  readonly metrics: Metrics
  readonly logger: Logger
  /** Milliseconds between two looks, default 10 000. */
  readonly everyMs?: number
}

/** A watch that looks until it is stopped. */
export class LagWatch {
  readonly #options: LagWatchOptions
  readonly #over = new AbortController()
  /** Positions at the look before. */
  #before: ReadonlyMap<number, number> = new Map()
  #reachable = true

  constructor(options: LagWatchOptions) {
    this.#options = options
    void this.#run()
  }

  /** Whether the cluster answered the last look. */
  reachable(): boolean {
    return this.#reachable
  }

  stop(): void {
    this.#over.abort()
  }

  async #run(): Promise<void> {
    const { everyMs = EVERY_MS, logger } = this.#options
    const { signal } = this.#over
    while (!signal.aborted) {
      try {
        await this.#look()
        this.#reachable = true
      } catch (thrown) {
        if (signal.aborted) return
        this.#reachable = false
        logger.warn({ code: asTrailwardenError(thrown).code }, 'Could not look how far behind the process is.')
      }
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    const { log, topic, group, loop, metrics } = this.#options
    const ranges = await log.offsets(topic)
    const unknown = [...loop.positions().values()].includes(null)
    const committed = unknown ? await log.committed(group, topic) : []
    const positions = new Map<number, number>()
    for (const [partition, known] of loop.positions()) {
      const { begin, end } = ranges[partition] ?? { begin: 0, end: 0 }
      const at = known ?? committed[partition] ?? begin
      positions.set(partition, at)
      // A partition that moves reports for itself, and knows better.
      if ((this.#before.get(partition) ?? at) !== at) continue
      const waiting = at < end ? await waitingRecord(log, topic, partition, at) : null
      // It may have moved, or moved away, while we looked.
      if (this.#over.signal.aborted || loop.positions().get(partition) !== known) continue
      metrics.lag.set(topic, partition, waiting === null ? 0 : end - at, waiting === null ? null : waiting.timestamp)
    }
    this.#before = positions
  }
}
