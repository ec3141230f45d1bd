// Which steps of an explanation are shown: the first and the last that bear on the rule, and every one at which something was
// decided or told, with the step before it. What lies between is counted, not kept, so that a long trail costs no memory.
import type { Step } from './explain-step.ts'

/** Steps in a row, or how many were left out. */
export type Shown = Step | { readonly omitted: number }

/** Events that do not bear on the rule are summed up at the end; so many stand as examples. */
const examples = 3

/** Takes every step, keeps some. */
export class StepSelection {
  readonly #ends: number
  readonly #shown: Shown[] = []
  #tail: Step[] = []
  #taken = 0
  #beside = 0

  /** `ends` is how many steps are kept at the beginning and at the end; Infinity keeps all. */
  constructor(ends: number) {
    this.#ends = ends
  }

  add(step: Step): void {
    const decisive = step.opened !== null || step.told.length > 0
    const beside = !decisive && (step.fate === 'no match' || step.fate === 'not denied')
    if (beside && this.#ends !== Infinity && ++this.#beside > examples) return
    if (this.#taken++ < this.#ends) {
      this.#shown.push(step)
      return
    }
    this.#tail.push(step)
    if (decisive) this.#flush(2)
    else if (this.#tail.length > this.#ends) this.#omit(1)
  }

  /** Shows the last `count` steps of the tail and leaves the others out. */
  #flush(count: number): void {
    this.#omit(Math.max(0, this.#tail.length - count))
    this.#shown.push(...this.#tail)
    this.#tail = []
  }

  #omit(count: number): void {
    if (count === 0) return
    this.#tail.splice(0, count)
    const last = this.#shown.at(-1)
    const before = last !== undefined && 'omitted' in last ? last.omitted : 0
    if (before > 0) this.#shown.pop()
    this.#shown.push({ omitted: before + count })
  }

  /** The selection; call once, at the end. */
  list(): readonly Shown[] {
    this.#flush(this.#ends)
    return this.#shown
  }
}
