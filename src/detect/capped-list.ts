// A list of distinct texts with a cap, and an honest number of how many there were beyond it.
// Beyond the cap only the smallest 64 of 32-bit hashes are kept (k minimum values, Bar-Yossef et al. 2002): the total is
// exact to 64 distinct values and an estimate with a standard error of about 13 % above.
import { weightOfNumber } from './detector.ts'
import { hash32 } from './hash.ts'
import { upperBound } from './sorted-times.ts'

/** Hashes kept beyond the cap: the standard error of the estimate is 1/sqrt(k - 2). */
const sketchSize = 64

/** Plain form of {@link CappedList}. `sketch` is empty until the list is full. */
export interface CappedListSnapshot {
  readonly items: readonly string[]
  readonly sketch: readonly number[]
}

/** Distinct texts, at most `cap` of them, first come first kept. */
export class CappedList {
  private readonly cap: number
  items: readonly string[]
  private sketch: readonly number[]
  private text = 0
  /** True while a copy may hold the same arrays: whoever changes one first takes its own. */
  private shared = false

  constructor(cap: number, from?: CappedListSnapshot) {
    this.cap = cap
    this.items = from === undefined ? [] : [...from.items]
    this.sketch = from === undefined ? [] : [...from.sketch]
    for (const item of this.items) this.text += item.length
  }

  /** Takes a text in; null and empty are nothing. Returns whether the list of items grew. */
  add(item: string | null): boolean {
    if (item === null || item === '' || this.items.includes(item)) return false
    if (this.items.length < this.cap) {
      this.own().items.push(item)
      this.text += item.length
      return true
    }
    if (this.sketch.length === 0) for (const kept of this.items) this.note(hash32(kept))
    this.note(hash32(item))
    return false
  }

  private note(hash: number): void {
    if (this.sketch.length === sketchSize && hash >= (this.sketch[sketchSize - 1] as number)) return
    const at = upperBound(this.sketch, hash)
    if (this.sketch[at - 1] === hash) return
    const { sketch } = this.own()
    sketch.splice(at, 0, hash)
    if (sketch.length > sketchSize) sketch.pop()
  }

  private own(): { items: string[]; sketch: number[] } {
    if (this.shared) {
      this.items = this.items.slice()
      this.sketch = this.sketch.slice()
      this.shared = false
    }
    return this as unknown as { items: string[]; sketch: number[] }
  }

  /** Distinct texts seen: exact up to the cap or 64, whichever is more, then an estimate. Never below what is listed. */
  total(): number {
    const { items, sketch } = this
    if (sketch.length < sketchSize) return Math.max(items.length, sketch.length)
    const estimate = Math.round(((sketchSize - 1) * 2 ** 32) / ((sketch[sketchSize - 1] as number) + 1))
    return Math.max(items.length, sketch.length, estimate)
  }

  /** Takes over what another list of the same kind holds. */
  merge(other: CappedList): void {
    for (const item of other.items) this.add(item)
    if (other.sketch.length === 0) return
    if (this.sketch.length === 0) for (const kept of this.items) this.note(hash32(kept))
    for (const hash of other.sketch) this.note(hash)
  }

  /** The listed items in a fixed order that does not depend on arrival. */
  sorted(): string[] {
    return [...this.items].sort()
  }

  weight(): number {
    return this.text + weightOfNumber * (this.items.length + this.sketch.length)
  }

  clone(): CappedList {
    const copy = new CappedList(this.cap)
    copy.items = this.items
    copy.sketch = this.sketch
    copy.text = this.text
    copy.shared = true
    this.shared = true
    return copy
  }

  snapshot(): CappedListSnapshot {
    return { items: this.items, sketch: this.sketch }
  }
}
