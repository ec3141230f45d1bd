// The detector contract: what every counting rule (value-count, event-count, rate-anomaly) is to the engine.
// Pure: a detector is a fold over one principal's distinct, not-late events. Time is event time, epoch milliseconds.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Anomaly } from '../alerts/alert.ts'

/** A time at which a rule's condition holds for a principal, with what was counted in the window that ends there. */
export interface Verdict {
  /** Event time at which the window ends: the time of a matching event. */
  readonly time: number
  /** Events (or denials) in the window. */
  readonly count: number
  /** Distinct values in the window; 0 for event_count. */
  readonly distinct: number
  readonly anomaly: Anomaly | null
  /**
   * True when what happened around this time is graver than the rule's level, which then rises by one (rate_anomaly: a
   * success followed the denials). Such a verdict may repeat a time that was reported before: its news is the severity.
   */
  readonly raise?: boolean
}

/**
 * One rule's counting state for one principal and group. Mutable inside a transaction's own copy; `clone` gives that copy.
 * Exactness: for any arrival order of the same events within lateness, the union of the verdict times is the same set.
 */
export interface Detector {
  /**
   * Takes one event in, after `advance` of the principal's clock including this event. Returns every time at which the
   * condition is now known to hold: the event's own time, and later ones whose windows it fell into. Times reported
   * earlier may be repeated (with fresher counts); a time once reported stays.
   */
  observe(event: CloudTrailEvent): readonly Verdict[]
  /**
   * The principal's clock moved: nothing older than `maxTime - lateness` can arrive any more. State that only served
   * older windows is dropped; conditions that could still have become false (lt, lte, eq, neq) become verdicts here.
   */
  advance(maxTime: number): readonly Verdict[]
  /** True when nothing remains that could influence a later verdict. */
  empty(): boolean
  clone(): Detector
  /** Plain data for the state record; `restore` of the same rule takes it back. */
  snapshot(): unknown
  /**
   * Size of the state for a principal's budget: UTF-16 units of text plus {@link weightOfNumber} per number. A pure function
   * of the content. Absent: {@link defaultWeight} is assumed.
   */
  weight?(): number
}

/** What a number counts in a size budget: about what Avro needs for a difference of times or a short count. */
export const weightOfNumber = 4

/** Weight of a detector that does not say: above what a rate baseline and the denials of an ordinary window take. */
export const defaultWeight = 4096
