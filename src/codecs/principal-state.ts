// The codec of cloudtrail.detector-state.v1: PrincipalStateRecord in Confluent wire format. Pure.
// Rows of one principal repeat the same user agents, ARNs and regions, so every text is written once and referred to by
// index, and times are written as differences: a typical state takes a quarter of the plain form.
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
import { stateVersion } from '../detect/principal-state.ts'
import type { Rejected } from '../rejected.ts'
import type { AvroSchema, UnknownSchema } from './confluent.ts'
import { Decoder, Encoder } from './confluent.ts'
import type { AvroState } from './state-layout.ts'
import { fromAvro, toAvro } from './state-layout.ts'

/** A state record written by a later version of this program: to be refused, not guessed at. */
export interface NewerState {
  readonly newerVersion: number
}

/** The Avro form of any version, the present one included. */
export type OlderState = { readonly version: number } & Readonly<Record<string, unknown>>

/** Turns the plain Avro form of one version into that of the next. Keyed by the version it takes. */
export type StateUpgrades = ReadonlyMap<number, (older: OlderState) => OlderState>

/** Upgrades from every earlier version; there is none before 1. */
const stateUpgrades: StateUpgrades = new Map()

/** Writes state records; `schema` is topics/cloudtrail.detector-state.v1/value.avsc. */
export class StateEncoder {
  readonly #encoder: Encoder<AvroState>

  constructor(schema: AvroSchema) {
    this.#encoder = new Encoder<AvroState>(schema)
  }

  /** Frames and encodes. @throws Error from avsc when the record does not fit the schema: a defect, never data. */
  encode(record: PrincipalStateRecord, schemaId: number): Buffer {
    return this.#encoder.encode(toAvro(record), schemaId)
  }
}

/** Reads state records of any registered writer version, upgrading earlier layouts. */
export class StateDecoder {
  readonly #decoder: Decoder<OlderState>
  readonly #upgrades: StateUpgrades

  constructor(schema: AvroSchema, upgrades = stateUpgrades) {
    this.#decoder = new Decoder<OlderState>(schema)
    this.#upgrades = upgrades
  }

  /** See {@link Decoder.learn}. */
  learn(schemaId: number, schema: AvroSchema | null): string | null {
    return this.#decoder.learn(schemaId, schema)
  }

  /** See {@link Decoder.forget}. */
  forget(schemaId: number): void {
    this.#decoder.forget(schemaId)
  }

  /** Total: bad bytes are a `Rejected`, an id never learnt is `UnknownSchema`, a later layout is `NewerState`. */
  decode(bytes: Uint8Array): PrincipalStateRecord | Rejected | UnknownSchema | NewerState {
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
      return { rejected: 'bad-avro', detail: 'The state record refers to texts it does not hold.' }
    }
  }
}
