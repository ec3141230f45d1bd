// One batch of raw values → records for the events topic and dead letters, with what was counted on the way.
// The synchronous middle of the normalizer, shared by the topic loop and by files; nothing here waits or throws on data.
import type { Encoder } from '../codecs/confluent.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Taken } from '../normalize/fast/raw-value.ts'
import { normalizeBytes } from '../normalize/raw-value.ts'
import type { NormalizeOptions, NormalizeSink } from '../normalize/raw-value.ts'
import type { Rejected, RejectReason, SkipKind } from '../rejected.ts'
import type { OutRecord } from '../log/log-client.ts'

/** Counts that reconcile: records found = events + skipped + rejected. */
export interface NormalizeCounts {
  /** Raw values taken in. */
  values: number
  events: number
  readonly byEnvelope: Map<string, number>
  readonly skipped: Map<SkipKind, number>
  readonly rejected: Map<RejectReason, number>
}

/** New counts, all zero. */
function normalizeCounts(): NormalizeCounts {
  return { values: 0, events: 0, byEnvelope: new Map(), skipped: new Map(), rejected: new Map() }
}

/** Sum of a map of counts. */
export function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const count of counts.values()) sum += count
  return sum
}

function bump<K>(counts: Map<K, number>, key: K, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

/** What a raw value gave besides its events. */
export interface Refusal {
  readonly first: Rejected
  readonly count: number
}

/** Turns raw values into events and hands each to `take` with the Kafka key as text. */
export class Normalizing {
  readonly counts = normalizeCounts()
  readonly #options: NormalizeOptions
  readonly #sink: NormalizeSink
  readonly #fast: ((bytes: Uint8Array) => Taken | null) | null
  #first: Rejected | null = null
  #refused = 0

  /** `fast` is asked first for every value; what it takes, `take` never sees. */
  constructor(
    options: NormalizeOptions,
    take: (event: CloudTrailEvent) => Rejected | null,
    fast: ((bytes: Uint8Array) => Taken | null) | null = null,
  ) {
    this.#options = options
    this.#fast = fast
    this.#sink = {
      event: event => {
        const refusal = take(event)
        if (refusal !== null) return this.#refuse(refusal)
        this.counts.events++
        bump(this.counts.byEnvelope, event.sourceKind)
      },
      skipped: kind => bump(this.counts.skipped, kind),
      rejected: refusal => this.#refuse(refusal),
    }
  }

  /** Takes one raw value in; returns the refusals inside it, if any. */
  value(bytes: Uint8Array | null): Refusal | null {
    this.counts.values++
    const taken = bytes === null ? null : (this.#fast?.(bytes) ?? null)
    if (taken !== null) {
      this.counts.events += taken.records
      bump(this.counts.byEnvelope, taken.kind, taken.records)
      return null
    }
    this.#first = null
    this.#refused = 0
    normalizeBytes(bytes, this.#options, this.#sink)
    return this.#first === null ? null : { first: this.#first, count: this.#refused }
  }

  /** Counts a value that could not even be read, such as a damaged file. */
  unreadable(refusal: Rejected): void {
    this.counts.values++
    this.#refuse(refusal)
  }

  #refuse(refusal: Rejected): void {
    this.#first ??= refusal
    this.#refused++
    bump(this.counts.rejected, refusal.rejected)
  }
}

/** Encodes events for the events topic; one that is larger than the topic takes is refused instead. */
export function eventRecords(
  encoder: Encoder<CloudTrailEvent>,
  schemaId: number,
  maxRecordBytes: number,
  records: OutRecord[],
): (event: CloudTrailEvent) => Rejected | null {
  return event => {
    const value = encoder.encode(event, schemaId)
    if (value.length > maxRecordBytes)
      return { rejected: 'too-large-to-produce', detail: `${value.length} bytes encoded, more than ${maxRecordBytes}` }
    records.push({ key: event.principal.key, value })
    return null
  }
}
