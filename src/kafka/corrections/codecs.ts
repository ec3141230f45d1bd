// Compression codecs 2-4 of the Kafka protocol: snappy, lz4, zstd (gzip is built into kafkajs).
// Fills kafkajs src/protocol/message/compression, where all three throw "not implemented" and end the consumer as soon
// as a foreign producer uses one. Formats are those of the Java client: snappy in xerial framing (raw is read too),
// lz4 and zstd in their frame formats.

import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import lz4 from 'lz4-napi'
import snappy from 'snappy'

/** A codec as kafkajs calls it: the argument of `compress` is its encoder. */
export interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

// https://github.com/xerial/snappy-java, SnappyCodec: magic, version 1, lowest compatible version 1.
const xerialHeader = Buffer.from('82534e41505059000000000100000001', 'hex')
const xerialMagic = xerialHeader.subarray(0, 8)
const xerialBlock = 32 * 1024

/** Compresses into xerial framing: header, then blocks of at most 32 KiB, each behind its length (int32). */
export function compressXerial(bytes: Buffer): Buffer {
  const parts: Buffer[] = [xerialHeader]
  for (let at = 0; at < bytes.length; at += xerialBlock) {
    const block = snappy.compressSync(bytes.subarray(at, at + xerialBlock))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Reads xerial framing, or one raw snappy block (as librdkafka and Go clients write it). Throws on damaged input. */
export function decompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, 8).equals(xerialMagic)) return uncompressed(bytes)
  const parts: Buffer[] = []
  for (let at = xerialHeader.length; at < bytes.length;) {
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < 0 || at + length > bytes.length) throw new Error('snappy block reaches beyond the batch')
    parts.push(uncompressed(bytes.subarray(at, at + length)))
    at += length
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}

function uncompressed(block: Buffer): Buffer {
  return snappy.uncompressSync(block, { asBuffer: true }) as Buffer
}

/** By codec number of the batch attributes. Synchronous inside: a batch is at most a few milliseconds of work. */
export const codecs: Readonly<Record<2 | 3 | 4, Codec>> = {
  2: {
    compress: async encoder => compressXerial(encoder.buffer),
    decompress: async bytes => decompressSnappy(bytes),
  },
  3: {
    compress: async encoder => lz4.compressFrameSync(encoder.buffer),
    decompress: async bytes => lz4.decompressFrameSync(bytes),
  },
  4: {
    compress: async encoder => zstdCompressSync(encoder.buffer),
    decompress: async bytes => zstdDecompressSync(bytes),
  },
}
