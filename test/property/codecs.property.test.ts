// Properties of the event codec: every event survives it, and no bytes make it fail, hang or answer with half an event.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventDecoder, eventEncoder } from '../../src/codecs/cloudtrail-event.ts'
import { topicContract } from '../../src/topics.ts'
import { anyEvent } from '../harness/any-event.ts'

const schema = topicContract('EVENTS_TOPIC').schema!
const encoder = eventEncoder(schema)
const decoder = eventDecoder(schema)
decoder.learn(1, schema)

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('every run of events comes out of the codec as it went in', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 5 }), run => {
      const written = run.map(event => encoder.encode(event, 1))
      assert.deepEqual(plain(written.map(bytes => decoder.decode(bytes))), plain(run))
    }),
    { numRuns: 300 },
  )
})

test('arbitrary bytes give an event, a refusal or a question for a schema, never a failure', () => {
  const bodies = fc.uint8Array({ maxLength: 200 })
  fc.assert(
    fc.property(
      fc.oneof(
        bodies,
        bodies.map(body => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), body])),
      ),
      bytes => {
        total(bytes)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a record with bytes changed, cut or put in is decoded in bounded time', () => {
  const damage = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ maxLength: 8 }), cut: fc.nat(8) })
  fc.assert(
    fc.property(anyEvent, damage, (event, { at, bytes, cut }) => {
      const whole = encoder.encode(event, 1)
      const place = 5 + (at % (whole.length - 5))
      total(Buffer.concat([whole.subarray(0, place), bytes, whole.subarray(place + cut)]))
    }),
    { numRuns: 2000 },
  )
})

function total(bytes: Uint8Array): void {
  const result = decoder.decode(bytes)
  if ('rejected' in result) assert.ok(['bad-magic-byte', 'bad-avro'].includes(result.rejected))
  else if (!('unknownSchema' in result))
    assert.ok(Array.isArray(result.secrets) && typeof result.eventName === 'string')
}
