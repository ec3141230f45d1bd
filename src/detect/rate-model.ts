// What a principal's own history predicts for one window: the negative-binomial model of `rate_anomaly`.
// Pure; 2 (m + 1) doubles of state. Equal to test/model/denied_rate.py, which is the executable definition.
// Why these formulas and constants: docs/decisions/0011-rate-model.md.
import type { RateAnomalyParameters } from '../rules/rule.ts'
import type { DecayedSumsState } from './rate-kernel.ts'
import { DecayedSums } from './rate-kernel.ts'

/** Predictive distribution of the count in one window: negative binomial by size and mean. */
export interface Prediction {
  readonly size: number
  readonly mean: number
  /** Effective length of the history behind it, milliseconds. */
  readonly exposureMs: number
}

/** More over-dispersion than this is not learned: a tail that heavy would excuse anything. */
const excessCap = 200

const countChannel = 0
const squareChannel = 1

/** Exponentially weighted history of block counts with a gamma prior on the rate and a shrunk over-dispersion. */
export class RateBaseline {
  readonly #rate: RateAnomalyParameters
  readonly #sums: DecayedSums

  constructor(rate: RateAnomalyParameters, state?: DecayedSumsState, sums?: DecayedSums) {
    this.#rate = rate
    this.#sums = sums ?? new DecayedSums(rate.filters, rate.tauMs, 2, state)
  }

  /** Effective length of a history that began at `first`, milliseconds. */
  exposure(time: number, first: number): number {
    return this.#sums.exposure(time - first)
  }

  /**
   * Size and mean for the window that ends at `time`, for a principal first seen at `first`.
   * Rate ~ Gamma(a0 + A, b0 + E); over-dispersion by moments over E / W blocks, shrunk towards its prior.
   */
  predict(time: number, first: number): Prediction {
    const { windowMs, priorShape, priorExposureMs, dispersion, dispersionBlocks } = this.#rate
    const sum = this.#sums.value(countChannel, time)
    const squares = this.#sums.value(squareChannel, time)
    const exposureMs = this.exposure(time, first)
    const blocks = exposureMs / windowMs
    const shape = priorShape + sum
    const mean = (shape / (priorExposureMs + exposureMs)) * windowMs
    // 1e-9: no history is no blocks and no denials, and must not divide by zero.
    const blockMean = (sum + 1e-9) / (blocks + 1e-9)
    const variance = Math.max((squares - sum) / Math.max(blocks, 1) - blockMean ** 2, 0)
    const excess = Math.min(variance / Math.max(blockMean ** 2, 1e-6), excessCap)
    const weight = dispersionBlocks + blocks
    const phi = weight > 0 ? (dispersionBlocks * dispersion + blocks * excess) / weight : dispersion
    return { size: 1 / (phi + 1 / shape), mean, exposureMs }
  }

  /**
   * A closed block with `count` > 0 enters the history, cut to what was predicted for it plus four standard deviations
   * (and never below minCount): an attack that was not stopped teaches the baseline little. Blocks come in ascending order.
   */
  learn(blockEnd: number, count: number, first: number): void {
    const { windowMs, priorExposureMs, minCount } = this.#rate
    const { mean, exposureMs } = this.predict(blockEnd, first)
    const variance = mean * (1 + windowMs / (priorExposureMs + exposureMs)) + 2 * mean * mean
    const learned = Math.min(count, Math.max(minCount, mean + 4 * Math.sqrt(variance)))
    this.#sums.add(blockEnd, [learned, learned * learned])
  }

  clone(): RateBaseline {
    return new RateBaseline(this.#rate, undefined, this.#sums.clone())
  }

  /** Plain data for the state record. */
  snapshot(): DecayedSumsState {
    return this.#sums.snapshot()
  }
}
