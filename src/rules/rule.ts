// What a loaded rule set is to the rest of the program: predicates over CloudTrailEvent and the parameters of what
// counts them. Pure types; the Sigma parser and compiler beside this file build them, src/detect runs them.
import type { Attack, Level } from '../alerts/alert.ts'
import type { CloudTrailEvent, UserIdentity } from '../normalize/event.ts'

/** A comparison of Sigma's correlation `condition`; several bounds form a range. */
export interface Condition {
  readonly gt?: number
  readonly gte?: number
  readonly lt?: number
  readonly lte?: number
  readonly eq?: number
  readonly neq?: number
}

/** Reads one field of an event as text; null where absent or empty. Compiled once per rule. */
export type FieldReader = (event: CloudTrailEvent) => string | null

/** A named field with its reader. */
export interface Field {
  readonly name: string
  readonly read: FieldReader
}

/** Parameters of the `rate_anomaly` extension. Times in milliseconds; defaults are those of the reference model. */
export interface RateAnomalyParameters {
  /** Which of the rule's events are the denials; the rest is the population that gives the baseline its exposure. */
  readonly denied: (event: CloudTrailEvent) => boolean
  /** Distinct values of this field are counted among the denials (the secret). */
  readonly distinct: Field
  readonly windowMs: number
  /** Time constant of each filter of the cascade. */
  readonly tauMs: number
  /** Number of filters beyond the first (m of the model). */
  readonly filters: number
  readonly alpha: number
  readonly minCount: number
  readonly minDistinct: number
  /** Gamma prior: shape, and rate as milliseconds of exposure. */
  readonly priorShape: number
  readonly priorExposureMs: number
  /** Prior over-dispersion and its weight in blocks. */
  readonly dispersion: number
  readonly dispersionBlocks: number
  /** A successful read within this time after the denials raises the severity by one level; 0 switches it off. */
  readonly successWithinMs: number
  /**
   * `shared` (the default) judges all denials alike. `first-denials` also judges denials of secrets never denied before
   * as a stream of their own, and learns how large the principal's benign bursts are (docs/decisions/0011-rate-model.md).
   */
  readonly model?: 'shared' | 'first-denials'
}

/** What turns matching events into true conditions. */
export type RuleBody =
  | { readonly kind: 'single' }
  | { readonly kind: 'event_count'; readonly timespanMs: number; readonly condition: Condition }
  | {
      readonly kind: 'value_count'
      readonly timespanMs: number
      readonly condition: Condition
      /** The counted field; a Sigma `field` list is one Field whose reader joins the values. */
      readonly field: Field
    }
  | { readonly kind: 'rate_anomaly'; readonly rate: RateAnomalyParameters }

/** A rule that can alert. */
export interface Rule {
  /** Sigma `name`, else `id`. */
  readonly id: string
  readonly title: string
  readonly description: string
  /** Content hash of the rule's document and the rules it refers to: first 16 hex digits of SHA-256. */
  readonly version: string
  readonly level: Level
  readonly status: string
  readonly attack: readonly Attack[]
  readonly references: readonly string[]
  readonly falsePositives: readonly string[]
  /** Where it stands, for messages: `rules/secretsmanager-multi-region.yml:31`. */
  readonly origin: string
  readonly body: RuleBody
  /** Indices into {@link RuleSet.predicates} whose events feed the rule (any of them). */
  readonly feeds: readonly number[]
  /** Group-by fields after `principal`, in the order of the rule. */
  readonly groupBy: readonly Field[]
  /** Episode gap, default 10 min. */
  readonly dedupMs: number
  /** Longest episode, default 24 h. */
  readonly maxEpisodeMs: number
  /** Markdown with placeholders; null gives the generic one. */
  readonly runbook: string | null
  readonly summaryFields: readonly Field[]
}

/** A detection rule's predicate. */
export interface Predicate {
  readonly ruleId: string
  readonly test: (event: CloudTrailEvent) => boolean
}

/** A member of the event that decoding can leave out. The identity's count one by one: they are a third of all texts. */
export type EventMember = Exclude<keyof CloudTrailEvent, 'userIdentity'> | `userIdentity.${keyof UserIdentity}`

/** A loaded rule set. Immutable. */
export interface RuleSet {
  /** Rules that alert, in load order. */
  readonly rules: readonly Rule[]
  /** Detection rules, those that only feed correlations included. */
  readonly predicates: readonly Predicate[]
  /**
   * Indices of the predicates that match, ascending, deduplicated; empty for most events. Dispatches on eventSource and
   * eventName, so rules about other calls cost nothing.
   */
  readonly match: (event: CloudTrailEvent) => readonly number[]
  /** False when no predicate can match this call: the event need not be decoded further. */
  readonly wants: (eventSource: string, eventName: string) => boolean
  /** Largest lateness of the rules, default 15 min: one value for the whole set, because lateness belongs to the principal. */
  readonly latenessMs: number
  /** Content hash over all rules. */
  readonly version: string
  /**
   * Members of the event that the rules read; null when they may read any (a keyword search). What the engine reads for
   * itself, whatever the rules, is not among them.
   */
  readonly fields: ReadonlySet<EventMember> | null
}
