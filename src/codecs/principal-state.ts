// The codec of cloudtrail.detector-state.v1: PrincipalStateRecord in Confluent wire format. Pure.
// Rows of one principal repeat the same user agents, ARNs and regions, so every text is written once and referred to by
// index, and times are written as differences: a typical state takes a quarter of the plain form.
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
import { stateVersion } from '../detect/principal-state.ts'
import type { StoredStates } from '../detect/stored-state.ts'
import { StateDamage } from '../detect/stored-state.ts'
import type { Rejected } from '../rejected.ts'
import type { AvroSchema, UnknownSchema } from './confluent.ts'
import { Decoder, Encoder, HEADER, sameLayout, schemaIdOf } from './confluent.ts'
import type { AvroState } from './state-layout.ts'
import { fromAvro, toAvro } from './state-layout.ts'
import { readState, readStateHead } from './state-reader.ts'
import { StateWriter } from './state-writer.ts'

/** A state record written by a later version of this program: to be refused, not guessed at. */
export interface NewerState {
  readonly newerVersion: number
}

/** Why there is no record. */
export type UnreadState = Rejected | UnknownSchema | NewerState

/** The Avro form of any version, the present one included. */
export type OlderState = { readonly version: number } & Readonly<Record<string, unknown>>

/** Turns the plain Avro form of one version into that of the next. Keyed by the version it takes. */
export type StateUpgrades = ReadonlyMap<number, (older: OlderState) => OlderState>

/**
 * Upgrades from every earlier version. None: version 1 was before the first release, and its records are refused when
 * their schema is learnt, because they cannot be resolved into this one.
 */
const stateUpgrades: StateUpgrades = new Map()

/** Writes state records; `schema` is topics/cloudtrail.detector-state.v1/value.avsc. */
export class StateEncoder {
  readonly #encoder: Encoder<AvroState> | null
  readonly #writer = new StateWriter()

  /** `fast` false goes through avsc field by field: the same bytes, for doubt. */
  constructor(schema: AvroSchema, fast = true) {
    this.#encoder = fast ? null : new Encoder<AvroState>(schema)
  }

  /** Frames and encodes. @throws Error from avsc when the record does not fit the schema: a defect, never data. */
  encode(record: PrincipalStateRecord, schemaId: number): Buffer {
    return Buffer.from(this.write(record, schemaId))
  }

  /** As {@link encode}, into memory that is valid until the next call. */
  write(record: PrincipalStateRecord, schemaId: number): Buffer {
    if (this.#encoder !== null) return this.#encoder.encode(toAvro(record), schemaId)
    const written = this.#writer.write(record, HEADER)
    written[0] = 0
    written.writeUInt32BE(schemaId, 1)
    return written
  }
}

/** Reads state records of any registered writer version, upgrading earlier layouts. */
export class StateDecoder implements StoredStates {
  readonly #decoder: Decoder<OlderState>
  readonly #upgrades: StateUpgrades
  readonly #schema: AvroSchema
  readonly #fast: boolean
  /** Writers whose records have our own layout. */
  readonly #ours = new Set<number>()

  /** `fast` false reads everything through avsc, at once: for doubt. */
  constructor(schema: AvroSchema, upgrades = stateUpgrades, fast = true) {
    this.#decoder = new Decoder<OlderState>(schema)
    this.#upgrades = upgrades
    this.#schema = schema
    this.#fast = fast
  }

  /** See {@link Decoder.learn}. */
  learn(schemaId: number, schema: AvroSchema | null): string | null {
    if (this.#fast && schema !== null && sameLayout(schema, this.#schema)) this.#ours.add(schemaId)
    return this.#decoder.learn(schemaId, schema)
  }

  /** See {@link Decoder.forget}. */
  forget(schemaId: number): void {
    this.#ours.delete(schemaId)
    this.#decoder.forget(schemaId)
  }

  /** Total: bad bytes are a `Rejected`, an id never learnt is `UnknownSchema`, a later layout is `NewerState`. */
  decode(bytes: Uint8Array): PrincipalStateRecord | UnreadState {
    if (!this.#isOurs(bytes)) return this.#decodeAny(bytes)
    try {
      const own = bufferOf(bytes)
      const { version } = readStateHead(own, HEADER)
      return version === stateVersion ? readState(own, HEADER) : this.#decodeAny(bytes)
    } catch {
      return damaged
    }
  }

  /** See {@link StoredStates}: of a record of our own layout and version. Its inside is looked into when it is needed. */
  maxTimeOf(value: Uint8Array): number {
    if (!this.#isOurs(value)) return NaN
    try {
      const { version, maxTime } = readStateHead(bufferOf(value), HEADER)
      return version === stateVersion ? maxTime : NaN
    } catch {
      return NaN
    }
  }

  read(bytes: Buffer, start: number, end: number): PrincipalStateRecord {
    try {
      return readState(bytes.subarray(start, end), HEADER)
    } catch {
      throw new StateDamage()
    }
  }

  #isOurs(bytes: Uint8Array): boolean {
    const schemaId = schemaIdOf(bytes)
    return schemaId !== null && this.#ours.has(schemaId)
  }

  #decodeAny(bytes: Uint8Array): PrincipalStateRecord | UnreadState {
    let state = this.#decoder.decode(bytes)
    if ('rejected' in state || 'unknownSchema' in state) return state as Rejected | UnknownSchema
    while (state.version !== stateVersion) {
      const upgrade = this.#upgrades.get(state.version)
      if (upgrade === undefined) {
        if (state.version > stateVersion) return { newerVersion: state.version }
        return { rejected: 'bad-avro', detail: `State of version ${state.version} cannot be upgraded.` }
      }
      state = upgrade(state)
    }
    try {
      return fromAvro(state as unknown as AvroState)
    } catch {
      return damaged
    }
  }
}

const damaged: Rejected = {
  rejected: 'bad-avro',
  detail: 'The state record refers to what it does not hold, or is cut.',
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
