// The normalizer's fast path as the pipeline uses it: raw values of the common forms to records for the events topic,
// bytes in and bytes out. All of a value or nothing of it; what it declines goes through Normalizing's general path.
import { KnownTexts } from '../codecs/known-texts.ts'
import type { OutRecord } from '../log/log-client.ts'
import { EventWriter } from '../normalize/fast/event-writer.ts'
import { FastReader } from '../normalize/fast/raw-value.ts'
import type { Taken } from '../normalize/fast/raw-value.ts'
import { slotOf } from '../normalize/fast/record-layout.ts'
import type { RecordScan } from '../normalize/fast/record-scan.ts'
import type { CloudTrailEvent, SourceKind } from '../normalize/event.ts'
import type { NormalizeOptions } from '../normalize/raw-value.ts'

/** The members of an event that are counted as it passes. Whoever is told of one does not keep it. */
export type PassingEvent = Pick<
  CloudTrailEvent,
  'awsRegion' | 'eventTime' | 'managementEvent' | 'readOnly' | 'sourceKind'
>

const awsRegion = slotOf('record.awsRegion')
const managementEvent = slotOf('record.managementEvent')
const readOnly = slotOf('record.readOnly')

/** One per loop: it keeps slabs, tables and the memory of the order of fields. */
export class FastRecords {
  readonly #reader: FastReader
  readonly #writer: EventWriter
  readonly #maxRecordBytes: number
  readonly #regions = new KnownTexts()
  /** What is told of the records of one value, used again for the next. */
  readonly #passed: { -readonly [Name in keyof PassingEvent]: PassingEvent[Name] }[] = []

  constructor(options: NormalizeOptions, schemaId: number, maxRecordBytes: number) {
    this.#reader = new FastReader(options.limits)
    this.#writer = new EventWriter(options, schemaId)
    this.#maxRecordBytes = maxRecordBytes
  }

  /**
   * The memory of all records taken since the last call. Whoever knows that nobody reads those any more gives it back by
   * {@link recycle}; else the garbage collector has it.
   */
  detach(): readonly Buffer[] {
    return this.#writer.detach()
  }

  /** Takes memory back that {@link detach} gave away. */
  recycle(memory: readonly Buffer[]): void {
    this.#writer.recycle(memory)
  }

  /** Appends the records of a value to `records` and notes each event; null, and nothing done, for the general path. */
  take(value: Uint8Array, records: OutRecord[], note: (event: PassingEvent) => void): Taken | null {
    const before = records.length
    let passed = 0
    const taken = this.#reader.read(value, (scan, start, end, kind) => {
      const record = this.#writer.write(scan, end - start, kind)
      if (record === null || record.value.length > this.#maxRecordBytes) return false
      records.push(record)
      this.#pass(passed++, scan, kind)
      return true
    })
    if (taken === null) records.length = before
    else for (let index = 0; index < passed; index++) note(this.#passed[index]!)
    return taken
  }

  #pass(index: number, scan: RecordScan, sourceKind: SourceKind): void {
    const passed = (this.#passed[index] ??= {
      awsRegion: '',
      eventTime: 0,
      readOnly: null,
      managementEvent: null,
      sourceKind,
    })
    const hasRegion = scan.has(awsRegion)
    passed.awsRegion = hasRegion ? this.#regions.read(scan.bytes, scan.start(awsRegion), scan.end(awsRegion)) : ''
    passed.eventTime = scan.eventTime
    passed.readOnly = scan.flag(readOnly)
    passed.managementEvent = scan.flag(managementEvent)
    passed.sourceKind = sourceKind
  }
}
