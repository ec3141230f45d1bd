// What a backtest found: the value that `replay` hands to its report, its comparison and its summary.
// Pure types. Times are epoch milliseconds of event time. Lists have caps, and what is beyond a cap is counted.
import type { Alert, Level } from '../alerts/alert.ts'
import type { CloudTrailEvent, Principal } from '../normalize/event.ts'
import type { Rule } from '../rules/rule.ts'

/** What was read, and what became of it. */
export interface BacktestInput {
  /** Paths, `-` or the topic, as they were given. */
  readonly sources: readonly string[]
  readonly kind: 'files' | 'topic'
  /** Files read; 0 for a topic. */
  readonly files: number
  /** Normalized events, before `from` and `to`. */
  readonly events: number
  /** Of these, within `from` and `to`. */
  readonly inRange: number
  /** Of these, matched by a detection rule: what the rules evaluate, copies included. */
  readonly matched: number
  /** Further copies of a matched event. */
  readonly duplicates: number
  /**
   * Matched events that came too late for the live detector, in the order of arrival; the backtest evaluates them in their
   * place. Null for files, which have no order of arrival.
   */
  readonly late: number | null
  /** Events evaluated at the time of their record, because their own lies more than five minutes ahead of it. */
  readonly skewed: number
  /** What is no CloudTrail event by design (digest files, notifications), by kind. */
  readonly skipped: Readonly<Record<string, number>>
  /** What could not be normalized, by reason. */
  readonly rejected: Readonly<Record<string, number>>
  /** The range asked for: `from` inclusive, `to` exclusive; null where open. */
  readonly from: number | null
  readonly to: number | null
  /** Oldest and newest event in range; null where there is none. */
  readonly first: number | null
  readonly last: number | null
  /** True when it was interrupted: everything here is about a part of the input. */
  readonly partial: boolean
}

/** One episode of a rule and principal: the alert with all its updates. */
export interface Episode {
  readonly dedupKey: string
  readonly ruleId: string
  readonly ruleTitle: string
  readonly principal: Principal
  readonly group: Alert['group']
  /** As of the last announcement, like everything below. */
  readonly severity: Level
  readonly firstSeen: number
  readonly lastSeen: number
  readonly count: number
  /** Distinct values of what the rule counts; 0 where it counts events. */
  readonly distinct: number
  /** Announcements after the first. */
  readonly updates: number
  readonly suppressed: Alert['suppressed']
  /** The last announcement; null beyond the first {@link keptAlerts} episodes. */
  readonly alert: Alert | null
}

/** Episodes of a backtest that keep their whole alert. */
export const keptAlerts = 2000

/** How many alerts a rule would give with one parameter at another value, everything else as it is. */
export interface SweepPoint {
  readonly value: number
  /** Episodes that are not suppressed. */
  readonly alerts: number
  readonly suppressed: number
}

/** A rule's parameter over a range of values. */
export interface Sweep {
  readonly ruleId: string
  /** As in the rule file and in `--set`: `alpha`, `gte`. */
  readonly parameter: string
  /** What is counted: `awsRegion` of a value_count, null where events are counted and for `alpha`. */
  readonly field: string | null
  /** The value in force; it is among the points. */
  readonly current: number
  /** By value, ascending. */
  readonly points: readonly SweepPoint[]
}

/**
 * What another rule set makes of the same events. Episodes of the same rule, principal and group that overlap in event time
 * are the same finding, whatever their dedup keys.
 */
export interface Change {
  readonly change: 'appeared' | 'disappeared' | 'changed'
  /** Episodes under the old rules; empty where it appeared. */
  readonly before: readonly Episode[]
  /** Episodes under the new rules; empty where it disappeared. */
  readonly after: readonly Episode[]
}

/** The old rules against the new ones. */
export interface Comparison {
  /** What the old rules are: their paths. */
  readonly against: string
  /** By time. */
  readonly changes: readonly Change[]
  /** Findings that are the same in severity, times, counts and suppression. */
  readonly unchanged: number
}

/** The result of a backtest. */
export interface Backtest {
  readonly input: BacktestInput
  /** The rules that can alert, as they were evaluated (`--set` included). */
  readonly rules: readonly Rule[]
  /** What `--set` changed, as it was written. */
  readonly changed: readonly string[]
  /** By time of opening. */
  readonly episodes: readonly Episode[]
  /** Only with `--report`; one for each threshold of each rule that can alert. */
  readonly sweeps: readonly Sweep[]
  /** Only with `--compare`. */
  readonly comparison: Comparison | null
}

/** Days between the oldest and the newest event in range, at least one: what alerts per day are divided by. */
export function daysOf({ first, last }: Pick<BacktestInput, 'first' | 'last'>): number {
  return first === null || last === null ? 1 : Math.max(1, (last - first) / 86_400_000)
}

/**
 * What the report needs beside the result: a fold over the matched events. With `--report`, `replay` goes over them a second
 * time, when the episodes are known, so it need not keep anything about principals that never alerted.
 */
export interface SeriesFold<Series> {
  /** Takes one event. They come principal by principal, those of each by event time, each once: copies are left out. */
  add(event: CloudTrailEvent): void
  series(): Series
}
