// A CloudTrail record in the bytes of its JSON: where its fields stand, no objects. The first half of the fast path; the
// scan itself is WebAssembly (assembly/record-scan.ts). It takes only records that the general path (../event.ts) would
// turn into an event without a doubt; for anything else (a number where text is usual, a key twice, a spelling with
// escapes) it says no, and the general path decides.
import { parseTime, parseTimeAt } from '../event-time.ts'
import { no, slotCount, slotOf, tableBytes, writeTable, yes } from './record-layout.ts'
import { instantiateScan } from './scan-instance.ts'
import type { ScanExports } from './scan-instance.ts'

const eventTime = slotOf('record.eventTime')
const eventSource = slotOf('record.eventSource')
const eventName = slotOf('record.eventName')
const eventVersion = slotOf('record.eventVersion')
const eventType = slotOf('record.eventType')
const fromS3 = Buffer.from('aws:s3')
const insight = Buffer.from('AwsCloudTrailInsight')

const pageBytes = 1 << 16
/** The scan loads up to this many bytes behind a value; it decides on none of them but the zero that ends the value. */
const padding = 64

let shared: RecordScan | null | undefined

/** The scan of this process, null where there is none. */
export function recordScan(): RecordScan | null {
  if (shared === undefined) {
    const exports = instantiateScan()
    shared = exports === null ? null : new RecordScan(exports)
  }
  return shared
}

/**
 * One value at a time in the memory of the module, and the fields of one of its records by slot: what it says holds until the
 * next {@link RecordScan.scan}, positions are those in `bytes`.
 */
export class RecordScan {
  /** All memory of the module: behind `limit` it holds what is left of other values. */
  bytes: Buffer = Buffer.alloc(0)
  /** Position behind the value. */
  limit = 0
  /** Epoch milliseconds. */
  eventTime = 0
  readonly #exports: ScanExports
  readonly #table: number
  readonly #values: number
  #starts = new Int32Array(0)
  #ends = new Int32Array(0)
  #unusual = new Int32Array(0)
  #found = new Int32Array(0)

  constructor(exports: ScanExports) {
    if (slotCount > exports.mostSlots.value) throw new Error(`The scan has no room for ${slotCount} fields.`)
    this.#exports = exports
    this.#table = exports.free.value
    this.#values = this.#table + tableBytes
    this.#view()
    writeTable(this.bytes, this.#table)
  }

  /** Takes a copy of a value; its position. */
  load(value: Uint8Array): number {
    const start = this.#values
    const limit = start + value.length
    const missing = limit + padding - this.bytes.length
    if (missing > 0) {
      this.#exports.memory.grow(Math.ceil(missing / pageBytes))
      this.#view()
    }
    this.bytes.set(value, start)
    // No JSON holds a zero byte: whatever runs into it ends there.
    this.bytes[limit] = 0
    this.limit = limit
    return start
  }

  /** Position behind the record that begins at `from`; -1 where the general path has to look at it. */
  scan(from: number): number {
    const end = this.#exports.scan(from, this.#table)
    return end !== 0 && this.#acceptable() ? end : -1
  }

  /** Position of the token behind the record. */
  get next(): number {
    return this.#found[0]!
  }

  /** A line feed stands between the tokens of the record. */
  get hasNewline(): boolean {
    return this.#found[1] === 1
  }

  /** A line feed stands between the record and `next`. */
  get endsLine(): boolean {
    return this.#found[2] === 1
  }

  /** First position at or after `from` that is no JSON white space. */
  tokenAt(from: number): number {
    return this.#exports.tokenAt(from)
  }

  /** True where the field has a value: text (also empty), JSON or an object. */
  has(slot: number): boolean {
    return this.#starts[slot]! >= 0
  }

  start(slot: number): number {
    return this.#starts[slot]!
  }

  end(slot: number): number {
    return this.#ends[slot]!
  }

  /** The bytes of a text are not its text; the bytes of a JSON value are not what JSON.stringify would write. */
  isUnusual(slot: number): boolean {
    return this.#unusual[slot] === 1
  }

  flag(slot: number): boolean | null {
    const start = this.#starts[slot]
    return start === yes ? true : start === no ? false : null
  }

  /** The text of a field whose bytes are its text (see {@link isUnusual}). */
  latin1(slot: number): string {
    return this.bytes.toString('latin1', this.#starts[slot], this.#ends[slot])
  }

  /** The text of any text field, null where absent. Lone surrogates are U+FFFD, as everywhere in the normal form. */
  text(slot: number): string | null {
    if (!this.has(slot)) return null
    if (!this.isUnusual(slot)) return this.latin1(slot)
    return (JSON.parse(this.bytes.toString('utf8', this.start(slot) - 1, this.end(slot) + 1)) as string).toWellFormed()
  }

  /** Epoch milliseconds of a text field; null where it is absent or no time. */
  time(slot: number): number | null {
    if (!this.has(slot)) return null
    const common = parseTimeAt(this.bytes, this.start(slot), this.end(slot))
    return common ?? parseTime(this.text(slot) ?? '')
  }

  /** True where the bytes of a field are exactly these. */
  is(slot: number, text: Uint8Array): boolean {
    const start = this.#starts[slot]!
    if (start < 0 || this.#ends[slot]! - start !== text.length) return false
    for (let index = 0; index < text.length; index++) if (this.bytes[start + index] !== text[index]) return false
    return true
  }

  /** After the memory has grown, which leaves the old views empty. */
  #view(): void {
    const { memory, mostSlots, starts, ends, unusuals, found } = this.#exports
    const { buffer } = memory
    this.bytes = Buffer.from(buffer)
    this.#starts = new Int32Array(buffer, starts.value, mostSlots.value)
    this.#ends = new Int32Array(buffer, ends.value, mostSlots.value)
    this.#unusual = new Int32Array(buffer, unusuals.value, mostSlots.value)
    this.#found = new Int32Array(buffer, found.value, 3)
  }

  #acceptable(): boolean {
    if (!this.#filled(eventTime) || !this.#filled(eventSource) || !this.#filled(eventName)) return false
    if (this.is(eventSource, fromS3) || this.is(eventType, insight)) return false
    if (this.has(eventVersion) && !this.#isVersion1()) return false
    const time = this.time(eventTime)
    this.eventTime = time ?? 0
    return time !== null
  }

  #filled(slot: number): boolean {
    return this.#starts[slot]! >= 0 && this.#ends[slot]! > this.#starts[slot]!
  }

  /** `1` or `1.` and digits, with further parts. */
  #isVersion1(): boolean {
    const { bytes } = this
    const end = this.#ends[eventVersion]!
    let at = this.#starts[eventVersion]!
    if (bytes[at++] !== 0x31) return false
    while (at < end) {
      // Behind the field stands its quote: no digit.
      if (bytes[at++] !== 0x2e || !isDigit(bytes[at])) return false
      while (at < end && isDigit(bytes[at])) at++
    }
    return at === end
  }
}

/** 0 to 9. */
export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39
