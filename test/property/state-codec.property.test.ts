// The state codec on bytes it did not write: damaged anywhere, a record is refused or read, without exception and at once.
// And the encodings under it against avsc, for numbers and texts of every kind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import fc from 'fast-check'
import { AvroReader, AvroWriter } from '../../src/codecs/avro-bytes.ts'
import { StateDecoder, StateEncoder } from '../../src/codecs/principal-state.ts'
import { Engine } from '../../src/detect/engine.ts'
import { topicContract } from '../../src/topics.ts'
import { awsRegion, call, rateRule, rule, ruleSet, second, step } from '../harness/detection.ts'

const schema = topicContract('STATE_TOPIC').schema!

function someBytes(): Buffer {
  const value = { kind: 'value_count', timespanMs: 60 * second, condition: { gte: 3 }, field: awsRegion } as const
  const rules = [rule('regions', value), rateRule('rate', { minCount: 2, minDistinct: 1, alpha: 0.5 })]
  const engine = new Engine(ruleSet(rules), { describe: () => ({ explanation: '', runbook: '' }) })
  for (let i = 0; i < 12; i++)
    step(engine, call(i * second, { awsRegion: `région-${i % 5}`, outcome: 'DENIED', secrets: [`s-${i}`] }))
  return new StateEncoder(schema).encode(engine.state(call(0).principal.key)!, 1)
}

test('a damaged state record is refused or read, never an exception', () => {
  const bytes = someBytes()
  const decoder = new StateDecoder(schema)
  decoder.learn(1, schema)
  let refused = 0
  let read = 0
  const damage = fc.record({ at: fc.nat(bytes.length - 6), byte: fc.nat(255), length: fc.integer({ min: 1, max: 4 }) })
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), damages => {
      const damaged = Buffer.from(bytes)
      for (const { at, byte, length } of damages) damaged.fill(byte, at + 5, Math.min(bytes.length, at + 5 + length))
      const state = decoder.decode(damaged)
      if ('watches' in state) read++
      else refused++
    }),
    { numRuns: 3000 },
  )
  assert.ok(refused > 100 && read > 100, `${refused} refused, ${read} read`)
})

const long = avro.Type.forSchema('long')
const double = avro.Type.forSchema('double')
const text = avro.Type.forSchema('string')

test('numbers and texts are written as avsc writes them, and read back', () => {
  // avsc rounds where zigzag leaves the safe integers; those are checked by reading back alone.
  const exact = fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 })
  const string = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ minLength: 50, maxLength: 80 }),
    fc.string({ unit: fc.constantFrom('a', 'é', '漢', '😀'), minLength: 20, maxLength: 300 }),
    fc.string({ unit: 'binary-ascii', minLength: 200, maxLength: 9000, size: 'max' }),
  )
  fc.assert(
    fc.property(fc.oneof(exact, fc.integer()), fc.double({ noNaN: true }), string, (n, x, raw) => {
      const value = raw.toWellFormed()
      const writer = new AvroWriter(1)
      writer.long(n)
      writer.double(x)
      writer.text(value)
      const expected = Buffer.concat([long.toBuffer(n), double.toBuffer(x), text.toBuffer(value)])
      assert.ok(writer.bytes.subarray(0, writer.position).equals(expected))
      const reader = new AvroReader(expected)
      assert.deepEqual([reader.long(), reader.double(), reader.text(), reader.end], [n, x, value, true])
    }),
    { numRuns: 2000 },
  )
})

test('every safe integer is exact, and what lies beyond is refused', () => {
  for (const n of [0, -1, 63, 64, -64, -65, 2 ** 30 - 1, 2 ** 30, -(2 ** 30), -(2 ** 30) - 1, 8e15, -8e15]) {
    const writer = new AvroWriter()
    writer.long(n)
    assert.equal(new AvroReader(writer.bytes.subarray(0, writer.position)).long(), n)
  }
  for (const n of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]) {
    const writer = new AvroWriter()
    writer.long(n)
    assert.equal(new AvroReader(writer.bytes.subarray(0, writer.position)).long(), n)
  }
  assert.throws(() => new AvroReader(Buffer.from('ffffffffffffffffff01', 'hex')).long(), RangeError)
  assert.throws(() => new AvroReader(Buffer.from('ffffffffffffffffffffffff', 'hex')).long(), RangeError)
})
