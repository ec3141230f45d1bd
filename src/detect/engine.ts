// The engine: rules over events, and the committed state per principal. Changes and alerts are collected in a transaction
// (engine-transaction.ts), which becomes the state when the caller's Kafka transaction has committed, or vanishes. No clock, no I/O.
import type { Alert } from '../alerts/alert.ts'
import type { Rule, RuleSet } from '../rules/rule.ts'
import type { AlertDraft } from './announcement.ts'
import { compileRule } from './compiled-rule.ts'
import type { CompiledRule } from './compiled-rule.ts'
import { DecayingRate } from './decaying-rate.ts'
import { EngineTransaction } from './engine-transaction.ts'
import type { PrincipalState, PrincipalStateRecord, Timing } from './principal-state.ts'
import { StateTable } from './state-table.ts'
import type { StoredStates } from './stored-state.ts'

export type { PrincipalStateRecord } from './principal-state.ts'

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
