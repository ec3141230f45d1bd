// Decodes the record batches of a Fetch response (magic 2) in one pass into log records with numeric offsets.
// Replaces kafkajs src/protocol/requests/fetch/v4/decodeMessages.js, which every later Fetch version shares.
// Why: the original drops the header of a batch that compaction has emptied, so that nobody learns where reading goes
// on (kafkajs issue 1072), overflows the stack beyond about 125 000 records per fetch (PR 1723), and spends most of
// its time on BigInt text and one header object per record.

import { twError } from '../../errors.ts'
import type { LogRecord } from '../../log/log-client.ts'
import { StoredRecord } from '../../log/stored-record.ts'

/** One record batch as the broker stores it. Aborted, control and emptied batches are still among them. */
export interface StoredBatch {
  readonly baseOffset: number
  /** baseOffset + lastOffsetDelta + 1: compaction keeps it even where it removed every record. */
  readonly nextOffset: number
  readonly producerId: number
  readonly transactional: boolean
  readonly control: boolean
  readonly records: readonly LogRecord[]
}

/** Undoes a compression codec (attribute bits 0-2 of a batch); rejects for codecs it does not know. */
export type Decompress = (codec: number, bytes: Buffer) => Promise<Buffer> | Buffer

const magicAt = 16
const headerLength = 61
const codecMask = 0x07
const logAppendTime = 0x08
const transactional = 0x10
const control = 0x20
const noHeaders: LogRecord['headers'] = Object.freeze(Object.create(null) as Record<string, Buffer>)

/** Message format of the first entry of a record set: 2 for record batches, 0 or 1 for the message sets before Kafka 0.11. */
export function magicOf(recordSet: Buffer): number {
  return recordSet.length > magicAt ? recordSet.readInt8(magicAt) : 2
}

/**
 * Decodes all complete batches of a record set; an incomplete last one (the broker cuts at maxBytes) is left out.
 * Format: https://kafka.apache.org/documentation/#recordbatch. Offsets and timestamps are exact below 2^53.
 * Keys and values are views of the response: whoever keeps one longer than the batch copies it.
 * Rejects with TW_CODEC_UNSUPPORTED for a batch that cannot be decompressed or whose records overrun it.
 */
export async function decodeRecordBatches(recordSet: Buffer, decompress: Decompress): Promise<StoredBatch[]> {
  const batches: StoredBatch[] = []
  let at = 0
  while (recordSet.length - at >= headerLength) {
    const end = at + 12 + recordSet.readInt32BE(at + 8)
    if (end > recordSet.length || end < at + headerLength) break
    const attributes = recordSet.readInt16BE(at + 21)
    const baseOffset = int64(recordSet, at)
    const codec = attributes & codecMask
    const body = recordSet.subarray(at + headerLength, end)
    const count = recordSet.readInt32BE(at + 57)
    const fixedTime = (attributes & logAppendTime) === 0 ? null : int64(recordSet, at + 35)
    try {
      const plain = codec === 0 || count === 0 ? body : await decompress(codec, body)
      batches.push({
        baseOffset,
        nextOffset: baseOffset + recordSet.readInt32BE(at + 23) + 1,
        producerId: int64(recordSet, at + 43),
        transactional: (attributes & transactional) !== 0,
        control: (attributes & control) !== 0,
        records: decodeRecords(plain, count, baseOffset, int64(recordSet, at + 27), fixedTime),
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw twError('TW_CODEC_UNSUPPORTED', `Record batch at offset ${baseOffset}, codec ${codec}: ${reason}`, error)
    }
    at = end
  }
  return batches
}

function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4_294_967_296 + bytes.readUInt32BE(at + 4)
}

// The cursor is a module variable because decodeRecords never yields and a cursor object per batch costs a fifth.
let position = 0

function varint(bytes: Buffer): number {
  let byte = bytes[position++] ?? 0
  let value = byte & 0x7f
  for (let shift = 7; (byte & 0x80) !== 0; shift += 7) {
    byte = bytes[position++] ?? 0
    value |= (byte & 0x7f) << shift
  }
  return (value >>> 1) ^ -(value & 1)
}

/** 64-bit zigzag in double arithmetic: shifts would cut at 32 bits. */
function varlong(bytes: Buffer): number {
  let value = 0
  let factor = 1
  for (;;) {
    const byte = bytes[position++] ?? 0
    value += (byte & 0x7f) * factor
    if ((byte & 0x80) === 0) break
    factor *= 128
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

/** Steps over bytes with their length; where they begin, -1 for null. */
function run(bytes: Buffer): number {
  const length = varint(bytes)
  if (length < 0) return -1
  const start = position
  position += length
  if (position > bytes.length) throw new Error('a record reaches beyond its batch')
  return start
}

function slice(bytes: Buffer): Buffer | null {
  const start = run(bytes)
  return start < 0 ? null : bytes.subarray(start, position)
}

function decodeRecords(bytes: Buffer, count: number, base: number, firstTime: number, fixedTime: number | null) {
  const records: LogRecord[] = []
  position = 0
  for (let i = 0; i < count; i++) {
    const length = varint(bytes)
    const end = position + length
    if (length < 0 || end > bytes.length) throw new Error('a record reaches beyond its batch')
    position++ // record attributes: unused by the protocol
    const delta = varlong(bytes)
    const offset = base + varint(bytes)
    const keyStart = run(bytes)
    const keyEnd = position
    const valueStart = run(bytes)
    const valueEnd = position
    const headers = decodeHeaders(bytes, end)
    const timestamp = fixedTime ?? firstTime + delta
    records.push(new StoredRecord(offset, timestamp, headers, bytes, keyStart, keyEnd, valueStart, valueEnd))
    position = end
  }
  return records
}

/** A repeated header name keeps its last value, as Java's `lastHeader` reads it. */
function decodeHeaders(bytes: Buffer, end: number): LogRecord['headers'] {
  const count = varint(bytes)
  if (count <= 0) return noHeaders
  // Without a prototype a header named __proto__ is only a name.
  const headers = Object.create(null) as Record<string, Buffer | undefined>
  for (let i = 0; i < count; i++) {
    const name = slice(bytes)
    if (name === null || position > end) throw new Error('a header reaches beyond its record')
    headers[name.toString()] = slice(bytes) ?? undefined
  }
  return headers
}
