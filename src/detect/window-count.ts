// Exact sliding windows: the Detector of `event_count` and `value_count`.
// Evaluates the condition at the times of matching events, for every window a new event falls in, so any arrival order
// within lateness finds what event-time order finds (docs/decisions/0010-windows-and-episodes.md).
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Condition, FieldReader } from '../rules/rule.ts'
import { holds, monotone, saturation } from './condition.ts'
import { weightOfNumber } from './detector.ts'
import type { Detector, Verdict } from './detector.ts'
import { EventContent } from './event-count.ts'
import { insertDistinct, thinToCap, upperBound } from './sorted-times.ts'
import { boundedValue } from './text.ts'
import { ValueContent } from './value-count.ts'
import type { ContentSnapshot, WindowContent } from './window-content.ts'

/**
 * Evaluation times kept for the lateness zone. CloudTrail times are whole seconds, so the default lateness of 900 s
 * has at most 901; beyond the cap the densest are thinned and an episode's edge may move by the gap between two of them.
 */
const maxEvaluationTimes = 1024

const none: readonly Verdict[] = []

/** What to count, over how long, and when it is enough. */
export interface WindowCountParameters {
  readonly timespanMs: number
  readonly latenessMs: number
  readonly condition: Condition
  /** Reader of the counted field; null counts events. */
  readonly field: FieldReader | null
}

/** State of a window count as plain data. `pending` are the evaluation times not yet decided. */
export interface WindowCountSnapshot extends ContentSnapshot {
  readonly pending: readonly number[]
}

/** The Detector of `event_count` and `value_count` rules. */
export class WindowCount implements Detector {
  private readonly parameters: WindowCountParameters
  private readonly monotone: boolean
  private readonly needed: number
  private readonly content: WindowContent
  private readonly pending: number[]

  constructor(parameters: WindowCountParameters, from?: WindowCountSnapshot, content?: WindowContent) {
    const { timespanMs, condition, field } = parameters
    this.parameters = parameters
    this.monotone = monotone(condition)
    this.needed = saturation(condition)
    this.content =
      content ??
      (field === null
        ? new EventContent(timespanMs, this.needed, from?.times)
        : new ValueContent(timespanMs, this.needed, from))
    this.pending = from === undefined ? [] : [...from.pending]
  }

  observe(event: CloudTrailEvent): readonly Verdict[] {
    const { field, timespanMs } = this.parameters
    const time = event.eventTime
    const value = field === null ? null : boundedValue(field(event))
    const changed = this.content.insert(time, value)
    if (!this.monotone) {
      this.remember(time)
      return none
    }
    const own = this.verdictAt(time)
    if (own === null) this.remember(time)
    if (!changed || this.pending.length === 0) return own === null ? none : [own]
    const verdicts = own === null ? [] : [own]
    const end = time + timespanMs
    for (let i = upperBound(this.pending, time); i < this.pending.length;) {
      const at = this.pending[i] as number
      if (at >= end) break
      const verdict = this.verdictAt(at)
      if (verdict === null) i++
      else {
        verdicts.push(verdict)
        this.pending.splice(i, 1)
      }
    }
    return verdicts
  }

  advance(maxTime: number): readonly Verdict[] {
    const { latenessMs, timespanMs } = this.parameters
    const zone = maxTime - latenessMs
    let verdicts: Verdict[] | null = null
    // an event exactly at the zone's edge is not late and may still change its own time: strictly before only
    const settled = this.pending.length === 0 ? 0 : upperBound(this.pending, before(zone))
    if (settled > 0) {
      if (!this.monotone) {
        for (let i = 0; i < settled; i++) {
          const verdict = this.verdictAt(this.pending[i] as number)
          if (verdict !== null) (verdicts ??= []).push(verdict)
        }
      }
      this.pending.splice(0, settled)
    }
    this.content.dropThrough(zone - timespanMs)
    return verdicts ?? none
  }

  private remember(time: number): void {
    insertDistinct(this.pending, time)
    thinToCap(this.pending, maxEvaluationTimes)
  }

  private verdictAt(end: number): Verdict | null {
    // no window shows more than the whole content: most events of a quiet principal stop here
    if (this.monotone && !holds(this.parameters.condition, this.content.most())) return null
    const count = this.content.count(end - this.parameters.timespanMs, end)
    if (!holds(this.parameters.condition, count)) return null
    return { time: end, count, distinct: this.parameters.field === null ? 0 : count, anomaly: null }
  }

  empty(): boolean {
    return this.pending.length === 0 && this.content.size() === 0
  }

  weight(): number {
    return this.content.textSize() + weightOfNumber * (this.content.size() + this.pending.length)
  }

  clone(): WindowCount {
    const copy = new WindowCount(this.parameters, undefined, this.content.clone())
    for (const time of this.pending) copy.pending.push(time)
    return copy
  }

  snapshot(): WindowCountSnapshot {
    return { ...this.content.snapshot(), pending: [...this.pending] }
  }
}

/** Times are whole milliseconds, so the last one before `time` is one less. */
function before(time: number): number {
  return Math.ceil(time) - 1
}
