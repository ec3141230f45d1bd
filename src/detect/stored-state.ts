// States at rest: what the engine keeps of a principal that no event touches. Port; src/codecs implements it. Pure.
import type { PrincipalStateRecord } from './principal-state.ts'

/**
 * The value of a changelog record, one character (U+0000 to U+00FF) per byte. A text because a million small buffers
 * take 200 bytes each beside their content and pin the slabs they are cut from; a text takes 16 and is moved by the
 * garbage collector.
 */
export type StoredState = string

/** Makes states at rest and looks into them. */
export interface StoredStates {
  /** The state at rest of a changelog record, or null for one that has to be decoded at once: it may be none. */
  store(value: Uint8Array): StoredState | null
  /** @throws StateDamage where the bytes are no record of this version */
  read(stored: StoredState): PrincipalStateRecord
  /** Newest event time of the principal, epoch milliseconds. */
  maxTimeOf(stored: StoredState): number
}

/** A state at rest that cannot be read: the partition cannot go on. */
export class StateDamage extends Error {
  constructor() {
    super('A stored state cannot be read.')
    this.name = 'StateDamage'
  }
}
