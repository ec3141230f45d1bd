// Reads a range of one partition outside any group: restore of a changelog, replay of a topic. A kafkajs consumer
// cannot do this (no manual assignment), so this fetches from the partition's leader itself. It steps over control
// records and over batches that compaction emptied, follows a leader that moves, and never ends short of `to`.

import { setTimeout as sleep } from 'node:timers/promises'
import { twError } from '../errors.ts'
import type { ReadOptions, RecordBatch } from '../log/log-client.ts'
import { Batch } from './corrections/batch.ts'
import { asFault, isOutOfRange, isTopicMissing, isTransient } from './faults.ts'
import type { Cluster } from './internals.ts'

const maxFetchBytes = 4 << 20
const maxWaitMs = 200
const retryEveryMs = 100
const missingAfterMs = 3_000

/** What {@link readPartition} needs besides the place: offsets of the topic, and how long without progress is too long. */
export interface ReadContext {
  readonly cluster: Cluster
  offsets(topic: string): Promise<readonly { readonly begin: number; readonly end: number }[]>
  readonly stuckAfterMs: number
}

/**
 * Batches of [from, to) in order; a batch without visible records is not given. Rejects with TW_READ_STUCK after
 * `stuckAfterMs` without progress, with TW_OFFSET_OUT_OF_RANGE where `from` is no longer kept, with TW_TOPIC_MISSING.
 */
export async function* readPartition(
  context: ReadContext,
  topic: string,
  partition: number,
  options: ReadOptions = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  const place = `${topic}/${partition}`
  let position = options.from ?? null
  let to = options.to ?? null
  if (position === null || to === null) {
    const bounds = (await context.offsets(topic))[partition]
    if (!bounds) throw twError('TW_TOPIC_MISSING', `There is no partition ${place}.`)
    position ??= bounds.begin
    to ??= bounds.end
  }
  let progress = Date.now()
  while (position < to) {
    options.signal?.throwIfAborted()
    let batch: Batch
    try {
      batch = await fetchOnce(context.cluster, topic, partition, position)
    } catch (error) {
      if (isOutOfRange(error)) {
        throw asFault(error, 'TW_OFFSET_OUT_OF_RANGE', `Offset ${position} of ${place} is not kept any more`)
      }
      if (!isTransient(error)) throw asFault(error, 'TW_READ_STUCK', `Reading ${place} at ${position}`)
      const stuck = Date.now() - progress
      // A broker may hear of a new topic seconds after the others.
      if (isTopicMissing(error) && stuck > Math.min(context.stuckAfterMs, missingAfterMs)) {
        throw asFault(error, 'TW_TOPIC_MISSING', `Reading ${place}`)
      }
      if (stuck > context.stuckAfterMs) throw asFault(error, 'TW_READ_STUCK', `Reading ${place} at ${position}`)
      await sleep(retryEveryMs)
      // The usual reason is a leader that moved; where even that cannot be learned now, the next round tries again.
      await context.cluster.refreshMetadata().catch(() => undefined)
      continue
    }
    if (batch.nextOffset > position) {
      position = batch.nextOffset
      const records =
        batch.nextOffset <= to ? batch.messages : batch.messages.filter(({ offset }) => offset < (to ?? 0))
      const nextOffset = Math.min(position, to)
      const highWatermark = Number(batch.highWatermark)
      if (records.length > 0) yield { topic, partition, records, nextOffset, highWatermark }
      progress = Date.now() // the time the caller took is not the cluster's
    } else if (Date.now() - progress > context.stuckAfterMs) {
      throw twError('TW_READ_STUCK', `Reading ${place} stands at ${position} and should reach ${to}.`)
    }
  }
}

async function fetchOnce(cluster: Cluster, topic: string, partition: number, position: number): Promise<Batch> {
  await cluster.addTargetTopic(topic)
  const leader = cluster.findTopicPartitionMetadata(topic).find(p => p.partitionId === partition)?.leader
  if (leader === undefined) throw twError('TW_TOPIC_MISSING', `There is no partition ${topic}/${partition}.`)
  const broker = await cluster.findBroker({ nodeId: leader })
  const fetchOffset = String(position)
  const { responses } = await broker.fetch({
    isolationLevel: 1,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes: maxFetchBytes,
    topics: [{ topic, partitions: [{ partition, fetchOffset, maxBytes: maxFetchBytes }] }],
  })
  const data = responses[0]?.partitions[0]
  if (!data) throw new Error('the broker answered a fetch without the partition')
  return new Batch(topic, fetchOffset, data)
}
