// The sliding window of a counting rule, counted plainly: every event kept, nothing thinned. `explain` shows its numbers
// beside what the engine decided, whose own counts stop at what its decision needs.
import { upperBound } from '../detect/sorted-times.ts'

/** What lies in the half-open window that ends at a time. */
export interface WindowCounts {
  readonly events: number
  /** Distinct values; events without one add none. */
  readonly distinct: number
  /** Whether the event just taken in brought a value that the window did not hold. */
  readonly fresh: boolean
}

/** Events of one rule, principal and group by time. Those that no window can reach any more are forgotten. */
export class WindowTally {
  readonly #timespanMs: number
  readonly #keepMs: number
  readonly #times: number[] = []
  readonly #values: (string | null)[] = []
  /** Of the window that ends at the newest time: where it begins, and how often it holds each value. */
  #start = 0
  readonly #newest = new Map<string, number>()

  /** `latenessMs` is how much older than the newest an event can be. */
  constructor(timespanMs: number, latenessMs: number) {
    this.#timespanMs = timespanMs
    this.#keepMs = timespanMs + latenessMs
  }

  /** Takes an event in and counts the window that ends with it. */
  add(time: number, value: string | null): WindowCounts {
    const times = this.#times
    const inOrder = time >= (times.at(-1) ?? -Infinity)
    const at = upperBound(times, time)
    times.splice(at, 0, time)
    this.#values.splice(at, 0, value)
    if (at < this.#start) this.#start++
    else if (value !== null) this.#newest.set(value, (this.#newest.get(value) ?? 0) + 1)
    if (!inOrder) return this.#scan(time, value)
    while ((times[this.#start] ?? time) <= time - this.#timespanMs) this.#leave(this.#values[this.#start++] ?? null)
    this.#forget(time - this.#keepMs)
    return {
      events: times.length - this.#start,
      distinct: this.#newest.size,
      fresh: value !== null && this.#newest.get(value) === 1,
    }
  }

  /** The distinct values of the window that ends at `end`, each with its first time there, earliest first. */
  values(end: number): Map<string, number> {
    const first = new Map<string, number>()
    const through = upperBound(this.#times, end)
    for (let i = upperBound(this.#times, end - this.#timespanMs); i < through; i++) {
      const value = this.#values[i] ?? null
      if (value !== null && !first.has(value)) first.set(value, this.#times[i] ?? 0)
    }
    return first
  }

  #leave(value: string | null): void {
    if (value === null) return
    const left = (this.#newest.get(value) ?? 0) - 1
    if (left > 0) this.#newest.set(value, left)
    else this.#newest.delete(value)
  }

  /** For the rare event out of order. */
  #scan(end: number, value: string | null): WindowCounts {
    const from = upperBound(this.#times, end - this.#timespanMs)
    const through = upperBound(this.#times, end)
    const values = this.#values.slice(from, through).filter(one => one !== null)
    return {
      events: through - from,
      distinct: new Set(values).size,
      fresh: value !== null && values.filter(one => one === value).length === 1,
    }
  }

  /** In batches, so that a long input costs no copy per event. */
  #forget(through: number): void {
    const gone = upperBound(this.#times, through)
    if (gone < 1024) return
    this.#times.splice(0, gone)
    this.#values.splice(0, gone)
    this.#start -= gone
  }
}
