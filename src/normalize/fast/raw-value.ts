// Raw values whose records the fast path takes: a bare record, an array, {"Records":[…]}, JSON lines. All or nothing:
// where one record of a value needs the general path, the whole value does. Pure.
// Sibling of ../raw-value.ts, which takes everything.
import type { SourceKind } from '../event.ts'
import type { EnvelopeLimits } from '../../sources/envelope.ts'
import { recordScan } from './record-scan.ts'
import type { RecordScan } from './record-scan.ts'

/** Takes the record that `scan` stands on; false sends the whole value to the general path, and nothing of it counts. */
export type TakeScanned = (scan: RecordScan, start: number, end: number, kind: SourceKind) => boolean

/** Records taken and the envelope they came in; null: the general path has to look at the value. */
export interface Taken {
  readonly records: number
  readonly kind: SourceKind
}

const recordsKey = Buffer.from('"Records"')

/** Reads values. One at a time in a process, because all share the memory of one scan: a taker must not read another. */
export class FastReader {
  readonly #scan = recordScan()
  readonly #limits: EnvelopeLimits

  constructor(limits: EnvelopeLimits) {
    this.#limits = limits
  }

  /** Hands every record of a value to `take`, in order. */
  read(value: Uint8Array | null, take: TakeScanned): Taken | null {
    const scan = this.#scan
    if (scan === null || value === null) return null
    // A text with fewer characters than the limit on values cannot hold that many.
    if (value.length > Math.min(this.#limits.inputBytes, this.#limits.jsonValues)) return null
    const start = scan.tokenAt(scan.load(value))
    if (scan.bytes[start] === 0x5b) return this.#list(scan, start, 'ARRAY', take)
    if (scan.bytes[start] !== 0x7b) return null
    const first = scan.tokenAt(start + 1)
    for (let index = 0; index < recordsKey.length; index++) {
      if (scan.bytes[first + index] !== recordsKey[index]) return this.#lines(scan, start, take)
    }
    const colon = scan.tokenAt(first + recordsKey.length)
    return scan.bytes[colon] === 0x3a ? this.#list(scan, scan.tokenAt(colon + 1), 'RECORDS_ARRAY', take) : null
  }

  #list(scan: RecordScan, open: number, kind: SourceKind, take: TakeScanned): Taken | null {
    const { bytes } = scan
    if (bytes[open] !== 0x5b) return null
    let at = scan.tokenAt(open + 1)
    let records = 0
    for (;;) {
      const end = scan.scan(at)
      if (end === -1 || ++records > this.#limits.records || !take(scan, at, end, kind)) return null
      at = scan.next
      if (bytes[at] === 0x5d) break
      if (bytes[at] !== 0x2c) return null
      at = scan.tokenAt(at + 1)
    }
    at = scan.tokenAt(at + 1)
    if (kind === 'RECORDS_ARRAY') {
      if (bytes[at] !== 0x7d) return null
      at = scan.tokenAt(at + 1)
    }
    return at === scan.limit ? { records, kind } : null
  }

  /** One record, or several with a line feed between every two and none inside. */
  #lines(scan: RecordScan, start: number, take: TakeScanned): Taken | null {
    const { limit } = scan
    let at = start
    let records = 0
    let kind: SourceKind = 'RECORD'
    for (;;) {
      const end = scan.scan(at)
      if (end === -1 || ++records > this.#limits.records) return null
      const { next } = scan
      if (next < limit) {
        if (!scan.endsLine) return null
        kind = 'JSON_LINES'
      }
      if (kind === 'JSON_LINES' && scan.hasNewline) return null
      if (!take(scan, at, end, kind)) return null
      if (next === limit) return { records, kind }
      at = next
    }
  }
}
