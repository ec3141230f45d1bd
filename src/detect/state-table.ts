// The committed states of an engine by principal: objects for the principals that events touch, bytes for the rest.
// A state of ten objects and forty texts takes some four kilobytes, its record a tenth; so of a million principals with
// state a few thousand are awake. Bounded: how many are awake, not how many there are.
import type { CompiledRule } from './compiled-rule.ts'
import type { PrincipalStateRecord } from './principal-state.ts'
import { PrincipalState } from './principal-state.ts'
import type { StoredState, StoredStates } from './stored-state.ts'

/** Principals per engine whose state stays decoded: about 4 MB of ordinary states. */
const mostAwake = 1024

/** States by principal key. */
export class StateTable {
  readonly #rules: ReadonlyMap<string, CompiledRule>
  readonly #stored: StoredStates | null
  readonly #half: number
  readonly #states = new Map<string, PrincipalState | PrincipalStateRecord | StoredState>()
  /** Keys touched lately, and those touched before them: what is in neither goes back to rest. */
  #young = new Set<string>()
  #old = new Set<string>()
  /** No state has an older newest event than this. */
  #oldest = Infinity
  /** What the states that the open transaction changes in place were before it. */
  readonly #lent = new Map<string, StoredState>()

  /** Without `stored` every state stays an object. `awake` is for tests. */
  constructor(rules: ReadonlyMap<string, CompiledRule>, stored: StoredStates | null, awake = mostAwake) {
    this.#rules = rules
    this.#stored = stored
    this.#half = Math.ceil(awake / 2)
  }

  get size(): number {
    return this.#states.size
  }

  /** Takes a state of the changelog in; null is a tombstone. */
  load(key: string, state: PrincipalStateRecord | StoredState | null): void {
    if (state === null) {
      this.#states.delete(key)
      return
    }
    this.#states.set(key, state)
    this.#oldest = Math.min(this.#oldest, this.#maxTimeOf(state))
  }

  /** The state of a principal, decoded if it was at rest. Not to be changed: see {@link change}. */
  get(key: string): PrincipalState | null {
    const known = this.#states.get(key)
    if (known === undefined) return null
    if (known instanceof PrincipalState) return known
    const state = PrincipalState.restore(key, typeof known === 'string' ? this.#read(known) : known, this.#rules)
    if (typeof known === 'string') state.stored = known
    this.#states.set(key, state)
    this.#touch(key)
    return state
  }

  /**
   * A state that the open transaction may change until {@link settle} or {@link recall}: `state` itself where its bytes
   * bring it back, else a copy. Copying two or three dozen objects per principal and transaction was a third of all work.
   */
  change(key: string, state: PrincipalState): PrincipalState {
    const { stored } = state
    if (stored === null || this.#states.get(key) !== state) return state.clone()
    this.#lent.set(key, stored)
    return state
  }

  /** What was changed in place is committed. */
  settle(): void {
    this.#lent.clear()
  }

  /** What was changed in place is as it was. */
  recall(): void {
    for (const [key, stored] of this.#lent) this.#states.set(key, stored)
    this.#lent.clear()
  }

  /** A changed state was committed; null forgets the principal. */
  put(key: string, state: PrincipalState | null): void {
    if (state === null) {
      this.#states.delete(key)
      return
    }
    this.#states.set(key, state)
    this.#oldest = Math.min(this.#oldest, state.maxTime)
    this.#touch(key)
  }

  /** Principals whose newest event is older than `limit`. */
  olderThan(limit: number): string[] {
    const keys: string[] = []
    if (this.#oldest >= limit) return keys
    this.#oldest = Infinity
    for (const [key, state] of this.#states) {
      const maxTime = this.#maxTimeOf(state)
      if (maxTime < limit) keys.push(key)
      this.#oldest = Math.min(this.#oldest, maxTime)
    }
    return keys
  }

  #maxTimeOf(state: PrincipalState | PrincipalStateRecord | StoredState): number {
    if (typeof state !== 'string') return state.maxTime
    return this.#stored?.maxTimeOf(state) ?? -Infinity
  }

  #read(stored: StoredState): PrincipalStateRecord {
    if (this.#stored === null) throw new Error('a state at rest needs a way to read it')
    return this.#stored.read(stored)
  }

  #touch(key: string): void {
    if (this.#stored === null) return
    this.#young.add(key)
    if (this.#young.size < this.#half) return
    for (const resting of this.#old) {
      if (this.#young.has(resting)) continue
      const state = this.#states.get(resting)
      if (state instanceof PrincipalState && state.stored !== null) this.#states.set(resting, state.stored)
    }
    this.#old = this.#young
    this.#young = new Set()
  }
}
