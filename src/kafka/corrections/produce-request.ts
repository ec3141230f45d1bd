// Produce requests of version 3 and later, and the frame of every request, each written into one buffer.
// Replaces kafkajs src/protocol/requests/produce/v3/request.js (which v4 to v7 share) and src/protocol/request.js, where
// a record was copied once more for each encoder it passed through. What is on the wire stays the same to the byte, but
// for records with different timestamps, whose first timestamp is now the least (the original sorts them as text).

import { writeRecordBatch } from './record-batch-writer.ts'
import type { WritableRecord, WriterParts } from './record-batch-writer.ts'

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

async function encoded(args: ProduceArguments, parts: WriterParts): Promise<EncodedBytes> {
  const now = Date.now()
  const transactionalId = args.transactionalId ?? null
  const pieces: Buffer[] = []
  const head = Buffer.allocUnsafe(2 + byteLength(transactionalId) + 2 + 4 + 4)
  let at = writeString(head, 0, transactionalId)
  at = head.writeInt16BE(args.acks, at)
  at = head.writeInt32BE(args.timeout, at)
  head.writeInt32BE(args.topicData.length, at)
  pieces.push(head)
  for (const { topic, partitions } of args.topicData) {
    const topicHead = Buffer.allocUnsafe(2 + byteLength(topic) + 4)
    topicHead.writeInt32BE(partitions.length, writeString(topicHead, 0, topic))
    pieces.push(topicHead)
    for (const { partition, firstSequence, messages } of partitions) {
      const fields = {
        producerId: BigInt(args.producerId?.toString() ?? '-1'),
        producerEpoch: args.producerEpoch ?? 0,
        firstSequence: firstSequence ?? 0,
        transactional: Boolean(transactionalId),
        codec: (args.compression ?? 0) & codecMask,
      }
      const batch = await writeRecordBatch(messages, fields, now, parts)
      const partitionHead = Buffer.allocUnsafe(8)
      partitionHead.writeInt32BE(batch.length, partitionHead.writeInt32BE(partition, 0))
      pieces.push(partitionHead, batch)
    }
  }
  const all = Buffer.concat(pieces)
  return { buf: all, buffer: all }
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

/** Puts size and request header (version 1) in front of a request: one copy. */
export async function framedRequest({ correlationId, clientId, request }: FramedRequest): Promise<EncodedBytes> {
  const payload = (await request.encode()).buffer
  const size = 2 + 2 + 4 + 2 + byteLength(clientId) + payload.length
  const out = Buffer.allocUnsafe(4 + size)
  let at = out.writeInt32BE(size, 0)
  at = out.writeInt16BE(request.apiKey, at)
  at = out.writeInt16BE(request.apiVersion, at)
  at = out.writeInt32BE(correlationId, at)
  payload.copy(out, writeString(out, at, clientId))
  return { buf: out, buffer: out }
}

const byteLength = (text: string | null) => (text == null ? 0 : Buffer.byteLength(text))

/** Kafka's nullable string: int16 length, -1 for null. Returns where it ends. */
function writeString(out: Buffer, at: number, text: string | null): number {
  if (text == null) return out.writeInt16BE(-1, at)
  const start = out.writeInt16BE(Buffer.byteLength(text), at)
  return start + out.write(text, start, 'utf8')
}
