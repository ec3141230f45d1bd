// Alert: the value of cloudtrail.alerts.v1 (topics/cloudtrail.alerts.v1/value.avsc) and of `--json` output.
// Pure. One episode of one rule for one principal is one dedup key: the first alert is CREATE, later news are UPDATE.
import type { Principal, UserIdentity } from '../normalize/event.ts'

/** Sigma levels, lowest first. */
export const levels = ['informational', 'low', 'medium', 'high', 'critical'] as const
export type Level = (typeof levels)[number]

/** OCSF 1.8 severity_id: 1 Informational to 5 Critical. */
export function severityIdOf(level: Level): number {
  return levels.indexOf(level) + 1
}

/** ATT&CK reference of a rule: `tactic` TA…, `technique` T… (either may be empty when the rule names one only). */
export interface Attack {
  readonly tactic: string
  readonly technique: string
}

/** A value that the rule counts, with when and how often it was seen in the episode. Times are epoch milliseconds. */
export interface DistinctValue {
  readonly value: string
  readonly first: number
  readonly last: number
  readonly count: number
}

/** A sample event that shows what happened; of request and response only the fields that the rule asks for. */
export interface Evidence {
  readonly eventId: string
  readonly eventTime: number
  readonly eventName: string
  readonly eventSource: string
  readonly awsRegion: string
  readonly recipientAccountId: string
  readonly sourceIPAddress: string | null
  readonly userAgent: string | null
  readonly errorCode: string | null
  readonly userIdentity: Pick<UserIdentity, 'type' | 'arn' | 'accessKeyId' | 'sessionName'>
  /** The rule's summary fields that this event has, in the rule's order: at most 16, values cut to 256 UTF-16 units. */
  readonly fields: readonly { readonly field: string; readonly value: string }[]
}

/** How many distinct values there were in all, where the lists of the alert are capped. */
export interface AlertTotals {
  readonly distinctValues: number
  readonly regions: number
  readonly accounts: number
  readonly sourceIPs: number
  readonly userAgents: number
  readonly accessKeys: number
  readonly sessionNames: number
  readonly secrets: number
}

/** What a `rate_anomaly` rule compared. Source of the formulas: docs/decisions on the rate model. */
export interface Anomaly {
  /** Denials in the window that was judged. */
  readonly count: number
  /** Distinct secrets among them. */
  readonly distinct: number
  /** Mean of the predictive distribution for that window. */
  readonly expected: number
  /** Probability of at least `count` under the principal's own history, 0 to 1. */
  readonly pValue: number
  /** The threshold that was in force. */
  readonly alpha: number
  /** Effective history behind the baseline, milliseconds. */
  readonly exposureMs: number
  /** Size parameter r of the negative binomial; smaller is more dispersed. */
  readonly dispersion: number
}

/** Position of the input record whose processing raised the alert; null where the input is not a topic. */
export interface InputPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** An alert. Lists are capped, `totals` says how many there were. Times are epoch milliseconds. */
export interface Alert {
  readonly dedupKey: string
  readonly activity: 'CREATE' | 'UPDATE'
  /** 0 for the CREATE, then 1, 2, … within the episode: with the dedup key the CloudEvents id. */
  readonly sequence: number
  readonly mergedInto: string | null
  readonly ruleId: string
  readonly ruleTitle: string
  readonly ruleVersion: string
  readonly severity: Level
  readonly severityId: number
  readonly attack: readonly Attack[]
  readonly principal: Principal
  /** Further group-by fields of the rule and their values. */
  readonly group: readonly { readonly field: string; readonly value: string }[]
  readonly firstSeen: number
  readonly lastSeen: number
  readonly detectedAt: number
  readonly window: { readonly start: number; readonly end: number }
  readonly count: number
  readonly distinctValues: readonly DistinctValue[]
  readonly regions: readonly string[]
  readonly accounts: readonly string[]
  readonly sourceIPs: readonly string[]
  readonly userAgents: readonly string[]
  readonly accessKeys: readonly string[]
  readonly sessionNames: readonly string[]
  readonly secrets: readonly string[]
  readonly totals: AlertTotals
  readonly evidence: readonly Evidence[]
  readonly anomaly: Anomaly | null
  readonly explanation: string
  readonly runbook: string
  readonly input: InputPosition | null
  /** Set when a suppression matched: such an alert is counted and shown in replay, and not produced. */
  readonly suppressed: { readonly id: string; readonly reason: string; readonly owner: string } | null
}
