// Produce requests of version 3 and later, and the frame of every request, each written into one buffer.
// Replaces kafkajs src/protocol/requests/produce/v3/request.js (which v4 to v7 share) and src/protocol/request.js, where
// a record was copied once more for each encoder it passed through. What is on the wire stays the same to the byte, but
// for records with different timestamps, whose first timestamp is now the least (the original sorts them as text).

import { longestBatch, writeRecordBatch } from './record-batch-writer.ts'
import type { WritableRecord, WriterParts } from './record-batch-writer.ts'
import { awaitingAnswer, RequestBuffer } from './request-buffers.ts'

/** What kafkajs' encoders look like to each other. */
export interface EncodedBytes {
  readonly buf: Buffer
  readonly buffer: Buffer
}

/** Arguments of kafkajs' produce request. `producerId` is a Long or a number: its text is what counts. */
export interface ProduceArguments {
  readonly acks: number
  readonly timeout: number
  readonly transactionalId?: string | null
  readonly producerId?: { toString(): string }
  readonly producerEpoch?: number
  readonly compression?: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly firstSequence?: number
      readonly messages: readonly WritableRecord[]
    }[]
  }[]
}

const produceKey = 0
const codecMask = 0x07

/** Makes kafkajs' factory of produce requests. */
export function produceRequest(parts: WriterParts) {
  return (args: ProduceArguments) => ({
    apiKey: produceKey,
    apiVersion: 3,
    apiName: 'Produce',
    expectResponse: () => args.acks !== 0,
    encode: () => encoded(args, parts),
  })
}

/** Bytes in front of a produce request that its frame is written into: size, header, and a client id of usual length. */
const headroom = 256

/** A request with room in front of it, in the memory that the frame goes into. */
interface Framable extends EncodedBytes {
  readonly memory: Buffer
}

async function encoded(args: ProduceArguments, parts: WriterParts): Promise<Framable> {
  const now = Date.now()
  const transactionalId = args.transactionalId ?? null
  const to = new RequestBuffer(longestRequest(args))
  to.position = headroom
  let at = writeString(to.bytes, headroom, transactionalId)
  at = to.bytes.writeInt16BE(args.acks, at)
  at = to.bytes.writeInt32BE(args.timeout, at)
  to.position = to.bytes.writeInt32BE(args.topicData.length, at)
  for (const { topic, partitions } of args.topicData) {
    to.reserve(2 + byteLength(topic) + 4)
    to.position = to.bytes.writeInt32BE(partitions.length, writeString(to.bytes, to.position, topic))
    for (const { partition, firstSequence, messages } of partitions) {
      const fields = {
        producerId: BigInt(args.producerId?.toString() ?? '-1'),
        producerEpoch: args.producerEpoch ?? 0,
        firstSequence: firstSequence ?? 0,
        transactional: Boolean(transactionalId),
        codec: (args.compression ?? 0) & codecMask,
      }
      // Room for all of it is there from the beginning, unless what compression made of the batches before was larger.
      if (fields.codec !== 0) to.reserve(8 + longestBatch(messages))
      const head = to.position
      to.position += 8
      await writeRecordBatch(to, messages, fields, now, parts)
      to.bytes.writeInt32BE(to.position - head - 8, to.bytes.writeInt32BE(partition, head))
    }
  }
  awaitingAnswer(args.topicData, to)
  const all = to.bytes.subarray(headroom, to.position)
  return { buf: all, buffer: all, memory: to.bytes }
}

/** An upper bound, so that a request without compression never grows. */
function longestRequest({ transactionalId, topicData }: ProduceArguments): number {
  let size = headroom + 2 + byteLength(transactionalId ?? null) + 10
  for (const { topic, partitions } of topicData) {
    size += 2 + byteLength(topic) + 4
    for (const { messages } of partitions) size += 8 + longestBatch(messages)
  }
  return size
}

/** A request as kafkajs' own framing takes it. */
interface FramedRequest {
  readonly correlationId: number
  readonly clientId: string | null
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    encode(): EncodedBytes | Promise<EncodedBytes>
  }
}

/** Puts size and request header (version 1) in front of a request: in place where there is room, else one copy. */
export async function framedRequest({ correlationId, clientId, request }: FramedRequest): Promise<EncodedBytes> {
  const inner = await request.encode()
  const payload = inner.buffer
  const head = 4 + 2 + 2 + 4 + 2 + byteLength(clientId)
  const { memory } = inner as Partial<Framable>
  const inPlace = memory !== undefined && head <= headroom
  const out = inPlace ? memory : Buffer.allocUnsafe(head + payload.length)
  const start = inPlace ? headroom - head : 0
  let at = out.writeInt32BE(head - 4 + payload.length, start)
  at = out.writeInt16BE(request.apiKey, at)
  at = out.writeInt16BE(request.apiVersion, at)
  at = out.writeInt32BE(correlationId, at)
  at = writeString(out, at, clientId)
  if (!inPlace) payload.copy(out, at)
  const all = out.subarray(start, at + payload.length)
  return { buf: all, buffer: all }
}

const byteLength = (text: string | null) => (text == null ? 0 : Buffer.byteLength(text))

/** Kafka's nullable string: int16 length, -1 for null. Returns where it ends. */
function writeString(out: Buffer, at: number, text: string | null): number {
  if (text == null) return out.writeInt16BE(-1, at)
  const start = out.writeInt16BE(Buffer.byteLength(text), at)
  return start + out.write(text, start, 'utf8')
}
