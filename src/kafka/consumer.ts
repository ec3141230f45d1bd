// Group member of the LogClient port on a kafkajs consumer. kafkajs delivers what it fetched, whenever it fetched it,
// and goes on by itself; here nothing is delivered before `resume`, nothing from before a rebalance, and nothing
// thrown by a handler reaches kafkajs, which would retry, restart or stop in silence.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { asTrailwardenError, twError } from '../errors.ts'
import type { BatchControl, ConsumerHandlers, ConsumerOptions, GroupConsumer } from '../log/log-client.ts'
import type { Logger } from '../logger.ts'
import { stickyAssignor } from './assignor.ts'
import type { Batch } from './corrections/batch.ts'
import { onOffsetOutOfRange } from './corrections/offset-out-of-range.ts'
import { joinAsStaticMember } from './corrections/static-membership.ts'
import { asFault, memberFault, isRebalanced, isTopicMissing, isTransient } from './faults.ts'
import { kafkajs } from './kafkajs.ts'
import { Positions } from './positions.ts'
import type { Delivery } from './positions.ts'

/** What the consumer asks the rest of the client. */
export interface ConsumerContext {
  readonly kafka: Kafka
  readonly logger: Logger
  /** A static member keeps its partitions over a restart; without it every start is a new member. */
  readonly groupInstanceId?: string
  offsets(topic: string): Promise<readonly { readonly begin: number; readonly end: number }[]>
  committed(group: string, topic: string): Promise<readonly (number | null)[]>
}

const defaultSessionMs = 10_000
const lookupForMs = 60_000
const commitAttempts = 8

/** A member that has not joined yet; {@link GroupConsumer.start} joins. */
export function groupConsumer(context: ConsumerContext, options: ConsumerOptions): GroupConsumer {
  return new Member(context, options)
}

class Member implements GroupConsumer {
  readonly #context: ConsumerContext
  readonly #options: ConsumerOptions
  readonly #consumer: Consumer
  readonly #positions = new Positions()
  #handlers: ConsumerHandlers | null = null
  #assigned: readonly number[] = []
  #stopping = false
  #crashed = false

  constructor(context: ConsumerContext, options: ConsumerOptions) {
    this.#context = context
    this.#options = options
    const sessionTimeout = options.sessionTimeoutMs ?? defaultSessionMs
    this.#consumer = context.kafka.consumer({
      groupId: options.group,
      sessionTimeout,
      // Others learn of a rebalance with their next heartbeat: the interval is what a failover takes beyond the session.
      heartbeatInterval: Math.min(1_000, Math.floor(sessionTimeout / 6)),
      rebalanceTimeout: 60_000,
      maxWaitTimeInMs: 250,
      minBytes: 1,
      maxBytesPerPartition: options.fetchBytes ?? 1 << 20,
      maxBytes: 16 << 20,
      readUncommitted: false,
      allowAutoTopicCreation: false,
      partitionAssigners: [
        config => {
          onOffsetOutOfRange(config.cluster, (_topic, partition) => {
            this.#outOfRange(partition)
          })
          if (context.groupInstanceId !== undefined) joinAsStaticMember(config.cluster, context.groupInstanceId)
          return stickyAssignor(config)
        },
        // The group takes the first that all members know: this one as long as an earlier version is among them.
        kafkajs.PartitionAssigners.roundRobin,
      ],
      // Five retries (the default) end the consumer in an ordinary broker restart.
      retry: { retries: 40, initialRetryTime: 100, maxRetryTime: 2_000, restartOnFailure: async () => false },
    })
  }

  async start(handlers: ConsumerHandlers): Promise<void> {
    const { topic, group, from, concurrency } = this.#options
    this.#handlers = handlers
    const consumer = this.#consumer
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#joined(payload.memberAssignment[topic] ?? [])
    })
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0) return
      this.#positions.stepped(payload.partition, Number(payload.firstOffset), Number(payload.lastOffset) + 1)
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.#crash(memberFault(payload.error, group))
    })
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: from !== 'latest' })
    } catch (error) {
      await consumer.disconnect().catch(() => undefined)
      if (isTopicMissing(error)) throw asFault(error, 'TW_TOPIC_MISSING', `Topic ${topic}`)
      throw asFault(error, 'TW_BROKER_UNAVAILABLE', `Joining group ${group}`)
    }
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency ?? 3,
      eachBatch: payload => this.#eachBatch(payload),
    })
    // A stop that came while the group was being joined found nothing to stop.
    if (this.#stopping) await consumer.disconnect()
  }

  resume(partition: number, offset: number | null): void {
    if (this.#stopping || this.#crashed) return
    this.#positions.end(partition)
    if (offset === null) void this.#resumeAtCommitted(partition)
    else this.#deliverFrom(partition, offset)
  }

  pause(partition: number): void {
    this.#positions.end(partition)
    if (!this.#crashed) this.#consumer.pause([{ topic: this.#options.topic, partitions: [partition] }])
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#consumer.disconnect()
    this.#positions.nextGeneration()
  }

  #joined(assigned: readonly number[]): void {
    const { topic } = this.#options
    // kafkajs keeps pauses (and seeks) of partitions that moved away: without this they would be paused on their return.
    const lost = this.#assigned.filter(partition => !assigned.includes(partition))
    if (lost.length > 0) this.#consumer.resume([{ topic, partitions: lost }])
    if (assigned.length > 0) this.#consumer.pause([{ topic, partitions: [...assigned] }])
    this.#assigned = [...assigned].sort((a, b) => a - b)
    const generation = this.#positions.nextGeneration()
    try {
      this.#handlers?.assigned(this.#assigned, generation)
    } catch (error) {
      this.#crash(asTrailwardenError(error))
    }
  }

  #deliverFrom(partition: number, offset: number): void {
    const { topic } = this.#options
    if (!this.#assigned.includes(partition)) return
    this.#positions.begin(partition, offset)
    // The seek also outlives whatever an earlier assignment left behind, and discards fetches that are under way.
    this.#consumer.seek({ topic, partition, offset: String(offset) })
    this.#consumer.resume([{ topic, partitions: [partition] }])
  }

  async #resumeAtCommitted(partition: number): Promise<void> {
    const { topic, group, from } = this.#options
    const generation = this.#positions.generation
    const deadline = Date.now() + lookupForMs
    for (let wait = 100; ; wait = Math.min(wait * 2, 2_000)) {
      try {
        const committed = (await this.#context.committed(group, topic))[partition] ?? null
        const bounds = committed === null ? (await this.#context.offsets(topic))[partition] : undefined
        const offset = committed ?? (from === 'latest' ? bounds?.end : bounds?.begin)
        if (generation !== this.#positions.generation || this.#stopping) return
        if (offset === undefined) throw twError('TW_TOPIC_MISSING', `There is no partition ${topic}/${partition}.`)
        this.#deliverFrom(partition, offset)
        return
      } catch (error) {
        if (generation !== this.#positions.generation || this.#stopping) return
        if (!isTransient(error) || Date.now() > deadline) {
          this.#crash(asFault(error, 'TW_BROKER_UNAVAILABLE', `Reading the committed offset of ${topic}/${partition}`))
          return
        }
        await sleep(wait)
      }
    }
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { topic } = this.#options
    // The corrected Batch is what kafkajs constructs; its published type still describes the original.
    const batch = payload.batch as unknown as Batch
    const { partition, nextOffset } = batch
    const verdict = this.#positions.judge(partition, Number(batch.fetchedOffset))
    if (verdict.kind === 'rewind') this.#consumer.seek({ topic, partition, offset: String(verdict.to) })
    if (verdict.kind !== 'deliver' || this.#crashed) return
    const control = this.#control(payload, partition, verdict.delivery)
    const highWatermark = Number(batch.highWatermark)
    try {
      await this.#handlers?.batch({ topic, partition, records: batch.messages, nextOffset, highWatermark }, control)
    } catch (error) {
      this.pause(partition)
      this.#crash(asTrailwardenError(error))
    }
  }

  #control(payload: EachBatchPayload, partition: number, delivery: Delivery): BatchControl {
    const { topic, group } = this.#options
    const rebalanced = (error: unknown) => asFault(error, 'TW_REBALANCED', `Group ${group}`)
    return {
      current: () => delivery.generation === this.#positions.generation && !this.#crashed,
      resolve: nextOffset => {
        if (this.#positions.move(partition, delivery, nextOffset)) payload.resolveOffset(String(nextOffset - 1))
      },
      commit: async nextOffset => {
        if (delivery.generation !== this.#positions.generation) throw rebalanced(new Error('a later generation began'))
        const partitions = [{ partition, offset: String(nextOffset) }]
        for (let attempt = 1; ; attempt++) {
          try {
            // Unlike consumer.commitOffsets this also commits while the consumer is stopping.
            await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions }] })
            return
          } catch (error) {
            if (isRebalanced(error)) throw rebalanced(error)
            const what = `Committing ${topic}/${partition} at ${nextOffset}`
            if (!isTransient(error) || attempt === commitAttempts) throw asFault(error, 'TW_BROKER_UNAVAILABLE', what)
            await sleep(Math.min(50 * 2 ** attempt, 1_000))
          }
        }
      },
      heartbeat: async () => {
        try {
          await payload.heartbeat()
        } catch (error) {
          if (isRebalanced(error)) throw rebalanced(error)
          // kafkajs meets the same fault right after the handler and deals with it there.
          this.#context.logger.debug({ group, error: String(error) }, 'A heartbeat failed')
        }
      },
    }
  }

  /** Called by kafkajs' fetch loop: the broker no longer has (or does not have yet) the position. */
  #outOfRange(partition: number): void {
    const { topic, outOfRange } = this.#options
    const generation = this.#positions.generation
    this.pause(partition)
    const fault = twError('TW_OFFSET_OUT_OF_RANGE', `The position of ${topic}/${partition} is not kept any more.`)
    if (outOfRange !== 'earliest') {
      this.#crash(fault)
      return
    }
    this.#context.logger.error({ topic, partition, code: fault.code }, 'Records were lost to retention; going on')
    this.#context.offsets(topic).then(
      bounds => {
        const begin = bounds[partition]?.begin
        if (begin !== undefined && generation === this.#positions.generation) this.#deliverFrom(partition, begin)
      },
      (error: unknown) => {
        this.#crash(asFault(error, 'TW_BROKER_UNAVAILABLE', `Reading the offsets of ${topic}`))
      },
    )
  }

  #crash(error: Error): void {
    if (this.#crashed || this.#stopping) return
    this.#crashed = true
    this.#handlers?.crashed(error)
  }
}
