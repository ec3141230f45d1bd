// The one-pass produce request against kafkajs' own, byte for byte: any keys, values, headers, topics, codecs, ids.
// Both checksums are compared too; what the broker would read back is what was put in (also with mixed timestamps).
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecs } from '../../src/kafka/corrections/codecs.ts'
import type { Codec } from '../../src/kafka/corrections/codecs.ts'
import { framedRequest, produceRequest } from '../../src/kafka/corrections/produce-request.ts'
import { decodeRecordBatches } from '../../src/kafka/corrections/record-batches.ts'
import { RequestBuffer } from '../../src/kafka/corrections/request-buffers.ts'
import { longestBatch, writeRecordBatch } from '../../src/kafka/corrections/record-batch-writer.ts'
import { original } from '../unit/kafka/encoded-batches.ts'

const native = createRequire(import.meta.url)('@node-rs/crc32') as { readonly crc32c: (bytes: Buffer) => number }
const crc32c = original<(bytes: Buffer) => number>('protocol/recordBatch/crc32C')
const { Codecs } = original<{ Codecs: Record<number, () => Codec> }>('protocol/message/compression')
for (const number of [2, 3, 4] as const) Codecs[number] = () => codecs[number]
const compress = (codec: number, bytes: Buffer) => Codecs[codec]!().compress({ buffer: bytes })
const Long = original<{ fromValue(n: number | string): { toString(): string } }>('utils/long')
type Request = { encode(): Promise<{ buffer: Buffer }>; apiKey: number; apiVersion: number }
const theirs = original<(args: object) => Request>('protocol/requests/produce/v3/request')
const frame = original<(args: object) => Promise<{ buffer: Buffer }>>('protocol/request')
const ours = produceRequest({ crc32c, compress })

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map(array => Buffer.from(array))
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const field = fc.option(fc.oneof(bytes(40), text, bytes(9_000)))
const headers = fc.dictionary(
  fc.string({ maxLength: 20 }),
  fc.oneof(bytes(30), text, fc.array(bytes(10), { minLength: 1, maxLength: 3 })),
  { maxKeys: 4 },
)
// Of one length, so that the original's sorting as text is sorting by number.
const message = fc.record(
  { key: field, value: field, headers, timestamp: fc.integer({ min: 1e12, max: 9e12 }).map(String) },
  { requiredKeys: ['key', 'value', 'timestamp'] },
)
const partition = fc.record({
  partition: fc.nat({ max: 4_000 }),
  firstSequence: fc.nat({ max: 2 ** 31 - 1 }),
  messages: fc.array(message, { minLength: 1, maxLength: 12 }),
})
const request = fc.record({
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.nat({ max: 60_000 }),
  transactionalId: fc.option(fc.string({ minLength: 1, maxLength: 30 })),
  producerId: fc
    .oneof(fc.constant('-1'), fc.bigInt({ min: 0n, max: 2n ** 62n }).map(String))
    .map(id => Long.fromValue(id)),
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  compression: fc.constantFrom(0, 1, 2, 3, 4),
  topicData: fc.array(fc.record({ topic: text, partitions: fc.array(partition, { maxLength: 3 }) }), { maxLength: 3 }),
})

test('a produce request is what kafkajs writes, to the byte', async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.nat(), fc.option(text), async (args, correlationId, clientId) => {
      const mine = ours(args)
      const original = theirs(args)
      assert.deepEqual((await mine.encode()).buffer, Buffer.from((await original.encode()).buffer))
      const framed = await framedRequest({ correlationId, clientId, request: mine })
      assert.deepEqual(framed.buffer, Buffer.from((await frame({ correlationId, clientId, request: original })).buffer))
      assert.deepEqual(framed.buf, framed.buffer)
    }),
    { numRuns: 300 },
  )
})

test('the native checksum is the one kafkajs computes', () => {
  fc.assert(fc.property(bytes(2_000), value => native.crc32c(value) === crc32c(value)))
})

test('what is written is read back, whatever the timestamps', async () => {
  const fields = { producerId: 7n, producerEpoch: 1, firstSequence: 3, transactional: true, codec: 0 }
  const timed = fc.record({
    key: fc.option(bytes(20)),
    value: fc.option(bytes(20)),
    timestamp: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 2 ** 47 })),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(timed, { minLength: 1, maxLength: 20 }), async records => {
      const now = 1_790_000_000_000
      const to = new RequestBuffer(longestBatch(records))
      await writeRecordBatch(to, records, fields, now, { crc32c, compress })
      const [read] = await decodeRecordBatches(to.bytes.subarray(0, to.position), () => assert.fail())
      assert.deepEqual(
        read?.records.map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value })),
        records.map(({ key, value, timestamp }, offset) => ({ offset, timestamp: timestamp ?? now, key, value })),
      )
      assert.ok(read?.transactional)
    }),
  )
})
