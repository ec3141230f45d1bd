// The fast path for those who want few of the events: a record about a call that nobody asks for is scanned, counted by
// its time and left where it lies; any other is normalized by the general path. Pure.
import type { CloudTrailEvent, NormalizeContext, SourceKind } from '../event.ts'
import { normalizeRecord } from '../event.ts'
import type { NormalizeOptions } from '../raw-value.ts'
import { FastReader } from './raw-value.ts'
import type { Taken } from './raw-value.ts'
import { slotOf } from './record-layout.ts'

/** Which calls are wanted, and who counts the others. */
export interface Sift {
  readonly wants: (eventSource: string, eventName: string) => boolean
  /** Told the event time of every event that is passed over, epoch milliseconds. */
  readonly pass: (eventTime: number) => void
}

const eventSource = slotOf('record.eventSource')
const eventName = slotOf('record.eventName')

/** Reads values for one consumer of events. Not reentrant. */
export class SiftingReader {
  readonly #reader: FastReader
  readonly #options: NormalizeOptions
  readonly #sift: Sift

  constructor(options: NormalizeOptions, sift: Sift) {
    this.#reader = new FastReader(options.limits)
    this.#options = options
    this.#sift = sift
  }

  /** Hands on what is wanted, in order; null, and nothing done, where the general path has to look at the value. */
  read(value: Uint8Array, take: (event: CloudTrailEvent) => void): Taken | null {
    const wanted: CloudTrailEvent[] = []
    const passed: number[] = []
    let context: NormalizeContext | null = null
    const taken = this.#reader.read(value, (scan, start, end, kind: SourceKind) => {
      if (!this.#sift.wants(scan.latin1(eventSource), scan.latin1(eventName))) {
        passed.push(scan.eventTime)
        return true
      }
      if (context?.sourceKind !== kind) context = { ...this.#options, sourceKind: kind }
      const event = normalizeRecord(JSON.parse(scan.bytes.toString('utf8', start, end)), context)
      if ('rejected' in event) return false
      wanted.push(event)
      return true
    })
    if (taken === null) return null
    for (const time of passed) this.#sift.pass(time)
    for (const event of wanted) take(event)
    return taken
  }
}
