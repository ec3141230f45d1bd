// How far a process is behind on the partitions it owns, in records and in seconds. The seconds are counted when somebody
// asks, so that they grow while nothing moves: a loop that hangs reports nothing any more.
import type { Gauge } from 'prom-client'

interface Lag {
  readonly topic: string
  /** Epoch milliseconds: since when the oldest record that is not worked off has been there; null when there is none. */
  readonly since: number | null
}

export class PartitionLag {
  readonly #records: Gauge<'topic' | 'partition'>
  readonly #now: () => number
  readonly #lags = new Map<number, Lag>()

  constructor(records: Gauge<'topic' | 'partition'>, now: () => number = Date.now) {
    this.#records = records
    this.#now = now
  }

  /** Where a partition stands. `oldest` is the timestamp of the next record, -1 where records carry none. */
  set(topic: string, partition: number, records: number, oldest: number | null): void {
    this.#records.set({ topic, partition }, Math.max(0, records))
    this.#lags.set(partition, { topic, since: oldest === null || oldest >= 0 ? oldest : this.#now() })
  }

  /** The partition is no longer ours: its series end. */
  release(topic: string, partition: number): void {
    this.#records.remove({ topic, partition })
    this.#lags.delete(partition)
  }

  /** Writes the seconds as they are now. */
  expose(seconds: Gauge<'topic' | 'partition'>): void {
    seconds.reset()
    const now = this.#now()
    for (const [partition, { topic, since }] of this.#lags)
      seconds.set({ topic, partition }, since === null ? 0 : Math.max(0, (now - since) / 1000))
  }
}
