// One raw value (a Kafka record's bytes, a file, a chunk of lines) to the CloudTrail records inside, whatever wraps them.
// Pure: the first step of the line. It never throws and ends on every input: depth, bytes, values and items are bounded,
// and whatever is not a record is skipped by name or refused with a reason.
import { gunzipSync } from 'node:zlib'
import { isJsonObject } from '../normalize/cloudtrail.ts'
import type { JsonObject } from '../normalize/cloudtrail.ts'
import type { SourceKind } from '../normalize/event.ts'
import type { Rejected, RejectReason, SkipKind } from '../rejected.ts'
import { insideOf } from './envelope-kinds.ts'
import { isBase64, looksLikeBase64Lines, startsLikeBase64 } from './base64-text.ts'
import {
  concatenatedObjects,
  holdsMoreValuesThan,
  linesOf,
  looksLikeJsonLines,
  parseJson,
  startsPrettyPrinted,
} from './json-text.ts'

/** Bounds on one raw value. Each is a hard limit that a hostile value meets, and far above what AWS and shippers send. */
export interface EnvelopeLimits {
  /** Wrappers inside one another: gzip (with its base64), arrays, objects, strings. */
  readonly depth: number
  /** Bytes of the raw value. */
  readonly inputBytes: number
  /** Bytes that all gzip layers of one value may inflate to together. */
  readonly inflatedBytes: number
  /** Records, skipped and refused members together. */
  readonly records: number
  /** JSON values in one text: `[[],[],…` of 64 MiB would otherwise take 2 GB of memory and 12 s to parse. */
  readonly jsonValues: number
}

export const defaultEnvelopeLimits: EnvelopeLimits = {
  depth: 4,
  inputBytes: 10 * 2 ** 20,
  inflatedBytes: 64 * 2 ** 20,
  // One log file of a busy account holds tens of thousands.
  records: 100_000,
  jsonValues: 4_000_000,
}

/** Who receives what an envelope holds. `index` counts the members of one value from 0, in order. */
export interface EnvelopeSink {
  record(record: JsonObject, kind: SourceKind, index: number): void
  skip(kind: SkipKind, index: number): void
  reject(rejected: Rejected, index: number): void
}

/**
 * Opens a raw value and hands every member to the sink, in order, before it returns.
 *
 * The kind of a record is the envelope by which an operator knows how his records travel: what AWS delivers by
 * (EventBridge, CloudWatch Logs, LookupEvents, Lake) before what a shipper adds (message, _raw, event.original, Beats,
 * SNS) before the shape of a file (Records, array, JSON lines); among equals the innermost. gzip and base64 never count.
 */
export function unwrap(bytes: Uint8Array, limits: EnvelopeLimits, sink: EnvelopeSink): void {
  const walk = new Walk(limits, sink)
  if (bytes.length > limits.inputBytes) {
    walk.reject('too-large', `${bytes.length} bytes, more than ${limits.inputBytes}`)
  } else walk.bytes(bytes, 'UNKNOWN', 0)
}

const rank: Readonly<Record<SourceKind, number>> = {
  UNKNOWN: 0,
  RECORD: 0,
  ARRAY: 1,
  RECORDS_ARRAY: 1,
  RECORDS_OBJECT: 1,
  JSON_LINES: 1,
  MESSAGE: 2,
  RAW: 2,
  EVENT_ORIGINAL: 2,
  BEATS: 2,
  SNS: 2,
  EVENTBRIDGE: 3,
  CLOUDWATCH_LOGS: 3,
  LOOKUP_EVENTS: 3,
  LAKE: 3,
}

const within = (outer: SourceKind, inner: SourceKind): SourceKind => (rank[inner] >= rank[outer] ? inner : outer)

/** The state of one call: what is left of the limits. */
class Walk {
  readonly #limits: EnvelopeLimits
  readonly #sink: EnvelopeSink
  #items = 0
  #inflated = 0
  #full = false

  constructor(limits: EnvelopeLimits, sink: EnvelopeSink) {
    this.#limits = limits
    this.#sink = sink
  }

  bytes(bytes: Uint8Array, kind: SourceKind, depth: number): void {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) this.#gzip(bytes, kind, depth + 1)
    else this.#text(decode(bytes), kind, depth)
  }

  #gzip(bytes: Uint8Array, kind: SourceKind, depth: number): void {
    if (depth > this.#limits.depth) return this.#tooDeep()
    const left = this.#limits.inflatedBytes - this.#inflated
    if (left <= 0) return this.#bomb()
    let inflated: Uint8Array
    try {
      inflated = gunzipSync(bytes, { maxOutputLength: left })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        this.#inflated = this.#limits.inflatedBytes
        return this.#bomb()
      }
      return this.reject('bad-gzip', 'gzip data is cut off or damaged')
    }
    this.#inflated += inflated.length
    this.bytes(inflated, kind, depth)
  }

  #text(text: string | null, kind: SourceKind, depth: number): void {
    if (text === null) return this.reject('too-large', 'longer than a string can be')
    if (holdsMoreValuesThan(text, this.#limits.jsonValues)) {
      return this.reject('too-large', `more than ${this.#limits.jsonValues} JSON values`)
    }
    // A byte order mark is no white space to JSON.parse.
    const value = parseJson(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
    if (value !== undefined) return this.#value(value, kind, depth)
    const trimmed = text.trim()
    if (trimmed === '') return this.reject('empty', 'no bytes but white space')
    const asLines = !startsPrettyPrinted(trimmed) && (looksLikeJsonLines(trimmed) || looksLikeBase64Lines(trimmed))
    if (asLines) this.#lines(trimmed, kind, depth)
    else if (startsLikeBase64(trimmed)) this.#base64(trimmed, kind, depth)
    else if (!this.#concatenated(trimmed, kind, depth)) this.#notJson()
  }

  /** Padding inside would end the decoding there and lose the rest in silence. */
  #base64(text: string, kind: SourceKind, depth: number): void {
    if (!isBase64(text)) return this.reject('bad-base64', 'starts like base64, is not')
    this.bytes(Buffer.from(text, 'base64'), kind, depth)
  }

  #lines(text: string, kind: SourceKind, depth: number): void {
    const inner = within(kind, 'JSON_LINES')
    for (const line of linesOf(text)) {
      if (this.#full) return
      const value = parseJson(line)
      if (value !== undefined) this.#value(value, inner, depth)
      else if (startsLikeBase64(line)) this.#base64(line, inner, depth)
      else if (!this.#concatenated(line, kind, depth)) this.#notJson()
    }
  }

  /** False, and nothing done, where the text does not start with a complete object. */
  #concatenated(text: string, kind: SourceKind, depth: number): boolean {
    const inner = within(kind, 'JSON_LINES')
    let some = false
    for (const piece of concatenatedObjects(text)) {
      if (this.#full) return true
      // The text itself is known not to be JSON, and a second failure costs as much as the first.
      if (piece.length === text.length) return false
      some = true
      const value = parseJson(piece)
      if (value === undefined) this.#notJson()
      else this.#value(value, inner, depth)
    }
    return some
  }

  #value(value: unknown, kind: SourceKind, depth: number): void {
    if (isJsonObject(value)) this.#object(value, kind, depth)
    else if (Array.isArray(value)) this.#members(value, within(kind, 'ARRAY'), depth + 1)
    else if (typeof value !== 'string') this.reject('not-an-object', `a record is an object, not ${nameOf(value)}`)
    else if (depth + 1 > this.#limits.depth) this.#tooDeep()
    else this.#text(value, kind, depth + 1)
  }

  #object(object: JsonObject, kind: SourceKind, depth: number): void {
    const inside = insideOf(object)
    switch (inside.is) {
      case 'record':
        return this.#record(object, within(kind, inside.kind))
      case 'skip':
        if (this.#takesItem()) this.#sink.skip(inside.skip, this.#items - 1)
        return
      case 'holds':
        return this.#members(inside.members, within(kind, inside.kind), depth + 1)
      case 'wraps':
        if (depth + 1 > this.#limits.depth) return this.#tooDeep()
        // The string of a wrapper is the wrapper's own layer, not one more.
        if (typeof inside.inner === 'string') return this.#text(inside.inner, within(kind, inside.kind), depth + 1)
        return this.#value(inside.inner, within(kind, inside.kind), depth + 1)
      case 'wrong-type':
        return this.reject('wrong-type', `${inside.field} is neither an array nor an object`)
      case 'unknown':
        return this.reject('unknown-envelope', 'an object that is neither a CloudTrail record nor a known wrapper')
    }
  }

  #members(members: readonly unknown[], kind: SourceKind, depth: number): void {
    if (depth > this.#limits.depth) return this.#tooDeep()
    for (const member of members) {
      if (this.#full) return
      if (typeof member === 'string') this.#text(member, kind, depth)
      else this.#value(member, kind, depth)
    }
  }

  #record(record: JsonObject, kind: SourceKind): void {
    if (this.#takesItem()) this.#sink.record(record, kind, this.#items - 1)
  }

  reject(rejected: RejectReason, detail: string): void {
    if (this.#takesItem()) this.#sink.reject({ rejected, detail }, this.#items - 1)
  }

  /** Counts one member; the one over the limit is told to the sink as such, once, and ends the walk. */
  #takesItem(): boolean {
    if (this.#full) return false
    if (this.#items++ < this.#limits.records) return true
    this.#full = true
    const detail = `more than ${this.#limits.records} records in one value`
    this.#sink.reject({ rejected: 'too-many-records', detail }, this.#items - 1)
    return false
  }

  #notJson(): void {
    this.reject('not-json', 'neither JSON nor JSON lines')
  }

  #tooDeep(): void {
    this.reject('too-deep', `more than ${this.#limits.depth} wrappers inside one another`)
  }

  #bomb(): void {
    this.reject('too-large', `gzip inflates to more than ${this.#limits.inflatedBytes} bytes`)
  }
}

/** UTF-8 with U+FFFD for what is not; null where the text would be longer than V8 allows. */
function decode(bytes: Uint8Array): string | null {
  try {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  } catch {
    return null
  }
}

function nameOf(value: unknown): string {
  return value === null ? 'null' : value === undefined ? 'absent' : `a ${typeof value}`
}
