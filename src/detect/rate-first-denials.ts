// The `first-denials` variant of the rate model: first denials of a secret are a stream of their own, and the size of the
// principal's benign bursts is learned. Enumeration is new secrets; a broken deployment is the same ones again.
// Pure; 4 (m + 1) doubles and 64 hashes more than the shared model. Definition: test/model/first_denials.py; why: ADR 0011.
import type { RateAnomalyParameters } from '../rules/rule.ts'
import type { DecayedSumsState } from './rate-kernel.ts'
import { DecayedSums } from './rate-kernel.ts'
import { RateBaseline } from './rate-model.ts'
import { negativeBinomialTail } from './rate-tail.ts'
import type { DenialWindow } from './rate-window.ts'

/** Secrets remembered as denied before, first in, first out. One that was forgotten counts as first again, and the rate of
 * such repetitions is learned like any other: too small a memory makes the variant weaker, not noisier. */
export const knownCapacity = 64

/** Most denials beyond minCount that one block teaches the burst sizes. */
const burstCap = 50

/** Half a burst is forgiven: the first blocks of a slow ramp must not excuse the following ones. */
const forgiven = 0.5

const burstChannel = 0
const sizeChannel = 1

export interface FirstDenialsState {
  readonly firsts: DecayedSumsState
  readonly bursts: DecayedSumsState
  /** Hashes of the secrets known to have been denied, oldest first. */
  readonly known: readonly number[]
}

/** What the shared model does not look at: which secrets are new, and how large bursts usually are. */
export class FirstDenials {
  readonly #rate: RateAnomalyParameters
  #firsts: RateBaseline
  #bursts: DecayedSums
  #known: Set<number>

  constructor(rate: RateAnomalyParameters, state?: FirstDenialsState) {
    this.#rate = rate
    this.#firsts = new RateBaseline(rate, state?.firsts)
    this.#bursts = new DecayedSums(rate.filters, rate.tauMs, 2, state?.bursts)
    this.#known = new Set(state?.known)
  }

  /** A closed block with `count` denials enters the history; its denials are still in the window. */
  learn(blockEnd: number, count: number, first: number, denials: DenialWindow): void {
    const { windowMs, minCount } = this.#rate
    const firsts = this.#firstsIn(denials, blockEnd - windowMs - 1, blockEnd - 1)
    if (firsts > 0) this.#firsts.learn(blockEnd, firsts, first)
    if (count >= minCount) this.#bursts.add(blockEnd, [1, Math.min(count - minCount, burstCap)])
  }

  /** Secrets whose last denial left the window are known from now on: in order of time, whatever the order of arrival. */
  forget(lost: { readonly hash: number; readonly last: number }[]): void {
    lost.sort((a, b) => a.last - b.last || a.hash - b.hash)
    for (const { hash } of lost) {
      this.#known.add(hash)
      for (const oldest of this.#known) {
        if (this.#known.size <= knownCapacity) break
        this.#known.delete(oldest)
      }
    }
  }

  /**
   * The smaller of two tails for the window that ends at `end` with `count` denials:
   * that of its first denials under their own history, if they are at least minDistinct; and that of all its denials,
   * `sharedTail` plus the chance that this is one of the principal's own bursts and as large: share of blocks with
   * minCount or more, times a geometric tail with the mean excess over minCount (prior: one burst of excess minCount).
   */
  tail(end: number, count: number, first: number, denials: DenialWindow, sharedTail: number): number {
    const { windowMs, minCount, minDistinct } = this.#rate
    const firsts = this.#firstsIn(denials, end - windowMs, end)
    const { size, mean, exposureMs } = this.#firsts.predict(end, first)
    const firstsTail = firsts >= minDistinct ? negativeBinomialTail(firsts, size, mean) : 1
    const bursts = this.#bursts.value(burstChannel, end)
    const learned = Math.max(0, bursts - forgiven)
    if (learned === 0) return Math.min(firstsTail, sharedTail)
    const excess = (minCount + this.#bursts.value(sizeChannel, end)) / (1 + bursts)
    const share = learned / (bursts + exposureMs / windowMs)
    const burstTail = share * negativeBinomialTail(count - minCount, 1, excess)
    return Math.min(firstsTail, sharedTail + burstTail)
  }

  #firstsIn(denials: DenialWindow, after: number, through: number): number {
    return denials.secrets.firstDenials(after, through, hash => this.#known.has(hash))
  }

  clone(): FirstDenials {
    const copy = new FirstDenials(this.#rate)
    copy.#firsts = this.#firsts.clone()
    copy.#bursts = this.#bursts.clone()
    copy.#known = new Set(this.#known)
    return copy
  }

  /** Plain data for the state record. */
  snapshot(): FirstDenialsState {
    return { firsts: this.#firsts.snapshot(), bursts: this.#bursts.snapshot(), known: [...this.#known] }
  }
}
