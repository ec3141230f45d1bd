// The one-pass decoder against kafkajs' own decoder, on record sets that kafkajs' own encoder wrote: any keys, values,
// headers, deltas and timestamps, gaps as compaction leaves them, transactional and control batches, every codec.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecs } from '../../src/kafka/corrections/codecs.ts'
import type { Codec } from '../../src/kafka/corrections/codecs.ts'
import { decodeRecordBatches } from '../../src/kafka/corrections/record-batches.ts'
import { decodedByOriginal, original, recordSet } from '../unit/kafka/encoded-batches.ts'
import type { OriginalMessage, TestBatch } from '../unit/kafka/encoded-batches.ts'

// The original decoder gets our codecs, because it has none but gzip: what is compared is the decoding.
const { Codecs } = original<{ Codecs: Record<number, () => Codec> }>('protocol/message/compression')
for (const number of [2, 3, 4] as const) Codecs[number] = () => codecs[number]
const decompress = (codec: number, bytes: Buffer) => Codecs[codec]?.().decompress(bytes) ?? Promise.reject(new Error())

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map(array => Buffer.from(array))
const record = fc.record({
  key: fc.option(bytes(40)),
  value: fc.option(fc.oneof(bytes(60), bytes(3_000))),
  headers: fc.dictionary(
    fc.string({ maxLength: 20 }),
    fc.oneof(bytes(30), fc.array(bytes(10), { minLength: 1, maxLength: 3 })),
    { maxKeys: 4 },
  ),
  gap: fc.nat({ max: 300 }),
  timestampDelta: fc.oneof(fc.nat({ max: 5_000 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
})
const batch = fc.record({
  records: fc.array(record, { maxLength: 12 }),
  tail: fc.nat({ max: 50 }),
  producerId: fc.oneof(fc.constant(-1), fc.nat({ max: 2 ** 31 - 1 })),
  transactional: fc.boolean(),
  control: fc.boolean(),
  logAppendTime: fc.boolean(),
  // Kafka allows -1 (no timestamp); the upper end is the year 8921.
  firstTimestamp: fc.oneof(
    fc.constant(-1),
    fc.nat({ max: 2 ** 40 }).map(n => n * 199),
  ),
  compression: fc.constantFrom(0, 1, 2, 3, 4),
})
const start = fc.oneof(
  fc.nat({ max: 1_000 }),
  fc.integer({ min: 2 ** 31 - 10, max: 2 ** 31 + 10 }),
  fc.constant(2 ** 50),
)

/** Gives the batches consecutive offsets, with the gaps that were drawn. */
function placed(first: number, drawn: readonly Drawn[]): TestBatch[] {
  let next = first
  return drawn.map(({ records, tail, ...rest }) => {
    let delta = -1
    const withDeltas = records.map(({ gap, ...fields }) => ({ ...fields, offsetDelta: (delta += 1 + gap) }))
    const made = { ...rest, baseOffset: next, records: withDeltas, lastOffsetDelta: Math.max(delta, 0) + tail }
    next += made.lastOffsetDelta + 1
    return made
  })
}
type Drawn = typeof batch extends fc.Arbitrary<infer T> ? T : never

/** The original's message in our terms: last value of a repeated header, numbers for text. */
function inOurTerms(message: OriginalMessage) {
  const headers = Object.entries(message.headers).map(([name, value]) => [
    name,
    (Array.isArray(value) ? value.at(-1) : value)?.toString('hex'),
  ])
  return {
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key?.toString('hex') ?? null,
    value: message.value?.toString('hex') ?? null,
    headers: headers.sort(),
  }
}

test('decodes what kafkajs decodes, for every codec', async () => {
  await fc.assert(
    fc.asyncProperty(start, fc.array(batch, { maxLength: 4 }), async (first, drawn) => {
      const batches = placed(first, drawn)
      const set = await recordSet(batches)
      const decoded = await decodeRecordBatches(set, decompress)
      const ours = decoded.flatMap(({ records }) =>
        records.map(({ offset, timestamp, key, value, headers }) => ({
          offset,
          timestamp,
          key: key?.toString('hex') ?? null,
          value: value?.toString('hex') ?? null,
          headers: Object.entries(headers)
            .map(([name, header]) => [name, header?.toString('hex')])
            .sort(),
        })),
      )
      assert.deepEqual(ours, (await decodedByOriginal(set)).map(inOurTerms))
      const expected = batches.map(({ baseOffset, lastOffsetDelta, producerId, transactional, control }) => ({
        ...{ baseOffset, producerId, transactional, control },
        nextOffset: baseOffset + (lastOffsetDelta ?? 0) + 1,
      }))
      const contexts = decoded.map(({ records: _, ...context }) => context)
      assert.deepEqual(contexts, expected)
    }),
    { numRuns: 300 },
  )
})

test('any cut or flipped byte gives records or TW_CODEC_UNSUPPORTED, never a hang or another error', async () => {
  const damage = fc.record({ at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }), cut: fc.nat() })
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 2 }), damage, async (drawn, { at, bits, cut }) => {
      const set = await recordSet(placed(0, drawn))
      const index = at % set.length
      // Length and magic of a batch are checked by the broker and by the frame of the response.
      set[index] = (set[index] ?? 0) ^ bits
      const damaged = set.subarray(0, set.length - (cut % 40))
      try {
        await decodeRecordBatches(damaged, decompress)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'TW_CODEC_UNSUPPORTED')
      }
    }),
    { numRuns: 500 },
  )
})
