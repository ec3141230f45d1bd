// The codecs that kafkajs lacks. Batches written by the Java client are read in test/integration.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import snappy from 'snappy'
import { codecs, compressXerial, decompressSnappy } from '../../../../src/kafka/corrections/codecs.ts'
import { original } from '../encoded-batches.ts'

const samples = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.from('{"eventName":"GetSecretValue"}'.repeat(5_000)),
  randomBytes(100_000),
]

for (const number of [2, 3, 4] as const) {
  test(`codec ${number} gives back what it took; the original throws not implemented`, async () => {
    for (const bytes of samples) {
      const packed = await codecs[number].compress({ buffer: bytes })
      assert.ok((await codecs[number].decompress(packed)).equals(bytes))
    }
    const { Codecs } = original<{ Codecs: Record<number, () => unknown> }>('protocol/message/compression')
    assert.throws(() => Codecs[number]?.(), /not implemented/i)
  })

  test(`codec ${number} refuses damaged input`, async () => {
    const packed = await codecs[number].compress({ buffer: Buffer.from('x'.repeat(1000)) })
    const damaged = Buffer.from(packed)
    damaged.writeUInt8(damaged.readUInt8(0) ^ 0xff, 0)
    await assert.rejects(codecs[number].decompress(damaged))
  })
}

test('snappy: xerial framing as Java writes it, and one raw block as librdkafka writes it', () => {
  const text = Buffer.from('snappy '.repeat(20_000))
  const framed = compressXerial(text)
  assert.equal(framed.subarray(0, 16).toString('hex'), '82534e41505059000000000100000001')
  // 140 000 bytes are five blocks of at most 32 KiB.
  let blocks = 0
  for (let at = 16; at < framed.length; at += 4 + framed.readInt32BE(at)) blocks++
  assert.equal(blocks, 5)
  assert.ok(decompressSnappy(framed).equals(text))
  assert.ok(decompressSnappy(snappy.compressSync(text)).equals(text))
})
