// Cuts what is to be appended into produce requests. Pure. kafkajs puts all records of a partition that are in one
// request into one record batch, and max.message.bytes (1 MB by default) holds for the batch: so a request ends before
// any of its batches grows over the limit. The order within a partition is kept, requests are sent one after another.

import type { Appended, OutRecord, TopicRecords } from '../log/log-client.ts'
import { partitionFor } from '../log/murmur2.ts'

/** A record as kafkajs takes it, with its partition chosen and the record it came from. */
export interface Message {
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  /** The record's own: kafkajs reads them only. */
  readonly headers: Record<string, Buffer | string>
  readonly partition: number
  readonly source: OutRecord
}

/** One produce request, as kafkajs takes it. */
export interface TopicMessages {
  topic: string
  messages: Message[]
}

/** Batch size that leaves room below the default max.message.bytes of 1 048 588. */
export const defaultBatchBytes = 900_000

// Upper bounds of the format: length, attributes, deltas and field lengths of a record; lengths of a header.
const recordOverhead = 32
const headerOverhead = 10
const noHeaders: Record<string, Buffer | string> = {}

/** Bytes of a record in an uncompressed batch, rounded up by at most some 30 bytes. */
export function sizeOf(record: OutRecord): number {
  let bytes = recordOverhead + length(record.key) + length(record.value)
  for (const name in record.headers) bytes += headerOverhead + Buffer.byteLength(name) + length(record.headers[name])
  return bytes
}

function length(field: Buffer | string | null | undefined): number {
  return field == null ? 0 : typeof field === 'string' ? Buffer.byteLength(field) : field.length
}

/**
 * The requests for a batch, in order. `partitionsOf` gives the partition count of a topic; `spread` a running number
 * that places records without key and partition. A record above `maxBytes` is alone in its batch (and up to the broker).
 */
export function produceRequests(
  batch: readonly TopicRecords[],
  partitionsOf: (topic: string) => number,
  spread: () => number,
  maxBytes: number = defaultBatchBytes,
): TopicMessages[][] {
  const requests: TopicMessages[][] = []
  let request = new Map<string, Room>()
  const close = () => {
    if (request.size > 0) requests.push([...request].map(([topic, { messages }]) => ({ topic, messages })))
    request = new Map()
  }
  for (const { topic, records } of batch) {
    const count = partitionsOf(topic)
    let room: Room | undefined
    for (const record of records) {
      const { key, value, headers } = record
      const bytes = typeof key === 'string' ? Buffer.from(key) : key
      const partition = record.partition ?? partitionFor(bytes, count) ?? spread() % count
      const size = sizeOf(record)
      room ??= request.get(topic)
      const before = room?.filled[partition] ?? 0
      if (before > 0 && before + size > maxBytes) {
        close()
        room = undefined
      }
      if (room === undefined) request.set(topic, (room = { messages: [], filled: [] }))
      room.filled[partition] = (room.filled[partition] ?? 0) + size
      room.messages.push({ key, value, headers: headers ?? noHeaders, partition, source: record })
    }
  }
  close()
  return requests
}

/** What a request holds for one topic; `filled` by partition. */
interface Room {
  readonly messages: Message[]
  readonly filled: number[]
}

/** Where the records of some requests go. */
export function placesOf(requests: readonly (readonly TopicMessages[])[]): Appended[] {
  const counts = new Map<string, number[]>()
  for (const request of requests)
    for (const { topic, messages } of request) {
      let places = counts.get(topic)
      if (!places) counts.set(topic, (places = []))
      for (const { partition } of messages) places[partition] = (places[partition] ?? 0) + 1
    }
  // forEach passes over the partitions that got nothing.
  const appended: Appended[] = []
  for (const [topic, places] of counts)
    places.forEach((records, partition) => appended.push({ topic, partition, records }))
  return appended
}

/** The two halves of a request, for a broker that accepts less than we assume; null for a single record. */
export function halves(request: readonly TopicMessages[]): [TopicMessages[], TopicMessages[]] | null {
  const all = request.flatMap(({ topic, messages }) => messages.map(message => ({ topic, message })))
  if (all.length < 2) return null
  const middle = all.length >> 1
  return [regroup(all.slice(0, middle)), regroup(all.slice(middle))]
}

/** A request for the partition of the first record, and one for everything else (empty where there is nothing else). */
export function firstPartition(request: readonly TopicMessages[]): [TopicMessages[], TopicMessages[]] {
  const topic = request[0]?.topic
  const partition = request[0]?.messages[0]?.partition
  const all = request.flatMap(entry => entry.messages.map(message => ({ topic: entry.topic, message })))
  const isFirst = (entry: (typeof all)[number]) => entry.topic === topic && entry.message.partition === partition
  return [regroup(all.filter(isFirst)), regroup(all.filter(entry => !isFirst(entry)))]
}

function regroup(entries: readonly { readonly topic: string; readonly message: Message }[]): TopicMessages[] {
  const topics = new Map<string, Message[]>()
  for (const { topic, message } of entries) {
    const messages = topics.get(topic)
    if (messages) messages.push(message)
    else topics.set(topic, [message])
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }))
}
