// The committed states of an engine by principal: as bytes wherever a changelog record is at hand, else as objects.
// A state of ten objects and forty texts takes some four kilobytes, its record a quarter, and the garbage collector walks
// none of it; so states are decoded for the events of one principal in one transaction, and never kept.
import type { CompiledRule } from './compiled-rule.ts'
import type { PrincipalStateRecord } from './principal-state.ts'
import { PrincipalState } from './principal-state.ts'
import { RestingStates } from './resting-states.ts'
import type { StoredStates } from './stored-state.ts'

/** States by principal key. */
export class StateTable {
  readonly #rules: ReadonlyMap<string, CompiledRule>
  readonly #stored: StoredStates | null
  readonly #resting = new RestingStates()
  /** States without a record, and records of other layouts. */
  readonly #objects = new Map<string, PrincipalState | PrincipalStateRecord>()
  /** No state has an older newest event than this. */
  #oldest = Infinity

  /** Without `stored` every state stays an object. */
  constructor(rules: ReadonlyMap<string, CompiledRule>, stored: StoredStates | null) {
    this.#rules = rules
    this.#stored = stored
  }

  get size(): number {
    return this.#resting.size + this.#objects.size
  }

  /** Bytes of the records at rest. */
  get restingBytes(): number {
    return this.#resting.bytes
  }

  /** Takes a state of the changelog in; null is a tombstone. False for bytes that have to be decoded first. */
  load(key: string, state: PrincipalState | PrincipalStateRecord | Uint8Array | null): boolean {
    if (state instanceof Uint8Array) {
      const maxTime = this.#stored?.maxTimeOf(state) ?? NaN
      if (Number.isNaN(maxTime)) return false
      this.#objects.delete(key)
      this.#resting.put(key, state, maxTime)
      this.#oldest = Math.min(this.#oldest, maxTime)
      return true
    }
    this.#resting.delete(key)
    if (state === null) this.#objects.delete(key)
    else {
      this.#objects.set(key, state)
      this.#oldest = Math.min(this.#oldest, state.maxTime)
    }
    return true
  }

  /**
   * The state of a principal, with what the open transaction has put to rest, or null. An object of the table: to be
   * copied before it is changed, see {@link change}.
   */
  get(key: string): PrincipalState | null {
    const resting = this.#resting.get(key)
    if (resting !== null) {
      const record = this.#stored!.read(resting.bytes, resting.start, resting.end)
      return PrincipalState.restore(key, record, this.#rules)
    }
    const known = this.#objects.get(key)
    if (known === undefined || known instanceof PrincipalState) return known ?? null
    const state = PrincipalState.restore(key, known, this.#rules)
    this.#objects.set(key, state)
    return state
  }

  /** A state that the open transaction may change: `state` itself, unless the table holds the object. */
  change(key: string, state: PrincipalState): PrincipalState {
    return this.#objects.get(key) === state ? state.clone() : state
  }

  /** Puts a changed state to rest, from {@link settle} on, and returns its bytes; null where it has to stay an object. */
  rest(key: string, value: Uint8Array): Buffer | null {
    const maxTime = this.#stored?.maxTimeOf(value) ?? NaN
    if (Number.isNaN(maxTime)) return null
    this.#oldest = Math.min(this.#oldest, maxTime)
    return this.#resting.append(key, value, maxTime)
  }

  /** What was put to rest is committed. */
  settle(): void {
    if (this.#objects.size > 0) for (const key of this.#resting.appended()) this.#objects.delete(key)
    this.#resting.commit()
  }

  /** What was put to rest is forgotten. */
  recall(): void {
    this.#resting.discard()
  }

  /** Principals whose newest event is older than `limit`. */
  olderThan(limit: number): string[] {
    const keys: string[] = []
    if (this.#oldest >= limit) return keys
    this.#oldest = Infinity
    const look = (key: string, maxTime: number) => {
      if (maxTime < limit) keys.push(key)
      this.#oldest = Math.min(this.#oldest, maxTime)
    }
    for (const [key, maxTime] of this.#resting.maxTimes()) look(key, maxTime)
    for (const [key, { maxTime }] of this.#objects) look(key, maxTime)
    return keys
  }
}
