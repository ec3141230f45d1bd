// Window content for `value_count`: times per distinct value, thinned so that any window still shows min(distinct, saturation).
// Memory is bounded by the saturation and the ratio (timespan + lateness)/timespan, whatever the traffic.
import { dropThrough, insertDistinct, upperBound } from './sorted-times.ts'
import type { ContentSnapshot, WindowContent } from './window-content.ts'

/** A pass over all entries starts when this many more than twice what the last pass left have come in. */
const passSlack = 16

/**
 * Times at which each value was seen. Invariant: for every half-open window of one timespan, and for any later
 * arrivals, the kept and the full entries show the same number of distinct values up to `saturation`.
 *
 * Why an entry (t, v) may go, each time judged against the entries that are still kept:
 * 1. the same value stands at t1 ≤ t ≤ t3 with t3 - t1 ≤ timespan: a window that holds t holds t1 or t3;
 * 2. N other values stand in [t1, t] and N other values in [t, t3] with t3 - t1 ≤ timespan: such a window holds all of
 *    one side, so it shows N values without v.
 */
export class ValueContent implements WindowContent {
  private readonly timespan: number
  private readonly saturation: number
  private readonly byValue = new Map<string, number[]>()
  private entries = 0
  private text = 0
  private nextPrune: number

  constructor(timespan: number, saturation: number, from?: ContentSnapshot) {
    this.timespan = timespan
    this.saturation = saturation
    this.nextPrune = from?.nextPrune ?? 2 * saturation + passSlack
    from?.times.forEach((time, i) => {
      const value = from.values[i] ?? ''
      const times = this.byValue.get(value)
      if (times === undefined) this.begin(value, time)
      else times.push(time)
      this.entries++
    })
  }

  insert(time: number, value: string | null): boolean {
    if (value === null) return false
    const times = this.byValue.get(value)
    if (times === undefined) {
      this.begin(value, time)
      this.entries++
    } else {
      const before = times.length
      const changed = this.insertForValue(times, time)
      this.entries += times.length - before
      if (!changed) return false
    }
    if (this.entries >= this.nextPrune) this.dropOutnumbered()
    return true
  }

  private begin(value: string, time: number): void {
    this.byValue.set(value, [time])
    this.text += value.length
  }

  private end(value: string): void {
    this.byValue.delete(value)
    this.text -= value.length
  }

  /** Rule 1 around the new time. Returns false when the new time itself is redundant. */
  private insertForValue(times: number[], time: number): boolean {
    const at = upperBound(times, time)
    const previous = times[at - 1]
    const next = times[at]
    if (previous === time) return false
    if (previous !== undefined && next !== undefined && next - previous <= this.timespan) return false
    insertDistinct(times, time)
    // the neighbours may have become middles; the right one first, so that `at` stays true
    const right2 = times[at + 2]
    if (right2 !== undefined && right2 - time <= this.timespan) times.splice(at + 1, 1)
    const left2 = times[at - 2]
    if (left2 !== undefined && time - left2 <= this.timespan) times.splice(at - 1, 1)
    return true
  }

  /** Rule 2 for every entry, oldest values first. Runs rarely enough to cost O(1) amortised per event. */
  private dropOutnumbered(): void {
    if (this.byValue.size > this.saturation) {
      for (const [value, times] of this.byValue) {
        for (let i = 0; i < times.length;) {
          if (this.outnumbered(value, times[i] as number)) {
            times.splice(i, 1)
            this.entries--
          } else i++
        }
        if (times.length === 0) this.end(value)
      }
    }
    this.nextPrune = 2 * this.entries + passSlack
  }

  private outnumbered(value: string, time: number): boolean {
    const left: number[] = []
    const right: number[] = []
    for (const [other, times] of this.byValue) {
      if (other === value) continue
      const after = upperBound(times, time)
      const nearestLeft = times[after - 1]
      // an equal time stands on both sides: every window that holds one holds the other
      const nearestRight = nearestLeft === time ? time : times[after]
      if (nearestLeft !== undefined && time - nearestLeft <= this.timespan) insertSorted(left, time - nearestLeft)
      if (nearestRight !== undefined && nearestRight - time <= this.timespan) insertSorted(right, nearestRight - time)
    }
    const back = left[this.saturation - 1]
    const forth = right[this.saturation - 1]
    return back !== undefined && forth !== undefined && back + forth <= this.timespan
  }

  count(from: number, to: number): number {
    if (this.byValue.size === 0) return 0
    let distinct = 0
    for (const times of this.byValue.values()) {
      const newest = times[times.length - 1] as number
      if (newest <= from) continue
      const last = newest <= to ? newest : times[upperBound(times, to) - 1]
      if (last !== undefined && last > from) distinct++
    }
    return distinct
  }

  dropThrough(time: number): void {
    for (const [value, times] of this.byValue) {
      if ((times[0] as number) > time) continue
      this.entries -= times.length
      dropThrough(times, time)
      this.entries += times.length
      if (times.length === 0) this.end(value)
    }
  }

  most(): number {
    return this.byValue.size
  }

  size(): number {
    return this.entries
  }

  textSize(): number {
    return this.text
  }

  clone(): ValueContent {
    const copy = new ValueContent(this.timespan, this.saturation)
    for (const [value, times] of this.byValue) copy.byValue.set(value, [...times])
    copy.entries = this.entries
    copy.text = this.text
    copy.nextPrune = this.nextPrune
    return copy
  }

  /** Grouped by value in the order of the map, so that a restored window goes through the same passes. */
  snapshot(): ContentSnapshot {
    const times: number[] = []
    const values: string[] = []
    for (const [value, seen] of this.byValue) {
      for (const time of seen) {
        times.push(time)
        values.push(value)
      }
    }
    return { times, values, nextPrune: this.nextPrune }
  }
}

function insertSorted(sorted: number[], item: number): void {
  sorted.splice(upperBound(sorted, item), 0, item)
}
