// What counts as an event on the events topic: the key decides with the value.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventDecoder, eventEncoder } from '../../../src/codecs/cloudtrail-event.ts'
import { readEvent } from '../../../src/pipeline/event-record.ts'
import { topicContract } from '../../../src/topics.ts'
import { call } from '../../harness/detection.ts'

const schema = topicContract('EVENTS_TOPIC').schema!
const decoder = eventDecoder(schema)
decoder.learn(1, schema)
const event = call(0)
const value = eventEncoder(schema).encode(event, 1)
const key = Buffer.from(event.principal.key)

test('a record under the key of its principal is an event', () => {
  const read = readEvent({ key, value }, decoder)
  assert.ok('principal' in read)
  assert.equal(read.eventId, event.eventId)
})

test('without a key, without a value, or under another key it is none', () => {
  const reason = (record: Parameters<typeof readEvent>[0]) =>
    (readEvent(record, decoder) as { rejected?: string }).rejected
  assert.equal(reason({ key: null, value }), 'null-key')
  assert.equal(reason({ key, value: null }), 'null-value')
  assert.equal(reason({ key: Buffer.from('somebody-else'), value }), 'key-mismatch')
  assert.equal(reason({ key, value: value.subarray(0, 20) }), 'bad-avro')
})

test('a schema id that was not learnt is told, whatever the key', () => {
  const stray = Buffer.from(value)
  stray.writeUInt32BE(9, 1)
  assert.deepEqual(readEvent({ key: Buffer.from('x'), value: stray }, decoder), { unknownSchema: 9 })
})
