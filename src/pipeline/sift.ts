// The fast path for those who want few of the events: a record about a call that nobody asks for is scanned, counted by
// its time and left where it lies; any other is written as the normalizer writes it and read as the detector reads it.
// Bytes in, events and their bytes out. Pure.
import type { AvroSchema } from '../codecs/confluent.ts'
import { HEADER } from '../codecs/confluent.ts'
import { EventReader } from '../codecs/event-reader.ts'
import { WantedCalls } from '../codecs/wanted-calls.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { EventWriter } from '../normalize/fast/event-writer.ts'
import { FastReader } from '../normalize/fast/raw-value.ts'
import type { Taken } from '../normalize/fast/raw-value.ts'
import { slotOf } from '../normalize/fast/record-layout.ts'
import type { NormalizeOptions } from '../normalize/raw-value.ts'
import type { RuleSet } from '../rules/rule.ts'

/** Which calls are wanted, what is read of their events, and who counts the others. */
export interface Sift extends Pick<RuleSet, 'wants' | 'fields'> {
  /** topics/cloudtrail.events.v1/value.avsc. */
  readonly schema: AvroSchema
  /** Stands in the frame of the bytes. */
  readonly schemaId: number
  /** Told the event time of every event that is passed over, epoch milliseconds. */
  readonly pass: (eventTime: number) => void
  /** Offered the framed bytes of every wanted event, which are overwritten afterwards; true where it need not be read then. */
  readonly unread?: (bytes: Buffer) => boolean
}

const eventSource = slotOf('record.eventSource')
const eventName = slotOf('record.eventName')

/** Reads values for one consumer of events. Not reentrant. */
export class SiftingReader {
  readonly #reader: FastReader
  readonly #writer: EventWriter
  readonly #events: EventReader
  readonly #calls: WantedCalls
  readonly #pass: Sift['pass']
  readonly #unread: (bytes: Buffer) => boolean

  constructor(options: NormalizeOptions, { schema, schemaId, wants, fields, pass, unread }: Sift) {
    const events = EventReader.of(schema, fields)
    if (events === null) throw new Error('The reader of events is for another schema.')
    this.#reader = new FastReader(options.limits)
    this.#writer = new EventWriter(options, schemaId)
    this.#events = events
    this.#calls = new WantedCalls(wants)
    this.#pass = pass
    this.#unread = unread ?? (() => false)
  }

  /**
   * Hands on what is wanted, in order; null, and nothing done, where the general path has to look at the value. The bytes of
   * an event, framed, are overwritten afterwards.
   */
  read(value: Uint8Array, take: (event: CloudTrailEvent, bytes: Buffer) => void): Taken | null {
    const wanted: Buffer[] = []
    const passed: number[] = []
    const taken = this.#reader.read(value, (scan, start, end, kind) => {
      const isWanted = this.#calls.has(
        scan.bytes,
        scan.start(eventSource),
        scan.end(eventSource),
        scan.start(eventName),
        scan.end(eventName),
      )
      if (!isWanted) {
        passed.push(scan.eventTime)
        return true
      }
      const record = this.#writer.write(scan, end - start, kind)
      if (record === null) return false
      wanted.push(record.value)
      return true
    })
    if (taken !== null) {
      for (const time of passed) this.#pass(time)
      for (const bytes of wanted) if (!this.#unread(bytes)) take(this.#events.read(bytes, HEADER), bytes)
    }
    this.#writer.recycle(this.#writer.detach())
    return taken
  }
}
