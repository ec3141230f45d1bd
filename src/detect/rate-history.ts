// A principal's history of denials and what it says about one window, by the model the rule names.
// Pure and bounded. The seam between the detector (rate-anomaly.ts: order, windows, verdicts) and the models' formulas.
import type { RateAnomalyParameters } from '../rules/rule.ts'
import type { FirstDenialsState } from './rate-first-denials.ts'
import { FirstDenials } from './rate-first-denials.ts'
import type { DecayedSumsState } from './rate-kernel.ts'
import type { Prediction } from './rate-model.ts'
import { RateBaseline } from './rate-model.ts'
import { negativeBinomialTail } from './rate-tail.ts'
import type { DenialWindow } from './rate-window.ts'
import { upperBound } from './sorted-times.ts'

export interface RateHistoryState {
  readonly baseline: DecayedSumsState
  /** Null for the shared model. */
  readonly firstDenials: FirstDenialsState | null
}

/** A prediction with the probability of what was counted, 0 to 1. */
export interface Judged extends Prediction {
  readonly pValue: number
}

interface HistoryParts {
  readonly baseline: RateBaseline
  readonly firstDenials: FirstDenials | null
}

/** The baseline of the shared model, and what the `first-denials` variant adds to it. */
export class RateHistory {
  readonly #rate: RateAnomalyParameters
  readonly #baseline: RateBaseline
  readonly #firstDenials: FirstDenials | null

  constructor(rate: RateAnomalyParameters, state?: RateHistoryState, parts?: HistoryParts) {
    this.#rate = rate
    this.#baseline = parts?.baseline ?? new RateBaseline(rate, state?.baseline)
    this.#firstDenials =
      rate.model === 'first-denials'
        ? (parts?.firstDenials ?? new FirstDenials(rate, state?.firstDenials ?? undefined))
        : null
  }

  clone(): RateHistory {
    const firstDenials = this.#firstDenials?.clone() ?? null
    return new RateHistory(this.#rate, undefined, { baseline: this.#baseline.clone(), firstDenials })
  }

  /** Judges `count` denials in the window that ends at `end`, for a principal first seen at `first`. */
  judge(end: number, count: number, first: number, denials: DenialWindow): Judged {
    const prediction = this.#baseline.predict(end, first)
    const shared = negativeBinomialTail(count, prediction.size, prediction.mean)
    return { ...prediction, pValue: this.#firstDenials?.tail(end, count, first, denials, shared) ?? shared }
  }

  /** Blocks (aligned windows) that ended in (from, to] are complete and enter the history, oldest first. */
  fold(from: number, to: number, first: number, denials: DenialWindow): void {
    const { windowMs } = this.#rate
    const times = denials.times
    for (let i = 0; i < times.length;) {
      const end = (Math.floor((times[i] ?? 0) / windowMs) + 1) * windowMs
      if (end > to) return
      if (end > from) {
        const count = denials.count(end - windowMs - 1, end - 1)
        this.#baseline.learn(end, count, first)
        this.#firstDenials?.learn(end, count, first, denials)
      }
      i = upperBound(times, end - 1)
    }
  }

  /** Removes denials at or before `horizon` from the window. */
  prune(horizon: number, denials: DenialWindow): void {
    if (this.#firstDenials === null) return denials.prune(horizon)
    const lost: { hash: number; last: number }[] = []
    denials.prune(horizon, (hash, last) => lost.push({ hash, last }))
    if (lost.length > 0) this.#firstDenials.forget(lost)
  }

  /** Plain data for the state record. */
  snapshot(): RateHistoryState {
    return { baseline: this.#baseline.snapshot(), firstDenials: this.#firstDenials?.snapshot() ?? null }
  }
}
