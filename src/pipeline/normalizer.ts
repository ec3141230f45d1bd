// The normalizer's loop: raw topic → events topic, dead letters beside it. At least once: the position is committed
// after every record of the batch is acknowledged by all in-sync replicas. Written against the LogClient port.
import type { Encoder } from '../codecs/confluent.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { NormalizeOptions } from '../normalize/raw-value.ts'
import type { BatchControl, LogClient, OutRecord, Producer, RecordBatch } from '../log/log-client.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { addCounts } from '../metrics/metrics.ts'
import { asTrailwardenError } from '../errors.ts'
import { deadLetter } from './dead-letter.ts'
import { eventRecords, Normalizing } from './normalize-batch.ts'
import type { RunningLoop } from './running-loop.ts'

/** What the loop works with. */
export interface NormalizerOptions {
  readonly log: LogClient
  readonly group: string
  readonly topics: { readonly raw: string; readonly events: string; readonly rejected: string }
  readonly encoder: Encoder<CloudTrailEvent>
  readonly schemaId: number
  readonly normalize: NormalizeOptions
  readonly maxRecordBytes: number
  readonly batchMaxRecords: number
  readonly produceRetryMs?: number
  readonly sessionTimeoutMs?: number
  readonly outOfRange?: 'fail' | 'earliest'
  readonly metrics: Metrics
}

/** Starts the loop. Resolves once the consumer has been started; `ready()` turns true with the first assignment. */
export async function startNormalizer(options: NormalizerOptions): Promise<RunningLoop> {
  const { log, metrics, topics } = options
  const producer = await log.producer(
    options.produceRetryMs === undefined ? {} : { retryForMs: options.produceRetryMs },
  )
  const consumer = log.consumer({
    group: options.group,
    topic: topics.raw,
    from: 'earliest',
    ...(options.sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs: options.sessionTimeoutMs }),
    ...(options.outOfRange === undefined ? {} : { outOfRange: options.outOfRange }),
  })
  const end = Promise.withResolvers<void>()
  end.promise.catch(() => undefined)
  let joined = false
  let stopping: Promise<void> | null = null

  const fail = (thrown: unknown) => end.reject(asTrailwardenError(thrown))
  await consumer.start({
    assigned(partitions) {
      joined = true
      metrics.rebalances.inc()
      metrics.assigned.set(partitions.length)
      metrics.lag.reset()
      for (const partition of partitions) consumer.resume(partition, null)
    },
    async batch(batch, control) {
      try {
        await normalizeBatch(batch, control, options, producer)
      } catch (thrown) {
        const error = asTrailwardenError(thrown)
        // A rebalance took the partition away between produce and commit: its next owner redoes the batch.
        if (error.code === 'TW_REBALANCED') return
        fail(error)
        consumer.pause(batch.partition)
      }
    },
    crashed: fail,
  })
  return {
    done: end.promise,
    ready: () => joined && stopping === null,
    stop: () =>
      (stopping ??= (async () => {
        await consumer.stop()
        await producer.close()
        end.resolve()
      })()),
  }
}

async function normalizeBatch(
  batch: RecordBatch,
  control: BatchControl,
  options: NormalizerOptions,
  producer: Producer,
): Promise<void> {
  for (let from = 0; from === 0 || from < batch.records.length; from += options.batchMaxRecords) {
    if (!control.current()) return
    const chunk = batch.records.slice(from, from + options.batchMaxRecords)
    const last = chunk.at(-1)
    const isEnd = from + chunk.length >= batch.records.length
    const next = isEnd || last === undefined ? batch.nextOffset : last.offset + 1
    await normalizeChunk(chunk, batch, options, producer)
    await control.commit(next)
    control.resolve(next)
    options.metrics.lag.set({ topic: batch.topic, partition: batch.partition }, Math.max(0, batch.highWatermark - next))
    await control.heartbeat()
  }
}

async function normalizeChunk(
  chunk: RecordBatch['records'],
  batch: RecordBatch,
  options: NormalizerOptions,
  producer: Producer,
): Promise<void> {
  const { metrics, topics } = options
  const events: OutRecord[] = []
  const rejected: OutRecord[] = []
  const normalizing = new Normalizing(
    options.normalize,
    eventRecords(options.encoder, options.schemaId, options.maxRecordBytes, events),
  )
  for (const record of chunk) {
    const refusal = normalizing.value(record.value)
    if (refusal !== null) rejected.push(deadLetter(record, batch, 'NORMALIZE', refusal.first, refusal.count))
  }
  const out = [
    { topic: topics.events, records: events },
    { topic: topics.rejected, records: rejected },
  ].filter(part => part.records.length > 0)
  if (out.length > 0) await producer.send(out)

  // Counted only now: what is counted has been acknowledged.
  metrics.recordsIn.inc({ topic: topics.raw }, chunk.length)
  for (const part of out) metrics.recordsOut.inc({ topic: part.topic }, part.records.length)
  addCounts(metrics.envelopes, 'kind', normalizing.counts.byEnvelope)
  addCounts(metrics.skipped, 'kind', normalizing.counts.skipped)
  addCounts(metrics.rejected, 'reason', normalizing.counts.rejected)
}
