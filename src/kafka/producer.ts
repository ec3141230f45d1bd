// Producer of the LogClient port: acknowledged by all in-sync replicas, redone by us until it is or time is up.
// kafkajs must not retry here: a retry inside one send that spans brokers skips partitions when a leader moves, and
// loses what was in them. So its retries are off, a failed client is thrown away together with its metadata (the next
// one learns the new leaders), and the whole request is sent again: duplicates are possible, loss is not.

import { setTimeout as sleep } from 'node:timers/promises'
import type { CompressionTypes, Kafka, Producer as KafkajsProducer } from 'kafkajs'
import { TrailwardenError, twError } from '../errors.ts'
import type { OutRecord, Producer } from '../log/log-client.ts'
import type { Logger } from '../logger.ts'
import { asFault, isTooLarge, isTransient } from './faults.ts'
import { halves, placesOf, produceRequests, sizeOf } from './produce-requests.ts'
import type { TopicMessages } from './produce-requests.ts'

/** Codecs for what we write. Reading understands all of them, always. */
export const compressions = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const satisfies Record<
  string,
  CompressionTypes
>

/** How records are put on the wire. */
export interface Wire {
  readonly compression: CompressionTypes
  readonly maxBatchBytes: number
  /** Partition count of a topic; rejects with TW_TOPIC_MISSING. */
  partitionsOf(topic: string): Promise<number>
}

/** TW_RECORD_TOO_LARGE with the record that no broker batch can hold, so that the caller can dead-letter just that one. */
class RecordTooLargeError extends TrailwardenError {
  readonly topic: string
  readonly record: OutRecord

  constructor(topic: string, record: OutRecord, cause?: unknown) {
    const size = sizeOf(record)
    super('TW_RECORD_TOO_LARGE', `A record of about ${size} bytes is larger than ${topic} accepts.`, { cause })
    this.topic = topic
    this.record = record
  }
}

/** The partition is chosen before kafkajs sees the record. */
export const chosenPartition = () => (args: { message: { partition?: number } }) => args.message.partition ?? 0

const firstWaitMs = 50
const longestWaitMs = 2_000
// The first failure, and then about every twenty seconds.
const warnEvery = 10

/** Doubling back-off between redone requests, spread by a fifth so that many producers do not come back together. */
function backoffMs(attempt: number): number {
  return Math.min(firstWaitMs * 2 ** attempt, longestWaitMs) * (0.9 + Math.random() * 0.2)
}

/** The requests of a batch, after the partition counts of its topics are known. */
export async function requestsFor(
  batch: Parameters<Producer['send']>[0],
  wire: Wire,
  spread: () => number,
): Promise<TopicMessages[][]> {
  const counts = new Map<string, number>()
  for (const { topic, records } of batch) {
    if (records.length > 0 && !counts.has(topic)) counts.set(topic, await wire.partitionsOf(topic))
  }
  return produceRequests(batch, topic => counts.get(topic) ?? 1, spread, wire.maxBatchBytes)
}

/** A plain producer. Connects at the first send, so that handing it out never fails; `retryForMs` bounds each send. */
export function plainProducer(kafka: Kafka, wire: Wire, retryForMs: number, logger: Logger): Producer {
  let client: Promise<KafkajsProducer> | null = null
  let closed = false
  let next = 0

  async function connect(): Promise<KafkajsProducer> {
    const producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: chosenPartition,
      retry: { retries: 0 },
    })
    await producer.connect()
    return producer
  }

  /** Forgets a client whose metadata or connections can no longer be trusted. Its shutdown is nobody's concern. */
  function discard(broken: Promise<KafkajsProducer>): void {
    if (client === broken) client = null
    void broken.then(producer => producer.disconnect()).catch(() => undefined)
  }

  async function append(request: TopicMessages[], deadline: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      if (closed) throw twError('TW_PRODUCE_FAILED', 'The producer is closed.')
      const mine = (client ??= connect())
      try {
        await (await mine).sendBatch({ acks: -1, compression: wire.compression, topicMessages: request })
        return
      } catch (error) {
        if (isTooLarge(error)) {
          await appendHalves(request, deadline, error)
          return
        }
        discard(mine)
        const wait = backoffMs(attempt)
        if (!isTransient(error) || Date.now() + wait > deadline) {
          throw asFault(error, 'TW_PRODUCE_FAILED', `Producing to ${request.map(r => r.topic).join(', ')}`)
        }
        const fields = { attempt: attempt + 1, error: error instanceof Error ? error.message : String(error) }
        if (attempt % warnEvery === 0) logger.warn(fields, 'Producing failed, trying again')
        await sleep(wait)
      }
    }
  }

  /** Finds the one record that is too large; everything around it is appended. */
  async function appendHalves(request: TopicMessages[], deadline: number, cause: unknown): Promise<void> {
    const [first, second] = halves(request) ?? []
    if (first && second) {
      // The second half goes out even where the first holds the culprit.
      const [result] = await Promise.allSettled([append(first, deadline)])
      await append(second, deadline)
      if (result.status === 'rejected') throw result.reason
      return
    }
    const single = request[0]
    const message = single?.messages[0]
    if (single && message) throw new RecordTooLargeError(single.topic, message.source, cause)
  }

  /** Partition counts come from the cluster too, so a cluster that is away is waited for here as well. */
  async function plan(batch: Parameters<Producer['send']>[0], deadline: number): Promise<TopicMessages[][]> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await requestsFor(batch, wire, () => next++)
      } catch (error) {
        const wait = backoffMs(attempt)
        if (!isTransient(error) || Date.now() + wait > deadline) throw asFault(error, 'TW_PRODUCE_FAILED', 'Producing')
        await sleep(wait)
      }
    }
  }

  return {
    async send(batch) {
      const deadline = Date.now() + retryForMs
      const requests = await plan(batch, deadline)
      for (const request of requests) await append(request, deadline)
      return placesOf(requests)
    },
    async close() {
      closed = true
      const last = client
      client = null
      if (last) await last.then(producer => producer.disconnect()).catch(() => undefined)
    },
  }
}
