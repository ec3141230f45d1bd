// The denials of the last window and lateness: how many, and how many distinct secrets, in any window that can still change.
// Pure; bounded. CloudTrail's eventTime has a resolution of one second, so window plus lateness of the shipped rule (45 min)
// has at most 2,700 distinct times: counts per time are exact below `timeCapacity`.
import type { RateAnomalyParameters } from '../rules/rule.ts'
import type { SecretTimesState } from './rate-secrets.ts'
import { SecretTimes } from './rate-secrets.ts'
import { upperBound } from './sorted-times.ts'

/** Distinct denial times kept. Beyond it neighbours are joined, see {@link DenialWindow}. */
const timeCapacity = 4096

/** Distinct secrets kept exactly, unless minDistinct needs more. */
const secretCapacity = 256

/** Plain data of a {@link DenialWindow}, compact because an attack makes it long. */
export interface DenialWindowState {
  /** The first distinct denial time, then the gap to each following one. */
  readonly gaps: readonly number[]
  /** Denials at each time. */
  readonly counts: readonly number[]
  /** Lengths of runs of times at which no window, a window, no window, … has been reported. */
  readonly reportedRuns: readonly number[]
  readonly secrets: SecretTimesState
}

/** [0, 0, 1, 1, 1, 0] as [2, 3, 1]; starts with the zeros. */
function runLengths(flags: readonly number[]): number[] {
  const runs = [0]
  for (const [i, flag] of flags.entries()) {
    if (flag === (flags[i - 1] ?? 0)) runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1
    else runs.push(1)
  }
  return runs
}

/**
 * Counts denials by time. When more than {@link timeCapacity} distinct times are held (possible only with times finer than
 * CloudTrail's, or window plus lateness beyond 68 min), times are joined on a grid of 1/2048 of the span they cover, each group at
 * its earliest time: a window that starts inside a group misses its later part, one that ends inside counts it early.
 * For the shipped rule that is 1.4 s of denials among thousands.
 */
export class DenialWindow {
  readonly secrets: SecretTimes
  readonly #rate: RateAnomalyParameters
  readonly #latenessMs: number
  #times: number[]
  #counts: number[]
  #reported: number[]

  constructor(rate: RateAnomalyParameters, latenessMs: number, state?: DenialWindowState, secrets?: SecretTimes) {
    this.#rate = rate
    this.#latenessMs = latenessMs
    // Thinning keeps at most 2 minDistinct secrets per window-wide cell; twice that leaves it something to forget.
    const cells = Math.ceil((rate.windowMs + latenessMs) / rate.windowMs) + 1
    const capacity = Math.max(secretCapacity, 4 * cells * rate.minDistinct)
    this.secrets = secrets ?? new SecretTimes(rate.windowMs, rate.minDistinct, capacity, state?.secrets)
    let time = 0
    this.#times = (state?.gaps ?? []).map(gap => (time += gap))
    this.#counts = [...(state?.counts ?? [])]
    this.#reported = (state?.reportedRuns ?? []).flatMap((length, i) => new Array<number>(length).fill(i % 2))
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

  /** Joins the times of each cell of a grid that leaves half the capacity. */
  #join(): void {
    const oldest = this.#times[0] ?? 0
    const cellMs = Math.ceil(((this.#times.at(-1) ?? 0) - oldest) / (timeCapacity / 2)) + 1
    let kept = -1
    let keptCell = -1
    for (let i = 0; i < this.#times.length; i++) {
      const time = this.#times[i] ?? 0
      const cell = Math.floor((time - oldest) / cellMs)
      if (cell !== keptCell) {
        keptCell = cell
        kept++
        this.#times[kept] = time
        this.#counts[kept] = this.#counts[i] ?? 0
        this.#reported[kept] = this.#reported[i] ?? 0
      } else {
        this.#counts[kept] = (this.#counts[kept] ?? 0) + (this.#counts[i] ?? 0)
        this.#reported[kept] = Math.max(this.#reported[kept] ?? 0, this.#reported[i] ?? 0)
      }
    }
    for (const list of [this.#times, this.#counts, this.#reported]) list.length = kept + 1
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

  /** Forgets denials at or before `horizon`; names each secret that has none left, with the time of its last. */
  prune(horizon: number, forgotten?: (hash: number, last: number) => void): void {
    const gone = upperBound(this.#times, horizon)
    if (gone === 0) return
    this.#times.splice(0, gone)
    this.#counts.splice(0, gone)
    this.#reported.splice(0, gone)
    this.secrets.prune(horizon, forgotten)
  }

  clone(): DenialWindow {
    const copy = new DenialWindow(this.#rate, this.#latenessMs, undefined, this.secrets.clone())
    copy.#times = this.#times.slice()
    copy.#counts = this.#counts.slice()
    copy.#reported = this.#reported.slice()
    return copy
  }

  /** Plain data for the state record. */
  snapshot(): DenialWindowState {
    return {
      gaps: this.#times.map((time, i) => time - (this.#times[i - 1] ?? 0)),
      counts: [...this.#counts],
      reportedRuns: runLengths(this.#reported),
      secrets: this.secrets.snapshot(),
    }
  }
}
