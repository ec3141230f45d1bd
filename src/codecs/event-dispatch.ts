// The detector's way into the events topic: whether any rule wants an event is read from the bytes, and only then is it
// decoded. Pure. Nine of ten events of an account are of no interest to any rule; for them it is enough to know that they
// are whole, whose they are and when they happened.
//
// A record is passed over only where decoding it would have succeeded for certain: everything unusual (another writer
// schema, a length that does not fit, a number that is long, bytes left over) is left to the general decoder and its verdict.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Rejected } from '../rejected.ts'
import type { RuleSet } from '../rules/rule.ts'
import { projectEvent } from './cloudtrail-event.ts'
import type { AvroSchema } from './confluent.ts'
import type { UnknownSchema } from './confluent.ts'
import { Decoder, HEADER, sameLayout, schemaIdOf } from './confluent.ts'
import { EventReader } from './event-reader.ts'
import { EventWalk } from './event-walk.ts'
import { WantedCalls } from './wanted-calls.ts'

/** Reads the events that a rule set is about; the others can be passed over. */
export class EventDispatch extends Decoder<CloudTrailEvent> {
  readonly #schema: AvroSchema
  readonly #calls: WantedCalls
  readonly #walk: EventWalk | null
  readonly #reader: EventReader | null
  /** The record that was walked last and is whole: it is mostly the next to be decoded. */
  #whole: Uint8Array | null = null
  /** Writers whose records have the layout that the walk is for. */
  readonly #ours = new Set<number>()
  /** `schema` is topics/cloudtrail.events.v1/value.avsc; decoded events hold what `rules` and the engine read. */
  constructor(schema: AvroSchema, { fields, wants }: Pick<RuleSet, 'fields' | 'wants'>) {
    super(projectEvent(schema, fields))
    this.#schema = schema
    this.#calls = new WantedCalls(wants)
    this.#walk = EventWalk.of(schema)
    this.#reader = EventReader.of(schema, fields)
  }

  override learn(schemaId: number, schema: AvroSchema | null): string | null {
    if (schema !== null && sameLayout(schema, this.#schema)) this.#ours.add(schemaId)
    return super.learn(schemaId, schema)
  }

  override forget(schemaId: number): void {
    this.#ours.delete(schemaId)
    super.forget(schemaId)
  }

  /** Decodes one framed record as {@link Decoder.decode} does; members that no rule reads are null instead of absent. */
  override decode(bytes: Uint8Array): CloudTrailEvent | Rejected | UnknownSchema {
    const isWhole = bytes === this.#whole
    this.#whole = null
    const schemaId = schemaIdOf(bytes)
    if (this.#reader !== null && this.#walk !== null && schemaId !== null && this.#ours.has(schemaId)) {
      if (isWhole || this.#walk.over(bytes, HEADER))
        return this.#reader.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), HEADER)
    }
    return super.decode(bytes)
  }

  /**
   * Time of an event (epoch milliseconds) that is whole, stands under its principal's `key`, and is of a call that no rule
   * wants. NaN for every other record: it is to be decoded.
   */
  unwanted(value: Buffer, key: Buffer): number {
    const schemaId = schemaIdOf(value)
    const walk = this.#walk
    if (walk === null || schemaId === null || !this.#ours.has(schemaId)) return NaN
    if (!walk.over(value, HEADER)) return NaN
    this.#whole = value
    if (this.#calls.has(value, walk.sourceStart, walk.sourceEnd, walk.nameStart, walk.nameEnd)) return NaN
    const { keyStart, keyEnd } = walk
    if (keyEnd - keyStart !== key.length) return NaN
    for (let i = 0; i < key.length; i++) if (key[i] !== value[keyStart + i]) return NaN
    return walk.eventTime
  }
}
