// The whole normalizer for one raw Kafka value (or file, or chunk of lines): bytes to events, skips and refusals.
// Pure, and the only entrance that the pipeline needs. It never throws and calls the sink in the order of the input.
import { unwrap } from '../sources/envelope.ts'
import type { EnvelopeLimits, EnvelopeSink } from '../sources/envelope.ts'
import type { Rejected, SkipKind } from '../rejected.ts'
import type { JsonObject } from './cloudtrail.ts'
import { normalizeRecord } from './event.ts'
import type { CloudTrailEvent, NormalizeContext, SourceKind } from './event.ts'

/** What the operator chose: the fields kept, the trust in sourceIdentity, the limits of envelopes. */
export interface NormalizeOptions extends Omit<NormalizeContext, 'sourceKind'> {
  readonly limits: EnvelopeLimits
}

/** Who receives the members of one raw value. `index` is the member's position in it, from 0. */
export interface NormalizeSink {
  event(event: CloudTrailEvent, index: number): void
  skipped(kind: SkipKind, index: number): void
  rejected(rejected: Rejected, index: number): void
}

/**
 * Opens a raw value and normalizes every record in it. null (a Kafka tombstone) is refused as `null-value`.
 * Every value gives at least one call to the sink, except an envelope that holds no member (`{"Records":[]}`).
 */
export function normalizeBytes(bytes: Uint8Array | null, options: NormalizeOptions, sink: NormalizeSink): void {
  if (bytes === null) sink.rejected({ rejected: 'null-value', detail: 'the record has no value' }, 0)
  else unwrap(bytes, options.limits, new RecordNormalizer(options, sink))
}

class RecordNormalizer implements EnvelopeSink {
  readonly #options: NormalizeOptions
  readonly #sink: NormalizeSink
  #context: NormalizeContext | null = null

  constructor(options: NormalizeOptions, sink: NormalizeSink) {
    this.#options = options
    this.#sink = sink
  }

  record(record: JsonObject, kind: SourceKind, index: number): void {
    // Nearly always all records of a value share their kind; the context is made once for them.
    const context = this.#context?.sourceKind === kind ? this.#context : { ...this.#options, sourceKind: kind }
    this.#context = context
    const event = normalizeRecord(record, context)
    if ('rejected' in event) this.#sink.rejected(event, index)
    else this.#sink.event(event, index)
  }

  skip(kind: SkipKind, index: number): void {
    this.#sink.skipped(kind, index)
  }

  reject(rejected: Rejected, index: number): void {
    this.#sink.rejected(rejected, index)
  }
}
