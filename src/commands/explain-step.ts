// One step of an explanation: an event of the principal and what it did for one rule. Data only.
import type { Alert, Anomaly } from '../alerts/alert.ts'
import type { Episode } from '../detect/episodes.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'

/**
 * What became of an event: `counted`; `not denied` (part of a rate's history only); `duplicate` of an earlier one; `late`;
 * `no match` with this rule, though with another one of the set; `unusable` because of its time.
 */
export type Fate = 'counted' | 'not denied' | 'duplicate' | 'late' | 'no match' | 'unusable'

/** One event and what it did. */
export interface Step {
  /** From 1, in the order of evaluation. */
  readonly number: number
  readonly event: CloudTrailEvent
  readonly fate: Fate
  /** The counted value; null where the rule counts none. */
  readonly value: string | null
  readonly fresh: boolean
  /** Matching events, distinct values or denials in the window that ends here; null unless counted. */
  readonly count: number | null
  /** What the count needs to reach; null where it is not that simple. */
  readonly needed: number | null
  /** Whether the condition holds in that window. */
  readonly holds: boolean
  readonly anomaly: Anomaly | null
  /** The episode that opens with this event. */
  readonly opened: Episode | null
  /** The distinct values of the window with their first times, where an episode opens or the count is the highest yet. */
  readonly values: ReadonlyMap<string, number> | null
  /** Alerts of this rule that the event raised. */
  readonly told: readonly Alert[]
}

/** An episode of one group. */
export interface KnownEpisode extends Episode {
  readonly group: readonly string[]
}
