// Follows a topic from given offsets outside any group, for `tail`: what each partition has got is read in rounds, and the
// records of a round come in the order of their timestamps. Positions are kept here and nothing is committed, so that
// whoever looks on leaves no trace on the cluster. Waits through outages; skips nothing that is still kept.
import { setTimeout as sleep } from 'node:timers/promises'
import { asTrailwardenError } from '../errors.ts'
import type { LogClient, LogRecord, RecordBatch } from '../log/log-client.ts'

/** How to follow. */
export interface Following {
  /** First offset of each partition; partitions added later are read from their beginning. */
  readonly from: readonly number[]
  /** Milliseconds between two looks at a topic that has nothing new. */
  readonly everyMs: number
  readonly signal: AbortSignal
  /** Told once when an outage begins, when one ends, and when retention was faster than the reading. */
  readonly notice: (sentence: string) => Promise<void> | void
}

/** A partition that ends before our position for so many looks was made anew: a new leader catches up much sooner. */
const looksBeforeAnew = 20

/** Yields until the signal is aborted. Rejects with errors that waiting does not heal, such as TW_TOPIC_MISSING. */
export async function* follow(log: LogClient, topic: string, how: Following): AsyncGenerator<LogRecord, void, void> {
  const { everyMs, signal, notice } = how
  const places = new Places(topic, how.from)
  let waiting = false
  while (!signal.aborted) {
    let found = 0
    try {
      const bounds = await unlessStopped(log.offsets(topic), signal)
      for (const sentence of places.fit(bounds)) await notice(sentence)
      const ranges = places.behind(bounds).map(({ partition, from, to }) => ({
        partition,
        batches: log.read(topic, partition, { from, to, signal }),
      }))
      for await (const { partition, record, nextOffset } of byTimestamp(ranges)) {
        found++
        places.set(partition, nextOffset)
        yield record
      }
      places.reach(bounds)
      if (waiting) await notice('Reading goes on.')
      waiting = false
    } catch (thrown) {
      if (signal.aborted) return
      const error = asTrailwardenError(thrown)
      // What retention took while it was being read is told by the next look.
      if (!error.retriable && error.code !== 'TW_OFFSET_OUT_OF_RANGE') throw thrown
      if (!waiting && error.retriable) await notice(`${error.message} Waiting for the cluster.`)
      waiting ||= error.retriable
    }
    if (found === 0) await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

/** Next offset by partition. */
class Places {
  readonly #topic: string
  readonly #next: number[]
  readonly #short: number[] = []

  constructor(topic: string, from: readonly number[]) {
    this.#topic = topic
    this.#next = [...from]
  }

  set(partition: number, offset: number): void {
    this.#next[partition] = offset
  }

  /** Brings positions into what is kept; a sentence for each partition of which something is gone. */
  fit(bounds: readonly { readonly begin: number; readonly end: number }[]): string[] {
    return bounds.flatMap(({ begin, end }, partition) => {
      const next = this.#next[partition]
      if (next === undefined) this.#next[partition] = begin
      else if (next < begin) {
        this.#next[partition] = begin
        return [`Retention of ${this.#topic}/${partition} removed ${begin - next} offsets before they were read.`]
      }
      const short = next !== undefined && next > end ? (this.#short[partition] ?? 0) + 1 : 0
      this.#short[partition] = short
      if (short < looksBeforeAnew) return []
      this.#next[partition] = begin
      return [
        `${this.#topic}/${partition} ends before what was read: it was made anew, and is read from its beginning.`,
      ]
    })
  }

  behind(bounds: readonly { readonly end: number }[]): { partition: number; from: number; to: number }[] {
    return bounds.flatMap(({ end }, partition) => {
      const from = this.#next[partition] ?? end
      return from < end ? [{ partition, from, to: end }] : []
    })
  }

  /** After everything below the ends was read: steps over what is no record, such as markers of transactions. */
  reach(bounds: readonly { readonly end: number }[]): void {
    for (const { partition, to } of this.behind(bounds)) this.#next[partition] = to
  }
}

interface Source {
  readonly partition: number
  readonly batches: AsyncIterable<RecordBatch>
}

interface Sourced {
  readonly partition: number
  readonly record: LogRecord
  readonly nextOffset: number
}

/** The records of several partitions, earliest timestamp first; within a partition in offset order. */
async function* byTimestamp(sources: readonly Source[]): AsyncGenerator<Sourced, void, void> {
  const streams = sources.map(recordsOf)
  const heads = await Promise.all(streams.map(async stream => ({ stream, head: await stream.next() })))
  for (;;) {
    let first: (typeof heads)[number] | null = null
    for (const candidate of heads) {
      if (candidate.head.done === true) continue
      if (first === null || first.head.done === true) first = candidate
      else if (candidate.head.value.record.timestamp < first.head.value.record.timestamp) first = candidate
    }
    if (first === null || first.head.done === true) return
    yield first.head.value
    first.head = await first.stream.next()
  }
}

async function* recordsOf({ partition, batches }: Source): AsyncGenerator<Sourced, void, void> {
  for await (const { records } of batches)
    for (const record of records) yield { partition, record, nextOffset: record.offset + 1 }
}

/** A lookup that waits for a lost broker must not hold back a person's Ctrl-C. */
async function unlessStopped<T>(lookup: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason as Error)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([lookup, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
