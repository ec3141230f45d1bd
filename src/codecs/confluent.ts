// Confluent wire format: byte 0, schema id as 4 bytes big-endian, Avro binary. The base of every codec beside this file.
// Pure and synchronous: types and resolvers are built once per schema; asking the registry is the shell's business.
import avro from 'avsc'
import type { Rejected } from '../rejected.ts'
import { boundedArrays } from './bounded-arrays.ts'

/** Bytes of the frame before the Avro binary. */
export const HEADER = 5

/** An Avro schema as parsed JSON. */
export type AvroSchema = object

/** A record whose writer schema has not been learnt yet. */
export interface UnknownSchema {
  readonly unknownSchema: number
}

function typeOf(schema: AvroSchema): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, { noAnonymousTypes: true, typeHook: boundedArrays })
}

/** Reads the schema id of a framed record, or null where the bytes from `start` to `end` are not framed. */
export function schemaIdOf(bytes: Uint8Array, start = 0, end = bytes.length): number | null {
  if (end - start < HEADER || bytes[start] !== 0) return null
  return ((bytes[start + 1]! << 24) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!) >>> 0
}

/**
 * Writes values of one schema. Records are slices of shared slabs: one allocation per few hundred records, no copy.
 * A slab lives as long as any record cut from it, which is one batch.
 */
export class Encoder<T> {
  readonly #type: avro.Type
  readonly #slabBytes: number
  #slab: Buffer
  #position = 0

  constructor(schema: AvroSchema, slabBytes = 1 << 18) {
    this.#type = typeOf(schema)
    this.#slabBytes = slabBytes
    this.#slab = Buffer.allocUnsafeSlow(slabBytes)
  }

  /** Frames and encodes. @throws Error from avsc when the value does not fit the schema: a defect, never data. */
  encode(value: T, schemaId: number): Buffer {
    let start = this.#position
    let end = start + HEADER < this.#slab.length ? this.#type.encode(value, this.#slab, start + HEADER) : -1
    if (end < 0) {
      // avsc returns minus the number of missing bytes; encode again where there is room for certain.
      const needed = HEADER - end + (this.#slab.length - start)
      this.#slab = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, needed))
      start = 0
      end = this.#type.encode(value, this.#slab, HEADER)
      if (end < 0) {
        this.#slab = Buffer.allocUnsafeSlow(this.#slab.length - end)
        end = this.#type.encode(value, this.#slab, HEADER)
      }
    }
    this.#slab[start] = 0
    this.#slab.writeUInt32BE(schemaId, start + 1)
    this.#position = end
    return this.#slab.subarray(start, end)
  }
}

/**
 * Reads records of any writer schema into one reader schema. `learn` a writer schema once; `decode` is then synchronous
 * with a cached resolver (about 1.7 M records a second against 6 k when the resolver is rebuilt per record).
 */
export class Decoder<T> {
  readonly #reader: avro.Type
  readonly #writers = new Map<number, { type: avro.Type; resolver: unknown } | null>()

  constructor(schema: AvroSchema) {
    this.#reader = typeOf(schema)
  }

  /**
   * Takes a writer schema in; null marks the id as unknown to the registry, so that its records are rejected.
   * Returns a reason when this reader cannot read what that writer writes; its records are then rejected too.
   */
  learn(schemaId: number, schema: AvroSchema | null): string | null {
    if (schema === null) {
      this.#writers.set(schemaId, null)
      return null
    }
    try {
      const writer = typeOf(schema)
      this.#writers.set(schemaId, { type: writer, resolver: this.#reader.createResolver(writer) })
      return null
    } catch (error) {
      this.#writers.set(schemaId, null)
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Forgets an id, so that the next record with it asks again. */
  forget(schemaId: number): void {
    this.#writers.delete(schemaId)
  }

  /** Decodes one framed record. Total: bad bytes are a `Rejected`, an id never learnt is `UnknownSchema`. */
  decode(bytes: Uint8Array): T | Rejected | UnknownSchema {
    const schemaId = schemaIdOf(bytes)
    if (schemaId === null) return { rejected: 'bad-magic-byte', detail: 'The value is not in Confluent wire format.' }
    const writer = this.#writers.get(schemaId)
    if (writer === undefined) return { unknownSchema: schemaId }
    if (writer === null) return { rejected: 'unknown-schema-id', detail: `Schema id ${schemaId} cannot be read.` }
    const body = Buffer.from(bytes.buffer, bytes.byteOffset + HEADER, bytes.length - HEADER)
    try {
      return this.#read(body, writer)
    } catch (error) {
      const detail = error instanceof Error ? error.message.slice(0, 120) : 'not decodable'
      return { rejected: 'bad-avro', detail }
    }
  }

  #read(body: Buffer, writer: { type: avro.Type; resolver: unknown }): T {
    return this.#reader.fromBuffer(body, writer.resolver as avro.Resolver) as T
  }
}

/** True when records of both schemas are the same bytes for the same fields: equal but for docs, defaults and aliases. */
export function sameLayout(one: AvroSchema, other: AvroSchema): boolean {
  try {
    return JSON.stringify(typeOf(one).schema()) === JSON.stringify(typeOf(other).schema())
  } catch {
    return false
  }
}

/** Why a reader of `reader` cannot read what a writer of `writer` wrote (Avro schema resolution); null where it can. */
export function canRead(reader: AvroSchema, writer: AvroSchema): string | null {
  try {
    typeOf(reader).createResolver(typeOf(writer))
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
