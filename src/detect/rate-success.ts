// Denied, then allowed: whether a successful call followed the denials of an anomalous window, in either order of arrival.
// Pure; bounded: success times thinned to a few, at most 64 anomalous ends still waiting for a success.
import type { Verdict } from './detector.ts'
import { insertThinned } from './rate-secrets.ts'
import type { DenialWindow } from './rate-window.ts'

/** Anomalous ends that wait; the oldest is given up first. By default 17 is the most that thinning leaves. */
const waitingCapacity = 64

export interface SuccessWatchState {
  readonly successes: readonly number[]
  readonly waiting: readonly Verdict[]
}

/**
 * An anomalous window ending at e is followed by a success at s when a denial d of that window has d ≤ s ≤ d + within.
 * Equal times count: CloudTrail's resolution is one second, so which came first is unknown, and the grave reading is kept.
 */
export class SuccessWatch {
  readonly #withinMs: number
  readonly #windowMs: number
  readonly #dedupMs: number
  readonly #gapMs: number
  #successes: number[]
  #waiting: Verdict[]

  /** `dedupMs` is the episode gap: of three ends within it, the middle one is in the episode of a neighbour and need not wait. */
  constructor(withinMs: number, windowMs: number, dedupMs: number, state?: SuccessWatchState) {
    this.#withinMs = withinMs
    this.#windowMs = windowMs
    this.#dedupMs = dedupMs
    this.#gapMs = Math.min(withinMs, dedupMs)
    this.#successes = [...(state?.successes ?? [])]
    this.#waiting = [...(state?.waiting ?? [])]
  }

  /** A successful call of the principal at `time`. */
  succeed(time: number): void {
    if (this.#withinMs > 0) insertThinned(this.#successes, time, this.#withinMs)
  }

  /** Whether a known success follows the window that ends at `end`. */
  follows(end: number, denials: DenialWindow): boolean {
    const start = end - this.#windowMs + 1
    return this.#successes.some(
      time =>
        (time >= end && time <= end + this.#withinMs) ||
        denials.occurs(Math.max(start, time - this.#withinMs), Math.min(end, time)),
    )
  }

  /** A newly anomalous window: marked at once when a success is known to follow, else it waits for one. */
  judge(verdict: Verdict, denials: DenialWindow): Verdict {
    if (this.#withinMs <= 0) return verdict
    if (this.follows(verdict.time, denials)) return { ...verdict, raise: true }
    const at = this.#waiting.findLastIndex(({ time }) => time <= verdict.time) + 1
    this.#waiting.splice(at, 0, verdict)
    for (let i = Math.min(at + 1, this.#waiting.length - 2); i >= Math.max(1, at - 1); i--) {
      const span = (this.#waiting[i + 1]?.time ?? 0) - (this.#waiting[i - 1]?.time ?? 0)
      if (span <= this.#gapMs) this.#waiting.splice(i, 1)
    }
    if (this.#waiting.length > waitingCapacity) this.#waiting.shift()
    return verdict
  }

  /** Verdicts reported before that a success is now known to follow; each is returned once. */
  raised(denials: DenialWindow): readonly Verdict[] {
    if (this.#waiting.length === 0 || this.#successes.length === 0) return []
    const raised: Verdict[] = []
    this.#waiting = this.#waiting.filter(verdict => {
      const followed = this.follows(verdict.time, denials)
      if (followed) raised.push({ ...verdict, raise: true })
      return !followed
    })
    return raised
  }

  /** Nothing at or before `settled` can arrive any more, and no window that can still change begins before `horizon`. */
  prune(settled: number, horizon: number): void {
    while ((this.#successes[0] ?? Infinity) <= horizon) this.#successes.shift()
    while ((this.#waiting[0]?.time ?? Infinity) + this.#withinMs < settled) this.#waiting.shift()
  }

  clone(): SuccessWatch {
    const copy = new SuccessWatch(this.#withinMs, this.#windowMs, this.#dedupMs)
    copy.#successes = this.#successes.slice()
    copy.#waiting = this.#waiting.slice()
    return copy
  }

  /** Plain data for the state record. */
  snapshot(): SuccessWatchState {
    return { successes: [...this.#successes], waiting: [...this.#waiting] }
  }
}
