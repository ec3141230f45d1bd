// The normalizer's loop: raw topic → events topic, dead letters beside it. At least once: the position is committed
// after every record of the batch is acknowledged by all in-sync replicas. Written against the LogClient port.
import type { Encoder } from '../codecs/confluent.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { NormalizeOptions } from '../normalize/raw-value.ts'
import type { BatchControl, GroupConsumer, LogClient, OutRecord, Producer, RecordBatch } from '../log/log-client.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { addCounts, addPlaces, releasePartition } from '../metrics/metrics.ts'
import { asTrailwardenError, twError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { deadLetter } from './dead-letter.ts'
import { FastRecords } from './fast-records.ts'
import { eventRecords, Normalizing } from './normalize-batch.ts'
import { ProgressWatch } from './progress-watch.ts'
import type { RunningLoop } from './running-loop.ts'

// Half of the usual: some 400 records cost as little per record as 800, and what is in hand is half of the memory.
const FETCH_BYTES = 1 << 19
const STALL_MS = 5 * 60_000

/** What the loop works with. */
export interface NormalizerOptions {
  readonly log: LogClient
  readonly group: string
  readonly topics: { readonly raw: string; readonly events: string; readonly rejected: string }
  readonly encoder: Encoder<CloudTrailEvent>
  readonly schemaId: number
  readonly normalize: NormalizeOptions
  /** False sends every value through the general path; the records are the same. Default true. */
  readonly fastPaths?: boolean
  readonly maxRecordBytes: number
  readonly batchMaxRecords: number
  readonly produceRetryMs?: number
  readonly sessionTimeoutMs?: number
  readonly outOfRange?: 'fail' | 'earliest'
  /** How long a partition may stand still with records to read before the loop ends, default 5 min; 0 never. */
  readonly stallMs?: number
  readonly metrics: Metrics
  readonly logger: Logger
}

/** Starts the loop. Resolves once the consumer has been started; `ready()` turns true with the first assignment. */
export async function startNormalizer(options: NormalizerOptions): Promise<RunningLoop> {
  const loop = new NormalizerLoop(options, await options.log.producer(retryOf(options)))
  await loop.start()
  return {
    done: loop.done,
    ready: () => loop.ready(),
    positions: () => loop.positions(),
    stop: () => loop.stop(),
  }
}

function retryOf({ produceRetryMs }: NormalizerOptions): { readonly retryForMs?: number } {
  return produceRetryMs === undefined ? {} : { retryForMs: produceRetryMs }
}

class NormalizerLoop {
  readonly done: Promise<void>
  readonly #options: NormalizerOptions
  readonly #fast: FastRecords | null
  readonly #producer: Producer
  readonly #consumer: GroupConsumer
  readonly #watch: ProgressWatch
  readonly #end = Promise.withResolvers<void>()
  readonly #over = new AbortController()
  /** Next offset of every owned partition; null before its first batch here. */
  #positions = new Map<number, number | null>()
  #joined = false
  #stopping: Promise<void> | null = null

  constructor(options: NormalizerOptions, producer: Producer) {
    const { log, group, topics, logger, produceRetryMs = 0, stallMs = STALL_MS } = options
    this.#options = options
    this.#fast =
      options.fastPaths === false ? null : new FastRecords(options.normalize, options.schemaId, options.maxRecordBytes)
    this.#producer = producer
    this.done = this.#end.promise
    this.done.catch(() => undefined)
    // A produce that is still being redone is no stall.
    const patience = stallMs === 0 ? 0 : Math.max(stallMs, 2 * produceRetryMs)
    this.#watch = new ProgressWatch({ log, topic: topics.raw, logger, stallMs: patience })
    this.#consumer = log.consumer({
      group,
      topic: topics.raw,
      from: 'earliest',
      fetchBytes: FETCH_BYTES,
      ...(options.sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs: options.sessionTimeoutMs }),
      ...(options.outOfRange === undefined ? {} : { outOfRange: options.outOfRange }),
    })
  }

  async start(): Promise<void> {
    await this.#consumer.start({
      assigned: partitions => this.#take(partitions),
      batch: (batch, control) => this.#handle(batch, control),
      crashed: error => this.#fail(error),
    })
    void this.#watchProgress()
  }

  ready(): boolean {
    return this.#joined && !this.#over.signal.aborted
  }

  positions(): ReadonlyMap<number, number | null> {
    return this.#positions
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  async #stop(): Promise<void> {
    this.#over.abort()
    await this.#consumer.stop()
    await this.#producer.close()
    this.#end.resolve()
  }

  #fail(thrown: unknown): void {
    this.#over.abort()
    this.#end.reject(asTrailwardenError(thrown))
  }

  #take(partitions: readonly number[]): void {
    const { metrics, topics } = this.#options
    const before = this.#positions
    this.#positions = new Map(partitions.map(partition => [partition, before.get(partition) ?? null]))
    for (const partition of before.keys())
      if (!this.#positions.has(partition)) releasePartition(metrics, partition, topics.raw)
    this.#joined = true
    this.#watch.assigned(partitions)
    metrics.rebalances.inc()
    metrics.assigned.set(partitions.length)
    for (const partition of partitions) this.#consumer.resume(partition, null)
  }

  async #handle(batch: RecordBatch, control: BatchControl): Promise<void> {
    try {
      await this.#workBatch(batch, control)
    } catch (thrown) {
      const error = asTrailwardenError(thrown)
      // A rebalance took the partition away between produce and commit: its next owner redoes the batch.
      if (error.code === 'TW_REBALANCED') return
      this.#fail(error)
      this.#consumer.pause(batch.partition)
    }
  }

  async #workBatch(batch: RecordBatch, control: BatchControl): Promise<void> {
    const { records, partition } = batch
    const { batchMaxRecords, metrics } = this.#options
    this.#noteLag(batch, control, records[0]?.offset ?? batch.nextOffset, 0)
    for (let from = 0; from === 0 || from < records.length; from += batchMaxRecords) {
      if (!control.current()) return
      const worked = metrics.batches.startTimer()
      const chunk = records.slice(from, from + batchMaxRecords)
      const last = chunk.at(-1)
      const isEnd = from + chunk.length >= records.length
      const next = isEnd || last === undefined ? batch.nextOffset : last.offset + 1
      await this.#workChunk(chunk, batch, control)
      await control.commit(next)
      metrics.offsetCommits.inc()
      control.resolve(next)
      worked()
      this.#watch.alive(partition)
      this.#noteLag(batch, control, next, from + chunk.length)
      await control.heartbeat()
    }
  }

  /** `next` is the index of the next record; beyond the batch, its newest stands for the next. */
  #noteLag(
    { topic, partition, records, highWatermark }: RecordBatch,
    control: BatchControl,
    at: number,
    next: number,
  ): void {
    if (!control.current()) return
    this.#positions.set(partition, at)
    const oldest = (records[next] ?? records.at(-1))?.timestamp ?? -1
    this.#options.metrics.lag.set(topic, partition, highWatermark - at, highWatermark > at ? oldest : null)
  }

  async #workChunk(chunk: RecordBatch['records'], batch: RecordBatch, control: BatchControl): Promise<void> {
    const { metrics, topics, encoder, schemaId, maxRecordBytes } = this.#options
    const events: OutRecord[] = []
    const rejected: OutRecord[] = []
    const trail = metrics.trail.batch()
    const take = eventRecords(encoder, schemaId, maxRecordBytes, events)
    const note = trail.note.bind(trail)
    const normalizing = new Normalizing(
      this.#options.normalize,
      event => {
        note(event)
        return take(event)
      },
      value => this.#fast?.take(value, events, note) ?? null,
    )
    for (const record of chunk) {
      const refusal = normalizing.value(record.value)
      if (refusal !== null) rejected.push(deadLetter(record, batch, 'NORMALIZE', refusal.first, refusal.count))
    }
    const memory = this.#fast?.detach() ?? []
    const out = [
      { topic: topics.events, records: events },
      { topic: topics.rejected, records: rejected },
    ].filter(part => part.records.length > 0)
    const places = out.length > 0 ? await this.#producer.send(out) : []
    this.#fast?.recycle(memory)

    // Counted only now: what is counted has been acknowledged.
    addPlaces(metrics.recordsOut, places)
    if (control.current()) metrics.recordsIn.inc({ topic: topics.raw, partition: batch.partition }, chunk.length)
    addCounts(metrics.envelopes, 'kind', normalizing.counts.byEnvelope)
    addCounts(metrics.skipped, 'kind', normalizing.counts.skipped)
    addCounts(metrics.rejected, 'reason', normalizing.counts.rejected)
    metrics.trail.add(trail)
  }

  async #watchProgress(): Promise<void> {
    const { log, group, topics, logger } = this.#options
    const positionOf = async (partition: number) => {
      const known = this.#positions.get(partition) ?? null
      // Until its first batch the position is the group's; a cluster that does not answer is no stall.
      if (known !== null) return known
      const committed = await log.committed(group, topics.raw).catch(() => null)
      return committed === null ? Infinity : (committed[partition] ?? 0)
    }
    const partition = await this.#watch.run(this.#over.signal, positionOf)
    if (partition === null) return
    logger.error({ partition }, 'The partition has records to read and does not move.')
    this.#fail(twError('TW_CONSUMER_CRASHED', `No progress on ${topics.raw}, partition ${partition}.`))
  }
}
