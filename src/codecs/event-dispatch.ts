// The detector's way into the events topic: whether any rule wants an event is read from the bytes, and only then is it
// decoded. Pure. Nine of ten events of an account are of no interest to any rule; for them it is enough to know that they
// are whole, whose they are and when they happened.
//
// A record is passed over only where decoding it would have succeeded for certain: everything unusual (another writer
// schema, a length that does not fit, a number that is long, bytes left over) is left to the general decoder and its verdict.
import type { StoredRecord } from '../log/stored-record.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Rejected } from '../rejected.ts'
import type { RuleSet } from '../rules/rule.ts'
import { projectEvent } from './cloudtrail-event.ts'
import { isSameRun } from './byte-runs.ts'
import type { AvroSchema } from './confluent.ts'
import type { UnknownSchema } from './confluent.ts'
import { Decoder, HEADER, sameLayout, schemaIdOf } from './confluent.ts'
import { EventReader } from './event-reader.ts'
import { EventWalk } from './event-walk.ts'
import { WantedCalls } from './wanted-calls.ts'

/** What {@link EventDispatch.look} says of a record. */
export interface EventLook {
  /** Epoch milliseconds. */
  readonly eventTime: number
  readonly wanted: boolean
}

/** Reads the events that a rule set is about; the others can be passed over. */
export class EventDispatch extends Decoder<CloudTrailEvent> {
  readonly #schema: AvroSchema
  readonly #calls: WantedCalls
  readonly #walk: EventWalk | null
  readonly #reader: EventReader | null
  readonly #look = { eventTime: 0, wanted: false }
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
    const schemaId = schemaIdOf(bytes)
    if (this.#reader !== null && this.#walk !== null && schemaId !== null && this.#ours.has(schemaId)) {
      if (this.#walk.over(bytes, HEADER))
        return this.#reader.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), HEADER)
    }
    return super.decode(bytes)
  }

  /**
   * When the event happened and whether any rule wants its call, of a record that is whole and stands under its principal's
   * key: it can be read whenever that suits. Null for every other record: it is to be decoded. Valid until the next look.
   * @param record with key and value
   */
  look({ bytes, keyStart, keyEnd, valueStart, valueEnd }: StoredRecord): EventLook | null {
    const schemaId = schemaIdOf(bytes, valueStart, valueEnd)
    const walk = this.#walk
    if (walk === null || this.#reader === null || schemaId === null || !this.#ours.has(schemaId)) return null
    if (!walk.over(bytes, valueStart + HEADER, valueEnd)) return null
    if (walk.keyEnd - walk.keyStart !== keyEnd - keyStart) return null
    if (!isSameRun(bytes, keyStart, bytes, walk.keyStart, walk.keyEnd)) return null
    this.#look.eventTime = walk.eventTime
    this.#look.wanted = this.#calls.has(bytes, walk.sourceStart, walk.sourceEnd, walk.nameStart, walk.nameEnd)
    return this.#look
  }

  /** The event of a record that {@link look} has looked at. */
  read({ bytes, valueStart }: StoredRecord): CloudTrailEvent {
    return this.#reader!.read(bytes, valueStart + HEADER)
  }
}
