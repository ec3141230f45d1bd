// The Detector of a detection rule that feeds no correlation: every matching event is a time at which the condition holds.
// Stateless; episodes turn the times into alerts.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Detector, Verdict } from './detector.ts'

const none: readonly Verdict[] = []

/** The Detector of `single` rules. */
export class Single implements Detector {
  observe(event: CloudTrailEvent): readonly Verdict[] {
    return [{ time: event.eventTime, count: 1, distinct: 0, anomaly: null }]
  }

  advance(): readonly Verdict[] {
    return none
  }

  empty(): boolean {
    return true
  }

  clone(): Single {
    return this
  }

  snapshot(): null {
    return null
  }
}
