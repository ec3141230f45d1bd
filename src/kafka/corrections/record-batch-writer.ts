// Writes one record batch (magic 2) in one pass into the buffer of its request. Used by produce-request.ts beside this file.
// Why: kafkajs makes an encoder object per record and per header, sizes varlongs with BigInt and copies every record
// four times; on the normalizer's path that was half of all CPU time.
// Format: https://kafka.apache.org/documentation/#recordbatch

import type { RequestBuffer } from './request-buffers.ts'

/** A record as kafkajs hands it to its encoder. Text is UTF-8; a list of header values repeats the header. */
export interface WritableRecord {
  readonly key?: Buffer | string | null
  readonly value?: Buffer | string | null
  /** Epoch milliseconds as kafkajs takes them; absent means the time of writing. */
  readonly timestamp?: string | number | null
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>
}
type HeaderValue = Buffer | string | null | undefined

/** What the header of a batch needs besides its records. */
export interface BatchFields {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly transactional: boolean
  /** Codec number of the attributes; 0 writes the records as they are. */
  readonly codec: number
}

/** What writing needs from outside. */
export interface WriterParts {
  /** The Castagnoli checksum, unsigned. */
  readonly crc32c: (bytes: Buffer) => number
  /** Asked for codecs other than 0. */
  readonly compress: (codec: number, bytes: Buffer) => Promise<Buffer>
}

const headerLength = 61
// Attributes, length, both deltas, both field lengths and the header count at their longest.
const recordOverhead = 40
const headerOverhead = 10
const transactionalBit = 0x10

/** An upper bound for the bytes of a batch that is not compressed. */
export function longestBatch(records: readonly WritableRecord[]): number {
  let size = headerLength
  for (const record of records)
    size += recordOverhead + longest(record.key) + longest(record.value) + headersLongest(record)
  return size
}

/**
 * Appends a batch of at least one record, for which {@link longestBatch} bytes are reserved. `now` stands in for absent
 * timestamps (epoch milliseconds).
 */
export async function writeRecordBatch(
  to: RequestBuffer,
  records: readonly WritableRecord[],
  fields: BatchFields,
  now: number,
  parts: WriterParts,
): Promise<void> {
  let least = Infinity
  let most = -Infinity
  for (const record of records) {
    const time = timeOf(record, now)
    if (time < least) least = time
    if (time > most) most = time
  }
  const start = to.position
  position = start + headerLength
  for (let index = 0; index < records.length; index++) writeRecord(to.bytes, records[index]!, index, least, now)
  let end = position
  if (fields.codec !== 0) {
    const packed = await parts.compress(fields.codec, to.bytes.subarray(start + headerLength, end))
    to.reserve(headerLength + packed.length)
    packed.copy(to.bytes, start + headerLength)
    end = start + headerLength + packed.length
  }
  const attributes = fields.codec | (fields.transactional ? transactionalBit : 0)
  const out = to.bytes
  out.fill(0, start, start + 8) // base offset: the broker assigns it
  out.writeInt32BE(end - start - 12, start + 8)
  out.writeInt32BE(0, start + 12) // leader epoch: the broker's
  out.writeInt8(2, start + 16)
  out.writeInt16BE(attributes, start + 21)
  out.writeInt32BE(records.length - 1, start + 23)
  out.writeBigInt64BE(BigInt(least), start + 27)
  out.writeBigInt64BE(BigInt(most), start + 35)
  out.writeBigInt64BE(fields.producerId, start + 43)
  out.writeInt16BE(fields.producerEpoch, start + 51)
  out.writeInt32BE(fields.firstSequence, start + 53)
  out.writeInt32BE(records.length, start + 57)
  out.writeUInt32BE(parts.crc32c(out.subarray(start + 21, end)), start + 17)
  to.position = end
}

// 0 and '' count as absent, as they do in kafkajs.
const timeOf = ({ timestamp }: WritableRecord, now: number): number => (timestamp ? Number(timestamp) : now)

/** An upper bound for the bytes of a field: UTF-8 takes at most three bytes for a UTF-16 code unit. */
function longest(field: HeaderValue): number {
  return field == null ? 0 : typeof field === 'string' ? field.length * 3 : field.length
}

function headersLongest({ headers }: WritableRecord): number {
  let bytes = 0
  for (const name in headers) {
    const values = headers[name]
    if (isList(values)) for (const value of values) bytes += headerOverhead + name.length * 3 + longest(value)
    else bytes += headerOverhead + name.length * 3 + longest(values)
  }
  return bytes
}

function isList(values: HeaderValue | readonly HeaderValue[]): values is readonly HeaderValue[] {
  return Array.isArray(values)
}

// A module variable, as in record-batches.ts: nothing here yields while records are written.
let position = 0

function writeRecord(out: Buffer, record: WritableRecord, index: number, firstTime: number, now: number): void {
  // The length comes first and its own width depends on it: leave the width of a guess, and move the record if it was wrong.
  const start = position
  const guess = longest(record.key) + longest(record.value) + headersLongest(record) + 12
  position = start + varintWidth(guess)
  const body = position
  out[position++] = 0
  writeVarlong(out, timeOf(record, now) - firstTime)
  writeVarint(out, index)
  writeField(out, record.key)
  writeField(out, record.value)
  writeHeaders(out, record.headers)
  const length = position - body
  const width = varintWidth(length)
  if (width !== body - start) out.copyWithin(start + width, body, position)
  position = start
  writeVarint(out, length)
  position += length
}

function writeHeaders(out: Buffer, headers: WritableRecord['headers']): void {
  if (headers === undefined) {
    out[position++] = 0
    return
  }
  const names = Object.keys(headers)
  let count = 0
  for (const name of names) {
    const values = headers[name]
    count += isList(values) ? values.length : 1
  }
  writeVarint(out, count)
  for (const name of names) {
    const values = headers[name]
    for (const value of isList(values) ? values : [values]) {
      writeField(out, name)
      writeField(out, value)
    }
  }
}

function writeField(out: Buffer, field: HeaderValue): void {
  if (field == null) {
    out[position++] = 1 // -1, zigzag
  } else if (typeof field === 'string') {
    const length = Buffer.byteLength(field)
    writeVarint(out, length)
    position += out.write(field, position, 'utf8')
  } else {
    writeVarint(out, field.length)
    position += field.copy(out, position)
  }
}

/** Bytes of a length (never negative) as zigzag varint. */
function varintWidth(value: number): number {
  return value < 1 << 6 ? 1 : value < 1 << 13 ? 2 : value < 1 << 20 ? 3 : value < 1 << 27 ? 4 : 5
}

/** Zigzag of a number that is not negative. */
function writeVarint(out: Buffer, value: number): void {
  let left = (value << 1) >>> 0
  while (left > 0x7f) {
    out[position++] = (left & 0x7f) | 0x80
    left >>>= 7
  }
  out[position++] = left
}

/** Zigzag in double arithmetic: shifts would cut at 32 bits. Never negative, because the first time is the least. */
function writeVarlong(out: Buffer, value: number): void {
  let left = value * 2
  while (left > 0x7f) {
    out[position++] = (left % 128) | 0x80
    left = Math.floor(left / 128)
  }
  out[position++] = left
}
