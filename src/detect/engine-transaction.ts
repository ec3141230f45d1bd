// A transaction of the engine: events in, and out of them alerts, counts and changed states in an overlay, which becomes the
// committed state by merge() or vanishes. Shaped for exactly-once. No clock, no I/O; process() does not throw on any event.
import type { Alert, InputPosition } from '../alerts/alert.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { RuleSet } from '../rules/rule.ts'
import type { AlertDraft } from './announcement.ts'
import type { CompiledRule } from './compiled-rule.ts'
import type { DecayingRate } from './decaying-rate.ts'
import type { EngineOptions } from './engine.ts'
import type { PrincipalStateRecord, Timing } from './principal-state.ts'
import { PrincipalState } from './principal-state.ts'
import { eventHash } from './seen-events.ts'
import type { StateTable } from './state-table.ts'

/** An event further ahead of its record's timestamp than this comes from a clock that is wrong. */
const maxSkewMs = 5 * 60_000

/** Times further from 1970 are refused (year ±128,000): differences of any two must stay exact integers in the state. */
const farthestMs = 4e15

/** What a transaction did, for metrics. `evaluated` counts events taken in by each rule, in rule order. */
export interface EngineCounts {
  processed: number
  matched: number
  late: number
  duplicates: number
  skewed: number
  readonly evaluated: number[]
}

/** What a transaction has of its engine. */
export interface EngineParts {
  readonly rules: RuleSet
  readonly options: Pick<EngineOptions, 'describe' | 'suppress'>
  readonly timing: Timing
  readonly fedBy: readonly (readonly CompiledRule[])[]
  readonly states: StateTable
}

/** Events processed together: their state changes, alerts and counts, until `merge` or `discard`. */
export class EngineTransaction {
  readonly alerts: Alert[] = []
  readonly counts: EngineCounts
  readonly #engine: EngineParts
  readonly #overlay = new Map<string, PrincipalState | null>()
  /** The state that was looked up last: a copy of an event changes none, and the next event may be of the same principal. */
  #looked: { readonly key: string; readonly state: PrincipalState | null } | null = null
  readonly #denied: DecayingRate
  readonly #commit: (denied: DecayingRate) => void
  readonly #abandon: () => void
  readonly #raise = (draft: AlertDraft, compiled: CompiledRule): void => {
    const alert: Alert = { ...draft, ...this.#engine.options.describe(draft, compiled.rule) }
    this.alerts.push(this.#engine.options.suppress?.(alert) ?? alert)
  }

  constructor(
    engine: EngineParts,
    denied: DecayingRate,
    rules: number,
    commit: (denied: DecayingRate) => void,
    abandon: () => void,
  ) {
    this.#engine = engine
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
    const { rules, timing, fedBy } = this.#engine
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
    if (this.#looked?.key !== key) this.#looked = { key, state: this.#engine.states.get(key) }
    return this.#looked.state
  }

  #touch(key: string, state: PrincipalState | null): PrincipalState {
    if (state !== null && this.#overlay.get(key) === state) return state
    const changing = state === null ? PrincipalState.fresh(key) : this.#engine.states.change(key, state)
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
    const resting = this.#overlay.get(key) == null ? null : this.#engine.states.rest(key, value)
    if (resting === null) return null
    this.#overlay.delete(key)
    this.#looked = null
    return resting
  }

  /** Makes the changes the committed state. Call when the Kafka transaction has committed, and only then. */
  merge(): void {
    this.#commit(this.#denied)
    const { states } = this.#engine
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
