// A log record as it lies in the memory of a response: key and value are cut out when somebody asks for them. Nine of ten
// events are looked at and passed over; a slice each for key and value costs more than the look, and the garbage collector
// had to move them.
import type { LogRecord } from './log-client.ts'

/** Key and value as runs of `bytes`; a run that begins at -1 is null. */
export class StoredRecord implements LogRecord {
  readonly offset: number
  readonly timestamp: number
  readonly headers: LogRecord['headers']
  readonly bytes: Buffer
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number

  constructor(
    offset: number,
    timestamp: number,
    headers: LogRecord['headers'],
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ) {
    this.offset = offset
    this.timestamp = timestamp
    this.headers = headers
    this.bytes = bytes
    this.keyStart = keyStart
    this.keyEnd = keyEnd
    this.valueStart = valueStart
    this.valueEnd = valueEnd
  }

  /** Any record as such a one: key and value that lie apart are copied together. Null without a key or a value. */
  static of(record: LogRecord): StoredRecord | null {
    if (record instanceof StoredRecord) return record.keyStart < 0 || record.valueStart < 0 ? null : record
    const { offset, timestamp, headers, key, value } = record
    if (key === null || value === null) return null
    const bytes = Buffer.concat([key, value])
    return new StoredRecord(offset, timestamp, headers, bytes, 0, key.length, key.length, bytes.length)
  }

  /** The key as text; it has one. */
  keyText(): string {
    return this.bytes.toString('utf8', this.keyStart, this.keyEnd)
  }

  /** A view. */
  get key(): Buffer | null {
    return this.keyStart < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd)
  }

  /** A view. */
  get value(): Buffer | null {
    return this.valueStart < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd)
  }
}
