// The denials of the last window and lateness: how many, and how many distinct secrets, in any window that can still change.
// Pure; bounded. CloudTrail's eventTime has a resolution of one second, so window plus lateness of the shipped rule (45 min)
// has at most 2,700 distinct times: counts per time are exact below `timeCapacity`.
import type { RateAnomalyParameters } from '../rules/rule.ts'
import type { SecretTimesState } from './rate-secrets.ts'
import { SecretTimes, upperBound } from './rate-secrets.ts'

/** Distinct denial times kept. Beyond it neighbours are joined, see {@link DenialWindow}. */
export const timeCapacity = 4096

/** Distinct secrets kept exactly, unless minDistinct needs more. */
export const secretCapacity = 256

/** Ascending distinct times, with the denials at each and whether a window ending there has been reported. */
export interface DenialWindowState {
  readonly times: readonly number[]
  readonly counts: readonly number[]
  readonly reported: readonly number[]
  readonly secrets: SecretTimesState
}

/**
 * Counts denials by time. When more than {@link timeCapacity} distinct times are held (possible only with times finer than
 * CloudTrail's, or windows beyond an hour), each pair of neighbours is joined at its earlier time: a window that starts
 * between the two then misses the later one, and one that ends between them counts it early; no other window changes.
 */
export class DenialWindow {
  readonly secrets: SecretTimes
  #times: number[]
  #counts: number[]
  #reported: number[]

  constructor(rate: RateAnomalyParameters, latenessMs: number, state?: DenialWindowState) {
    // Thinning keeps at most 2 minDistinct secrets per window-wide cell; twice that leaves it something to forget.
    const cells = Math.ceil((rate.windowMs + latenessMs) / rate.windowMs) + 1
    const capacity = Math.max(secretCapacity, 4 * cells * rate.minDistinct)
    this.secrets = new SecretTimes(rate.windowMs, rate.minDistinct, capacity, state?.secrets)
    this.#times = [...(state?.times ?? [])]
    this.#counts = [...(state?.counts ?? [])]
    this.#reported = [...(state?.reported ?? [])]
  }

  /** Distinct denial times, ascending: the ends at which windows are judged. */
  get times(): readonly number[] {
    return this.#times
  }

  add(time: number, hash: number): void {
    const after = upperBound(this.#times, time)
    if (this.#times[after - 1] === time) {
      this.#counts[after - 1] = (this.#counts[after - 1] ?? 0) + 1
    } else {
      this.#times.splice(after, 0, time)
      this.#counts.splice(after, 0, 1)
      this.#reported.splice(after, 0, 0)
      if (this.#times.length > timeCapacity) this.#join()
    }
    this.secrets.add(time, hash)
  }

  #join(): void {
    const pairs = Math.ceil(this.#times.length / 2)
    const times = this.#times
    const counts = this.#counts
    const reported = this.#reported
    this.#times = Array.from({ length: pairs }, (_, i) => times[2 * i] ?? 0)
    this.#counts = Array.from({ length: pairs }, (_, i) => (counts[2 * i] ?? 0) + (counts[2 * i + 1] ?? 0))
    this.#reported = Array.from({ length: pairs }, (_, i) => Math.max(reported[2 * i] ?? 0, reported[2 * i + 1] ?? 0))
  }

  /** Denials at times in (after, through]. */
  count(after: number, through: number): number {
    let total = 0
    for (let i = upperBound(this.#times, through) - 1; i >= 0 && (this.#times[i] ?? 0) > after; i--) {
      total += this.#counts[i] ?? 0
    }
    return total
  }

  /** Whether a denial lies at a time in [from, through]. */
  occurs(from: number, through: number): boolean {
    const at = upperBound(this.#times, through) - 1
    return at >= 0 && (this.#times[at] ?? 0) >= from
  }

  isReported(end: number): boolean {
    const at = upperBound(this.#times, end) - 1
    return this.#times[at] === end && this.#reported[at] === 1
  }

  markReported(end: number): void {
    const at = upperBound(this.#times, end) - 1
    if (this.#times[at] === end) this.#reported[at] = 1
  }

  /** Forgets denials at or before `horizon`; names the secrets that lost a time. */
  prune(horizon: number, forgotten?: (hash: number, time: number) => void): void {
    const gone = upperBound(this.#times, horizon)
    if (gone === 0) return
    this.#times.splice(0, gone)
    this.#counts.splice(0, gone)
    this.#reported.splice(0, gone)
    this.secrets.prune(horizon, forgotten)
  }

  /** Plain data for the state record. */
  snapshot(): DenialWindowState {
    return {
      times: [...this.#times],
      counts: [...this.#counts],
      reported: [...this.#reported],
      secrets: this.secrets.snapshot(),
    }
  }
}
