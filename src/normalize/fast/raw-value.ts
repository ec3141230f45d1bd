// Raw values whose records the fast path takes: a bare record, an array, {"Records":[…]}, JSON lines. All or nothing:
// where one record of a value needs the general path, the whole value does. Pure.
// Sibling of ../raw-value.ts, which takes everything.
import type { SourceKind } from '../event.ts'
import type { EnvelopeLimits } from '../../sources/envelope.ts'
import { noted, skipWhite } from './json-scan.ts'
import { RecordScan } from './record-scan.ts'

/** Takes the record that `scan` stands on; false sends the whole value to the general path, and nothing of it counts. */
export type TakeScanned = (scan: RecordScan, start: number, end: number, kind: SourceKind) => boolean

/** Records taken and the envelope they came in; null: the general path has to look at the value. */
export interface Taken {
  readonly records: number
  readonly kind: SourceKind
}

const recordsKey = Buffer.from('"Records"')

/** Scans values for one reader. Not reentrant. */
export class FastReader {
  readonly #scan = new RecordScan()
  readonly #limits: EnvelopeLimits

  constructor(limits: EnvelopeLimits) {
    this.#limits = limits
  }

  /** Hands every record of a value to `take`, in order. */
  read(value: Uint8Array | null, take: TakeScanned): Taken | null {
    // A text with fewer characters than the limit on values cannot hold that many.
    if (value === null || value.length > Math.min(this.#limits.inputBytes, this.#limits.jsonValues)) return null
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    const start = skipWhite(bytes, 0)
    if (bytes[start] === 0x5b) return this.#list(bytes, start, 'ARRAY', take)
    if (bytes[start] !== 0x7b) return null
    const first = skipWhite(bytes, start + 1)
    for (let index = 0; index < recordsKey.length; index++) {
      if (bytes[first + index] !== recordsKey[index]) return this.#lines(bytes, start, take)
    }
    const colon = skipWhite(bytes, first + recordsKey.length)
    return bytes[colon] === 0x3a ? this.#list(bytes, skipWhite(bytes, colon + 1), 'RECORDS_ARRAY', take) : null
  }

  #list(bytes: Buffer, open: number, kind: SourceKind, take: TakeScanned): Taken | null {
    if (bytes[open] !== 0x5b) return null
    let at = skipWhite(bytes, open + 1)
    let records = 0
    for (;;) {
      const end = this.#scan.scan(bytes, at)
      if (end === -1 || ++records > this.#limits.records || !take(this.#scan, at, end, kind)) return null
      at = skipWhite(bytes, end)
      if (bytes[at] === 0x5d) break
      if (bytes[at] !== 0x2c) return null
      at = skipWhite(bytes, at + 1)
    }
    at = skipWhite(bytes, at + 1)
    if (kind === 'RECORDS_ARRAY') {
      if (bytes[at] !== 0x7d) return null
      at = skipWhite(bytes, at + 1)
    }
    return at === bytes.length ? { records, kind } : null
  }

  /** One record, or several with a line feed between every two and none inside. */
  #lines(bytes: Buffer, start: number, take: TakeScanned): Taken | null {
    let at = start
    let records = 0
    let kind: SourceKind = 'RECORD'
    for (;;) {
      noted.newline = false
      const end = this.#scan.scan(bytes, at)
      if (end === -1 || ++records > this.#limits.records) return null
      const within = noted.newline
      noted.newline = false
      const next = skipWhite(bytes, end)
      if (next < bytes.length) {
        if (!noted.newline) return null
        kind = 'JSON_LINES'
      }
      if (within && kind === 'JSON_LINES') return null
      if (!take(this.#scan, at, end, kind)) return null
      if (next === bytes.length) return { records, kind }
      at = next
    }
  }
}
