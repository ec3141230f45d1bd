// The engine: rules over events, state per principal, changes and alerts collected in a transaction of their own.
// Shaped for exactly-once: a batch is begun, events are processed into an overlay, and the overlay becomes the state when
// the caller's Kafka transaction has committed, or vanishes. No clock, no I/O; process() does not throw on any event.
import type { Alert, InputPosition } from '../alerts/alert.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Rule, RuleSet } from '../rules/rule.ts'
import type { AlertDraft } from './announcement.ts'
import { compileRule } from './compiled-rule.ts'
import type { CompiledRule } from './compiled-rule.ts'
import { DecayingRate } from './decaying-rate.ts'
import type { PrincipalStateRecord, Timing } from './principal-state.ts'
import { PrincipalState } from './principal-state.ts'
import { StateTable } from './state-table.ts'
import type { StoredStates } from './stored-state.ts'
import { eventHash } from './seen-events.ts'

export type { PrincipalStateRecord } from './principal-state.ts'

/** An event further ahead of its record's timestamp than this comes from a clock that is wrong. */
const maxSkewMs = 5 * 60_000

/** Times further from 1970 are refused (year ±128,000): differences of any two must stay exact integers in the state. */
const farthestMs = 4e15

/** What the engine needs besides rules. */
export interface EngineOptions {
  /** Writes the prose of an alert: `explain` and `fillRunbook` of src/alerts. */
  readonly describe: (draft: AlertDraft, rule: Rule) => { readonly explanation: string; readonly runbook: string }
  /** Marks suppressed alerts; pure. */
  readonly suppress?: (alert: Alert) => Alert
  /** How long copies are told from late events, default 24 h of event time. */
  readonly dedupHorizonMs?: number
  /** A principal silent for longer starts from nothing, default 90 d. */
  readonly stateTtlMs?: number
  /** How states at rest are read where they are kept as bytes; without it all states stay objects. */
  readonly stored?: StoredStates
}

/** What a transaction did, for metrics. `evaluated` counts events taken in by each rule, in rule order. */
export interface EngineCounts {
  processed: number
  matched: number
  late: number
  duplicates: number
  skewed: number
  readonly evaluated: number[]
}

/** Holds the committed state of the principals of one input partition. */
export class Engine {
  readonly #rules: RuleSet
  readonly #options: EngineOptions
  readonly #timing: Timing
  readonly #compiled: readonly CompiledRule[]
  /** For every predicate, the rules it feeds. */
  readonly #fedBy: readonly (readonly CompiledRule[])[]
  readonly #states: StateTable
  /** Transactions begun. */
  #begun = 0
  readonly #denied = new DecayingRate(60 * 60_000)

  constructor(rules: RuleSet, options: EngineOptions) {
    this.#rules = rules
    this.#options = options
    this.#timing = {
      latenessMs: rules.latenessMs,
      dedupHorizonMs: options.dedupHorizonMs ?? 24 * 60 * 60_000,
      stateTtlMs: options.stateTtlMs ?? 90 * 24 * 60 * 60_000,
    }
    this.#compiled = rules.rules.map((rule, i) => compileRule(rule, i, rules.latenessMs))
    const byId = new Map(this.#compiled.map(rule => [rule.rule.id, rule]))
    this.#states = new StateTable(byId, options.stored ?? null)
    this.#fedBy = rules.predicates.map((_, p) => this.#compiled.filter(rule => rule.rule.feeds.includes(p)))
  }

  /**
   * Takes a state of the changelog in; null is a tombstone. The latest record of a key counts. The bytes of a changelog
   * record are copied; false, and nothing done, where `stored` is absent or cannot keep them: they have to be decoded.
   */
  load(key: string, state: PrincipalStateRecord | Uint8Array | null): boolean {
    return this.#states.load(key, state)
  }

  /** Begins a transaction. One at a time: one that was begun before and not merged is discarded. */
  begin(): EngineTransaction {
    this.#states.recall()
    const serial = ++this.#begun
    return new EngineTransaction(
      { rules: this.#rules, options: this.#options, timing: this.#timing, fedBy: this.#fedBy, states: this.#states },
      this.#denied.clone(),
      this.#compiled.length,
      denied => {
        if (serial !== this.#begun) throw new Error('a transaction was begun after this one')
        this.#denied.assign(denied)
      },
      () => {
        if (serial === this.#begun) this.#states.recall()
      },
    )
  }

  /**
   * Principals silent for longer than the state's time to live before `streamTime` (event time, epoch milliseconds),
   * for tombstones. Their next event would start from nothing anyway, provided that it is not older than `streamTime`.
   */
  expired(streamTime: number): string[] {
    return this.#states.olderThan(streamTime - this.#timing.stateTtlMs)
  }

  /** Principals with state. */
  get principals(): number {
    return this.#states.size
  }

  /** Bytes of the states that are kept as changelog records. */
  get restingBytes(): number {
    return this.#states.restingBytes
  }

  /** Denied calls per hour over all principals: exponentially weighted in event time with a time constant of one hour. */
  get deniedPerHour(): number {
    return this.#denied.perHour()
  }

  /** The committed state of a principal, or null; for explanations and tests, not while a transaction is open. */
  state(key: string): PrincipalStateRecord | null {
    return structuredClone(this.#states.get(key)?.snapshot() ?? null)
  }

  /** The committed state of a principal as live object, or null; for explanations and tests. Do not change it. */
  principal(key: string): PrincipalState | null {
    return this.#states.get(key)
  }
}

interface Shared {
  readonly rules: RuleSet
  readonly options: EngineOptions
  readonly timing: Timing
  readonly fedBy: readonly (readonly CompiledRule[])[]
  readonly states: StateTable
}

/** Events processed together: their state changes, alerts and counts, until `merge` or `discard`. */
export class EngineTransaction {
  readonly alerts: Alert[] = []
  readonly counts: EngineCounts
  readonly #shared: Shared
  readonly #overlay = new Map<string, PrincipalState | null>()
  /** The state that was looked up last: a copy of an event changes none, and the next event may be of the same principal. */
  #looked: { readonly key: string; readonly state: PrincipalState | null } | null = null
  readonly #denied: DecayingRate
  readonly #commit: (denied: DecayingRate) => void
  readonly #abandon: () => void
  readonly #raise = (draft: AlertDraft, compiled: CompiledRule): void => {
    const alert: Alert = { ...draft, ...this.#shared.options.describe(draft, compiled.rule) }
    this.alerts.push(this.#shared.options.suppress?.(alert) ?? alert)
  }

  constructor(
    shared: Shared,
    denied: DecayingRate,
    rules: number,
    commit: (denied: DecayingRate) => void,
    abandon: () => void,
  ) {
    this.#shared = shared
    this.#denied = denied
    this.#commit = commit
    this.#abandon = abandon
    this.counts = {
      processed: 0,
      matched: 0,
      late: 0,
      duplicates: 0,
      skewed: 0,
      evaluated: new Array<number>(rules).fill(0),
    }
  }

  /**
   * Takes an event in. `position` is the input record's, for the alert; `recordTimestamp` its Kafka timestamp, or null where
   * the input is not a topic, which also switches the clock-skew rule off. Does not throw on any event.
   */
  process(event: CloudTrailEvent, position: InputPosition | null, recordTimestamp: number | null): void {
    const timestamp = given(recordTimestamp)
    const { rules, timing, fedBy } = this.#shared
    this.counts.processed++
    const matches = rules.match(event)
    if (matches.length === 0 || !usable(event.eventTime)) return
    this.counts.matched++
    const time = evaluationTime(event.eventTime, timestamp)
    const skewed = time !== event.eventTime
    const evaluated = skewed ? { ...event, eventTime: time } : event
    const { key } = event.principal
    let state = this.#lookup(key)
    if (state?.outlived(time, timing.stateTtlMs) === true) state = null
    const hash = eventHash(event.recipientAccountId, event.eventId)
    const admission = state?.admit(hash, time, timing) ?? 'admitted'
    if (admission === 'duplicate') {
      this.counts.duplicates++
      return
    }
    if (skewed) this.counts.skewed++
    if (admission === 'late') {
      this.counts.late++
      return
    }
    if (event.outcome === 'DENIED') this.#denied.add(time)
    const fed = rulesFed(fedBy, matches)
    for (const rule of fed) this.counts.evaluated[rule.index] = (this.counts.evaluated[rule.index] ?? 0) + 1
    const trigger = { principal: event.principal, detectedAt: timestamp ?? time, input: position }
    this.#touch(key, state).take(evaluated, hash, event.eventTime, fed, timing, trigger, this.#raise)
  }

  /** Counts an event that was passed over unread, because no rule wants its call. */
  pass(): void {
    this.counts.processed++
  }

  #lookup(key: string): PrincipalState | null {
    const touched = this.#overlay.get(key)
    if (touched !== undefined) return touched
    if (this.#looked?.key !== key) this.#looked = { key, state: this.#shared.states.get(key) }
    return this.#looked.state
  }

  #touch(key: string, state: PrincipalState | null): PrincipalState {
    if (state !== null && this.#overlay.get(key) === state) return state
    const changing = state === null ? PrincipalState.fresh(key) : this.#shared.states.change(key, state)
    this.#overlay.set(key, changing)
    return changing
  }

  /** Drops a principal's state with this transaction: the tombstone of {@link Engine.expired}. */
  forget(key: string): void {
    this.#overlay.set(key, null)
    this.#looked = null
  }

  /** The new state of a principal; null where this transaction has not changed it, has put it to rest or forgotten it. */
  changed(key: string): PrincipalStateRecord | null {
    return this.#overlay.get(key)?.snapshot() ?? null
  }

  /** Principals that this transaction forgets: each is a tombstone. */
  *forgotten(): Generator<string> {
    for (const [key, state] of this.#overlay) if (state === null) yield key
  }

  /** Changed principals that were not put to rest, with their new state, null for a tombstone. */
  *changes(): Generator<[key: string, record: PrincipalStateRecord | null]> {
    for (const [key, state] of this.#overlay) yield [key, state?.snapshot() ?? null]
  }

  /**
   * Takes the changelog record of a changed principal for its state, which need not be held as an object any more. Copies
   * it, and returns the copy, which is not to be changed and holds until the transaction is over. Null, and the object stays,
   * without `stored` and for a record that it cannot keep.
   */
  rest(key: string, value: Uint8Array): Buffer | null {
    const resting = this.#overlay.get(key) == null ? null : this.#shared.states.rest(key, value)
    if (resting === null) return null
    this.#overlay.delete(key)
    this.#looked = null
    return resting
  }

  /** Makes the changes the committed state. Call when the Kafka transaction has committed, and only then. */
  merge(): void {
    this.#commit(this.#denied)
    const { states } = this.#shared
    states.settle()
    for (const [key, state] of this.#overlay) states.load(key, state)
    this.#overlay.clear()
    this.#looked = null
  }

  /** Forgets the changes. */
  discard(): void {
    this.#abandon()
    this.#overlay.clear()
    this.#looked = null
  }
}

/**
 * The time at which an event is evaluated: its own, or that of its Kafka record where it claims to be more than five minutes
 * ahead of that. Epoch milliseconds; null where there is no record.
 */
export function evaluationTime(eventTime: number, recordTimestamp: number | null): number {
  const timestamp = given(recordTimestamp)
  return timestamp !== null && eventTime > timestamp + maxSkewMs ? timestamp : eventTime
}

/** Kafka writes -1 where a record has no timestamp. */
function given(recordTimestamp: number | null): number | null {
  return recordTimestamp !== null && recordTimestamp >= 0 ? recordTimestamp : null
}

function usable(time: number): boolean {
  return Number.isSafeInteger(time) && Math.abs(time) <= farthestMs
}

function rulesFed(fedBy: readonly (readonly CompiledRule[])[], matches: readonly number[]): readonly CompiledRule[] {
  if (matches.length === 1) return fedBy[matches[0] as number] ?? []
  const fed: CompiledRule[] = []
  for (const match of matches) for (const rule of fedBy[match] ?? []) if (!fed.includes(rule)) fed.push(rule)
  return fed
}
