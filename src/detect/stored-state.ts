// States at rest: what the engine keeps of a principal that no event touches is its changelog record. Port; src/codecs
// implements it. Pure.
import type { PrincipalStateRecord } from './principal-state.ts'

/** Looks into changelog records. `bytes` may hold more than one: a record lies from `start` to `end`. */
export interface StoredStates {
  /**
   * Newest event time of the principal, epoch milliseconds; NaN for a value that has to be decoded at once, because it may
   * be no record of this version.
   */
  maxTimeOf(value: Uint8Array): number
  /** @throws StateDamage where the bytes are no record of this version */
  read(bytes: Buffer, start: number, end: number): PrincipalStateRecord
}

/** A state at rest that cannot be read: the partition cannot go on. */
export class StateDamage extends Error {
  constructor() {
    super('A stored state cannot be read.')
    this.name = 'StateDamage'
  }
}
