// Window content for `event_count`: sorted event times, thinned so that any window still shows min(count, saturation).
// Memory: at most 2N entries per timespan, so 2N(timespan + lateness)/timespan in all, whatever the traffic.
import { dropThrough, upperBound } from './sorted-times.ts'
import type { ContentSnapshot, WindowContent } from './window-content.ts'

/**
 * Times of matching events. Invariant: for every half-open window of one timespan, and for any later arrivals, the
 * number of kept times and the number of all times agree up to `saturation`.
 *
 * Why an entry may go: when times[i+N] - times[i-N] ≤ timespan, a window (s, e] that holds times[i] holds either
 * times[i-N..i-1] or times[i+1..i+N] entirely: otherwise times[i-N] ≤ s and times[i+N] > e, more than a timespan apart.
 */
export class EventContent implements WindowContent {
  private readonly timespan: number
  private readonly saturation: number
  private readonly times: number[]

  constructor(timespan: number, saturation: number, times: readonly number[] = []) {
    this.timespan = timespan
    this.saturation = saturation
    this.times = [...times]
  }

  insert(time: number): boolean {
    const { times, saturation: n } = this
    const at = upperBound(times, time)
    if (at === times.length) {
      times.push(time)
      this.dropIfRedundant(at - n)
      return true
    }
    if (this.redundant(at - 1, at)) return false
    times.splice(at, 0, time)
    for (let i = Math.max(n, at - n); i <= at + n && i + n < times.length;) {
      if (!this.dropIfRedundant(i)) i++
    }
    return true
  }

  /** Whether an entry about to stand between `left` and `right` has N neighbours on both sides within a timespan. */
  private redundant(left: number, right: number): boolean {
    const before = this.times[left - this.saturation + 1]
    const after = this.times[right + this.saturation - 1]
    return before !== undefined && after !== undefined && after - before <= this.timespan
  }

  private dropIfRedundant(index: number): boolean {
    const before = this.times[index - this.saturation]
    const after = this.times[index + this.saturation]
    if (before === undefined || after === undefined || after - before > this.timespan) return false
    this.times.splice(index, 1)
    return true
  }

  count(from: number, to: number): number {
    return upperBound(this.times, to) - upperBound(this.times, from)
  }

  dropThrough(time: number): void {
    dropThrough(this.times, time)
  }

  most(): number {
    return this.times.length
  }

  size(): number {
    return this.times.length
  }

  textSize(): number {
    return 0
  }

  clone(): EventContent {
    return new EventContent(this.timespan, this.saturation, this.times)
  }

  snapshot(): ContentSnapshot {
    return { times: [...this.times], values: [], nextPrune: 0 }
  }
}
