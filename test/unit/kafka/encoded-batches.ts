// Record batches in Kafka's format for tests, written by kafkajs' own encoder and then edited where that encoder has no
// option (control flag, LogAppendTime, emptied batches). Kafkajs' originals are loaded by their file names: these test
// files never import src/kafka/kafkajs.ts, so what they load is unpatched.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** A module of kafkajs by its path below kafkajs/src. */
export const original = <T>(name: string): T => require(`kafkajs/src/${name}`) as T

export interface TestRecord {
  readonly key?: Buffer | null
  readonly value?: Buffer | null
  readonly headers?: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[]>>
  /** Relative to the batch; default: its index. */
  readonly offsetDelta?: number
  readonly timestampDelta?: number
}

export interface TestBatch {
  readonly baseOffset: number
  readonly records: readonly TestRecord[]
  readonly lastOffsetDelta?: number
  readonly producerId?: number
  readonly transactional?: boolean
  readonly control?: boolean
  readonly logAppendTime?: boolean
  readonly firstTimestamp?: number
  readonly maxTimestamp?: number
  readonly compression?: number
}

type Encoded = { readonly buffer: Buffer }

const attributesAt = 21

/** The bytes of one batch. The checksum is not renewed after an edit: neither decoder looks at it. */
export async function encodedBatch(batch: TestBatch): Promise<Buffer> {
  const encodeRecord = original<(record: object) => Encoded>('protocol/recordBatch/record/v0')
  const { RecordBatch } = original<{ RecordBatch: (options: object) => Promise<Encoded> }>('protocol/recordBatch/v0')
  const Long = original<{ fromValue: (n: number | string) => unknown }>('utils/long')
  const records = batch.records.map((record, index) =>
    encodeRecord({ key: null, value: null, offsetDelta: index, timestampDelta: 0, ...record }),
  )
  const { buffer } = await RecordBatch({
    compression: batch.compression ?? 0,
    firstOffset: Long.fromValue(batch.baseOffset),
    firstTimestamp: batch.firstTimestamp ?? 1_000,
    maxTimestamp: batch.maxTimestamp ?? 2_000,
    lastOffsetDelta: batch.lastOffsetDelta ?? Math.max(records.length - 1, 0),
    producerId: Long.fromValue(batch.producerId ?? -1),
    transactional: batch.transactional ?? false,
    records,
  })
  let attributes = buffer.readInt16BE(attributesAt)
  if (batch.control) attributes |= 0x20
  if (batch.logAppendTime) attributes |= 0x08
  buffer.writeInt16BE(attributes, attributesAt)
  return buffer
}

/** A record set of several batches. */
export async function recordSet(batches: readonly TestBatch[]): Promise<Buffer> {
  const parts: Buffer[] = []
  for (const batch of batches) parts.push(await encodedBatch(batch))
  return Buffer.concat(parts)
}

/** A control batch: `abort` or `commit` marker of a producer. */
export const marker = (baseOffset: number, producerId: number, kind: 'abort' | 'commit'): TestBatch => ({
  baseOffset,
  producerId,
  transactional: true,
  control: true,
  records: [{ key: Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]), value: Buffer.alloc(6) }],
})

/** What kafkajs decodes a record to. */
export interface OriginalMessage {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, Buffer | Buffer[] | null>
  readonly isControlRecord: boolean
  readonly batchContext: object
}

/** The same bytes through the original decodeMessages. */
export async function decodedByOriginal(bytes: Buffer): Promise<OriginalMessage[]> {
  const Decoder = original<new (bytes: Buffer) => unknown>('protocol/decoder')
  const decode = original<(decoder: unknown) => Promise<OriginalMessage[]>>('protocol/requests/fetch/v4/decodeMessages')
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return decode(new Decoder(Buffer.concat([size, bytes])))
}
