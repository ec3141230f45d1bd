// The `rate_anomaly` detector: denials of one principal in a sliding window against what its own history predicts.
// Pure fold over distinct events; the verdicts are those of test/model/denied_rate.py, p-values to 1e-9.
// Bounded: two small sets of decayed sums, and the denials of one window and lateness (rate-window.ts).
import type { Anomaly } from '../alerts/alert.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { RateAnomalyParameters } from '../rules/rule.ts'
import type { Detector, Verdict } from './detector.ts'
import { hash53 } from './hash.ts'
import type { RateHistoryState } from './rate-history.ts'
import { RateHistory } from './rate-history.ts'
import type { SuccessWatchState } from './rate-success.ts'
import { SuccessWatch } from './rate-success.ts'
import type { DenialWindowState } from './rate-window.ts'
import { DenialWindow } from './rate-window.ts'
import { upperBound } from './sorted-times.ts'

/** What a detector needs to know besides the rule's own parameters, milliseconds. */
export interface RateTiming {
  /** Lateness of the rule set. */
  readonly latenessMs: number
  /** Episode gap of the rule. */
  readonly dedupMs: number
}

/** The state of one rule for one principal and group, JSON-safe: finite numbers and nulls. */
export interface RateAnomalyState {
  /** Earliest and newest event time, null before the first event. */
  readonly first: number | null
  readonly newest: number | null
  readonly history: RateHistoryState
  readonly denials: DenialWindowState
  readonly success: SuccessWatchState
}

/** One judged window: its end, and what was compared there. Anomalous when pValue ≤ alpha. */
export interface Judgement {
  readonly time: number
  readonly anomaly: Anomaly
}

const none: readonly Verdict[] = []

interface RateParts {
  readonly history: RateHistory
  readonly denials: DenialWindow
  readonly success: SuccessWatch
}

/** Denials against the principal's own baseline. An end once reported stays reported: see ADR 0011 on arrival order. */
export class RateAnomaly implements Detector {
  readonly #rate: RateAnomalyParameters
  readonly #timing: RateTiming
  readonly #history: RateHistory
  readonly #denials: DenialWindow
  readonly #success: SuccessWatch
  #first: number | null
  #newest: number

  constructor(rate: RateAnomalyParameters, timing: RateTiming, state?: RateAnomalyState, parts?: RateParts) {
    this.#rate = rate
    this.#timing = timing
    this.#history = parts?.history ?? new RateHistory(rate, state?.history)
    this.#denials = parts?.denials ?? new DenialWindow(rate, timing.latenessMs, state?.denials)
    this.#success =
      parts?.success ?? new SuccessWatch(rate.successWithinMs, rate.windowMs, timing.dedupMs, state?.success)
    this.#first = state?.first ?? null
    this.#newest = state?.newest ?? -Infinity
  }

  observe(event: CloudTrailEvent): readonly Verdict[] {
    if (!this.#admit(event)) return none
    if (!this.#rate.denied(event)) {
      if (event.outcome !== 'SUCCESS') return none
      this.#success.succeed(event.eventTime)
      return this.#success.raised(this.#denials)
    }
    this.#count(event)
    const news = this.#judge(event.eventTime, true).map(({ time, anomaly }) => {
      this.#denials.markReported(time)
      return this.#success.judge({ time, count: anomaly.count, distinct: anomaly.distinct, anomaly }, this.#denials)
    })
    // A denial that arrives after the success it precedes can complete an older verdict too.
    return [...news, ...this.#success.raised(this.#denials)]
  }

  /**
   * Takes one event in like {@link observe}, and returns every window end that was judged, anomalous or not: what the
   * reference model computes. For explanations and for the test of equality; it reports nothing and marks nothing.
   */
  judge(event: CloudTrailEvent): readonly Judgement[] {
    if (!this.#admit(event) || !this.#rate.denied(event)) return []
    this.#count(event)
    return this.#judge(event.eventTime, false)
  }

  /**
   * What is compared in the window that ends at `end`, whether or not the minimums are reached. For explanations: changes
   * nothing. `end` lies in the lateness zone, as every end that is still judged.
   */
  compared(end: number): Anomaly {
    const { windowMs, alpha } = this.#rate
    const count = this.#denials.count(end - windowMs, end)
    const distinct = this.#denials.secrets.distinct(end - windowMs, end)
    const { size, mean, exposureMs, pValue } = this.#history.judge(end, count, this.#first ?? end, this.#denials)
    return { count, distinct, expected: mean, pValue, alpha, exposureMs, dispersion: size }
  }

  advance(maxTime: number): readonly Verdict[] {
    if (maxTime <= this.#newest) return none
    const settledBefore = this.#newest - this.#timing.latenessMs
    this.#newest = maxTime
    const settled = maxTime - this.#timing.latenessMs
    const horizon = settled - this.#rate.windowMs
    this.#history.fold(settledBefore, settled, this.#first ?? settled, this.#denials)
    this.#history.prune(horizon, this.#denials)
    this.#success.prune(settled, horizon)
    return none
  }

  /** The baseline never becomes worthless by itself; the engine forgets a silent principal after its state TTL. */
  empty(): boolean {
    return this.#first === null
  }

  clone(): RateAnomaly {
    const copy = new RateAnomaly(this.#rate, this.#timing, undefined, {
      history: this.#history.clone(),
      denials: this.#denials.clone(),
      success: this.#success.clone(),
    })
    copy.#first = this.#first
    copy.#newest = this.#newest
    return copy
  }

  snapshot(): RateAnomalyState {
    return {
      first: this.#first,
      newest: Number.isFinite(this.#newest) ? this.#newest : null,
      history: this.#history.snapshot(),
      denials: this.#denials.snapshot(),
      success: this.#success.snapshot(),
    }
  }

  /** False for a late event, which changes nothing. */
  #admit(event: CloudTrailEvent): boolean {
    const time = event.eventTime
    if (time < this.#newest - this.#timing.latenessMs) return false
    this.#first = this.#first === null ? time : Math.min(this.#first, time)
    this.advance(time)
    return true
  }

  #count(event: CloudTrailEvent): void {
    // An absent value is one value: denials that name no secret are together one secret.
    this.#denials.add(event.eventTime, hash53('', this.#rate.distinct.read(event) ?? ''))
  }

  /** Judges every window (end - W, end] that a denial at `time` fell into; with `news`, only what is not reported yet. */
  #judge(time: number, news: boolean): Judgement[] {
    const { windowMs, minCount, minDistinct, alpha } = this.#rate
    const found: Judgement[] = []
    const ends = this.#denials.times
    for (let i = upperBound(ends, time - 1); i < ends.length; i++) {
      const end = ends[i] ?? 0
      if (end >= time + windowMs) break
      if (news && this.#denials.isReported(end)) continue
      const count = this.#denials.count(end - windowMs, end)
      if (count < minCount) continue
      const { size, mean, exposureMs, pValue } = this.#history.judge(end, count, this.#first ?? end, this.#denials)
      if (news && pValue > alpha) continue
      const distinct = this.#denials.secrets.distinct(end - windowMs, end)
      if (distinct < minDistinct) continue
      found.push({
        time: end,
        anomaly: { count, distinct, expected: mean, pValue, alpha, exposureMs, dispersion: size },
      })
    }
    return found
  }
}

/** A detector for a principal and group seen for the first time. */
export function createRateAnomaly(rate: RateAnomalyParameters, timing: RateTiming): Detector {
  return new RateAnomaly(rate, timing)
}

/** The detector whose {@link RateAnomaly.snapshot} `state` is; the rule's parameters must be those it was taken with. */
export function restoreRateAnomaly(rate: RateAnomalyParameters, timing: RateTiming, state: unknown): Detector {
  return new RateAnomaly(rate, timing, state as RateAnomalyState)
}
