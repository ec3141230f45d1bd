// LogClient on a Kafka cluster. One kafkajs client, one admin connection and one reading cluster per process;
// producers and consumers have their own connections. What has a design of its own stands in the files next to this.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin, Kafka } from 'kafkajs'
import { twError } from '../errors.ts'
import type { LogClient } from '../log/log-client.ts'
import type { Logger } from '../logger.ts'
import { connectionOf } from './connection.ts'
import type { KafkaConnection } from './connection.ts'
import { groupConsumer } from './consumer.ts'
import { outagePatience } from './corrections/outage.ts'
import { asFault, isTopicMissing, isTransient } from './faults.ts'
import { readCommittedCluster, uncommittedView } from './internals.ts'
import type { Cluster } from './internals.ts'
import { plainProducer, compressions } from './producer.ts'
import type { Wire } from './producer.ts'
import { defaultBatchBytes } from './produce-requests.ts'
import { readPartition } from './reader.ts'
import { observeRequests } from './request-observation.ts'
import type { RequestObserver } from './request-observation.ts'
import { fencedProducer } from './transactional-producer.ts'

/** Settings that have a good default. */
export interface KafkaLogOptions {
  /** Codec of what we write; default `none`. */
  readonly compression?: keyof typeof compressions
  /** Uncompressed bytes per record batch; keep it below max.message.bytes. Default 900 000. */
  readonly maxBatchBytes?: number
  /** A read without progress for this long rejects with TW_READ_STUCK. Default 30 000. */
  readonly stuckAfterMs?: number
  /** For every consumer of this client that does not say otherwise itself. Default `fail`. */
  readonly outOfRange?: 'fail' | 'earliest'
  /** Name of this process in every group it joins (KIP-345): a restart within the session moves no partition. */
  readonly groupInstanceId?: string
  /** Told of every request to a broker. */
  readonly observer?: RequestObserver
}

/** The LogClient of a cluster, connected. Rejects with TW_BROKER_UNAVAILABLE where no broker answers. */
export async function kafkaLog(
  connection: KafkaConnection,
  logger: Logger,
  options: KafkaLogOptions = {},
): Promise<LogClient> {
  const kafka = connectionOf(connection, logger)
  if (options.observer) observeRequests(kafka, options.observer)
  const admin = kafka.admin()
  const cluster = readCommittedCluster(kafka)
  try {
    await admin.connect()
    await cluster.connect()
  } catch (error) {
    await Promise.allSettled([admin.disconnect(), cluster.disconnect()])
    throw asFault(error, 'TW_BROKER_UNAVAILABLE', `Connecting to ${connection.brokers.join(', ')}`)
  }
  return logClient({ kafka, admin, cluster, logger, options })
}

interface Parts {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly cluster: Cluster
  readonly logger: Logger
  readonly options: KafkaLogOptions
}

const defaultRetryForMs = 120_000
const defaultStuckAfterMs = 30_000

function logClient({ kafka, admin, cluster, logger, options }: Parts): LogClient {
  async function partitions(topic: string, forMs = lookupForMs): Promise<number | null> {
    return patiently(`Reading the metadata of ${topic}`, forMs, async () => {
      try {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
        return topics[0]?.partitions.length ?? null
      } catch (error) {
        if (isTopicMissing(error)) return null
        throw error
      }
    })
  }

  async function partitionsOf(topic: string, forMs = lookupForMs): Promise<number> {
    const count = await partitions(topic, forMs)
    if (count === null || count === 0) throw twError('TW_TOPIC_MISSING', `Topic ${topic} does not exist.`)
    return count
  }

  const uncommitted = uncommittedView(cluster)

  /** One offset per partition; `place` is a timestamp, the beginning, the last stable end, or the high watermark. */
  async function offsetsOf(
    topic: string,
    place: 'begin' | 'end' | 'highWatermark' | number,
    forMs = lookupForMs,
  ): Promise<number[]> {
    const count = await partitionsOf(topic, forMs)
    const request = {
      topic,
      partitions: Array.from({ length: count }, (_, partition) => ({ partition })),
      ...(typeof place === 'number' ? { fromTimestamp: place } : { fromBeginning: place === 'begin' }),
    }
    const what = `Reading the offsets of ${topic}`
    const view = place === 'highWatermark' ? uncommitted : cluster
    const look = async () => {
      await cluster.addTargetTopic(topic)
      const answers = (await view.fetchTopicsOffset([request])).flatMap(answer => answer.partitions)
      const found = new Map(answers.map(({ partition, offset }) => [partition, Number(offset)]))
      return request.partitions.map(({ partition }) => found.get(partition) ?? -1)
    }
    return patiently(what, forMs, look, () => cluster.refreshMetadata())
  }

  async function offsets(topic: string, forMs = lookupForMs) {
    const [begins, ends] = await Promise.all([offsetsOf(topic, 'begin', forMs), offsetsOf(topic, 'end', forMs)])
    return begins.map((begin, partition) => ({ begin, end: ends[partition] ?? begin }))
  }

  async function committed(group: string, topic: string, forMs = lookupForMs): Promise<(number | null)[]> {
    const count = await partitionsOf(topic, forMs)
    return patiently(`Reading the committed offsets of group ${group}`, forMs, async () => {
      const answer = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      const positions = new Map(answer[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
      return Array.from({ length: count }, (_, partition) => {
        const position = positions.get(partition) ?? -1
        return position < 0 ? null : position
      })
    })
  }

  // Counts are cached: they only ever grow, and a producer that learns of new partitions a minute late is as good as any.
  const counts = new Map<string, { readonly count: number; readonly until: number }>()
  const wire: Wire = {
    compression: compressions[options.compression ?? 'none'],
    maxBatchBytes: options.maxBatchBytes ?? defaultBatchBytes,
    async partitionsOf(topic) {
      const known = counts.get(topic)
      if (known && known.until > Date.now()) return known.count
      const count = await partitionsOf(topic)
      counts.set(topic, { count, until: Date.now() + 60_000 })
      return count
    },
  }
  const stuckAfterMs = options.stuckAfterMs ?? defaultStuckAfterMs
  const outOfRange = options.outOfRange ?? 'fail'
  const { groupInstanceId } = options
  // A member that cannot learn where to go on has to end: it waits as long for that as for everything else.
  const member = {
    kafka,
    logger,
    offsets: (topic: string) => offsets(topic, outagePatience.forMs),
    committed: (group: string, topic: string) => committed(group, topic, outagePatience.forMs),
    ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
  }

  return {
    producer: async settings => plainProducer(kafka, wire, settings?.retryForMs ?? defaultRetryForMs, logger),
    transactionalProducer: transactionalId => fencedProducer(kafka, transactionalId, wire),
    consumer: settings => groupConsumer(member, { outOfRange, ...settings }),
    partitions: topic => partitions(topic),
    offsets: topic => offsets(topic),
    highWatermarks: topic => offsetsOf(topic, 'highWatermark'),
    async offsetsAt(topic, timestampMs) {
      const [found, ends] = await Promise.all([offsetsOf(topic, timestampMs), offsetsOf(topic, 'end')])
      return found.map((offset, partition) => (offset < 0 ? (ends[partition] ?? 0) : offset))
    },
    committed: (group, topic) => committed(group, topic),
    read: (topic, partition, range) => readPartition({ cluster, offsets, stuckAfterMs }, topic, partition, range),
    async close() {
      await Promise.allSettled([admin.disconnect(), cluster.disconnect()])
    },
  }
}

const lookupForMs = 15_000

/**
 * Runs a lookup until it succeeds or the time is over: coordinators load and leaders move for seconds after a broker
 * restart, and `refresh` learns where they went. Gives up at once on answers that will not change.
 */
async function patiently<T>(
  what: string,
  forMs: number,
  run: () => Promise<T>,
  refresh?: () => Promise<void>,
): Promise<T> {
  const deadline = Date.now() + forMs
  for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      return await run()
    } catch (error) {
      if (isTopicMissing(error)) throw asFault(error, 'TW_TOPIC_MISSING', what)
      if (!isTransient(error) || Date.now() > deadline) throw asFault(error, 'TW_BROKER_UNAVAILABLE', what)
      await sleep(wait)
      await refresh?.().catch(() => undefined)
    }
  }
}
