// Which distinct secrets were denied in any window of the recent past, in bounded memory whatever an attacker names.
// Pure. Values are kept as 53-bit hashes, so long names cost nothing and no secret name stands in the state.
// Exact up to `capacity` secrets; beyond it the distinct count is a lower bound and "at least minDistinct" stays exact.

import { insertDistinct, upperBound } from './sorted-times.ts'

/**
 * Inserts a time and drops it, or a neighbour, when it is the middle of three within `spanMs`: any half-open window
 * (e - span, e] that holds the middle one then holds one of the outer two, so "occurs in the window" is unchanged.
 */
export function insertThinned(times: number[], time: number, spanMs: number): void {
  if (!insertDistinct(times, time)) return
  const at = upperBound(times, time) - 1
  for (let i = Math.min(at + 1, times.length - 2); i >= Math.max(1, at - 1); i--) {
    if ((times[i + 1] ?? 0) - (times[i - 1] ?? 0) <= spanMs) times.splice(i, 1)
  }
}

/** One secret with the times that matter, ascending: `[hash, time, …]`. */
export type SecretTimesState = readonly (readonly number[])[]

/** The denied secrets of the last window and lateness. */
export class SecretTimes {
  readonly #windowMs: number
  readonly #minDistinct: number
  readonly #capacity: number
  readonly #times: Map<number, number[]>

  /** `minDistinct` is the bound that must stay exact beyond the capacity. */
  constructor(windowMs: number, minDistinct: number, capacity: number, state: SecretTimesState = []) {
    this.#windowMs = windowMs
    this.#minDistinct = minDistinct
    this.#capacity = capacity
    this.#times = new Map(state.map(([hash = 0, ...times]) => [hash, times]))
  }

  get size(): number {
    return this.#times.size
  }

  add(time: number, hash: number): void {
    const times = this.#times.get(hash)
    if (times !== undefined) return insertThinned(times, time, this.#windowMs)
    if (this.#times.size >= this.#capacity) this.#thin()
    this.#times.set(hash, [time])
  }

  /** Distinct secrets denied at times in (after, through]. */
  distinct(after: number, through: number): number {
    let count = 0
    for (const times of this.#times.values()) {
      const at = upperBound(times, after)
      if (at < times.length && (times[at] ?? 0) <= through) count++
    }
    return count
  }

  /** Secrets that `known` does not hold and whose earliest denial, since they were last forgotten, lies in (after, through]. */
  firstDenials(after: number, through: number, known: (hash: number) => boolean): number {
    let count = 0
    for (const [hash, [first = 0]] of this.#times) if (first > after && first <= through && !known(hash)) count++
    return count
  }

  /**
   * Forgets secrets last denied at or before `horizon`, naming each with that time. Of the others the earliest time stays:
   * it tells a first denial from a further one.
   */
  prune(horizon: number, forgotten?: (hash: number, last: number) => void): void {
    for (const [hash, times] of this.#times) {
      const gone = upperBound(times, horizon)
      if (gone === times.length) {
        forgotten?.(hash, times[gone - 1] ?? 0)
        this.#times.delete(hash)
      } else if (gone > 1) times.splice(1, gone - 1)
    }
  }

  /**
   * Forgets the oldest quarter of the secrets among those without which every window keeps its minDistinct.
   * Per cell of the time axis no wider than a window, the earliest and the latest minDistinct secrets stay: a window that
   * holds a forgotten denial reaches past one end of its cell, and so holds either all the earliest or all the latest.
   */
  #thin(): void {
    const entries = [...this.#times].flatMap(([hash, times]) => times.map(time => ({ hash, time })))
    entries.sort((a, b) => a.time - b.time || a.hash - b.hash)
    const needed = new Set<number>()
    for (const order of [entries, entries.toReversed()]) {
      let cell = NaN
      let seen = new Set<number>()
      for (const { hash, time } of order) {
        const own = Math.floor(time / this.#windowMs)
        if (own !== cell) seen = new Set()
        cell = own
        if (seen.size < this.#minDistinct) needed.add(hash)
        seen.add(hash)
      }
    }
    let surplus = Math.ceil(this.#capacity / 4)
    for (const { hash } of entries) {
      if (surplus === 0) break
      if (!needed.has(hash) && this.#times.delete(hash)) surplus--
    }
  }

  clone(): SecretTimes {
    const copy = new SecretTimes(this.#windowMs, this.#minDistinct, this.#capacity)
    for (const [hash, times] of this.#times) copy.#times.set(hash, times.slice())
    return copy
  }

  /** Plain data for the state record. */
  snapshot(): SecretTimesState {
    return [...this.#times].map(([hash, times]) => [hash, ...times])
  }
}
