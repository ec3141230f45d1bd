// The codecs of events and alerts on the schemas that ship: what goes in comes out, also under an earlier writer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertDecoder, alertEncoder } from '../../../src/codecs/alert.ts'
import { eventDecoder, eventEncoder } from '../../../src/codecs/cloudtrail-event.ts'
import { topicContract } from '../../../src/topics.ts'
import { call } from '../../harness/detection.ts'
import { rateAlert, regionAlert } from '../alerts/samples.ts'

const eventSchema = topicContract('EVENTS_TOPIC').schema!
const alertSchema = topicContract('ALERTS_TOPIC').schema!
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('an event survives its codec', () => {
  const decoder = eventDecoder(eventSchema)
  decoder.learn(1, eventSchema)
  const event = call(Date.UTC(2026, 0, 15), { secrets: ['111122223333/us-east-1/prod'], requestParameters: '{"a":1}' })
  assert.deepEqual(plain(decoder.decode(eventEncoder(eventSchema).encode(event, 1))), plain(event))
})

test('alerts survive their codec, also when larger than a slab', () => {
  const decoder = alertDecoder(alertSchema)
  decoder.learn(1, alertSchema)
  const encoder = alertEncoder(alertSchema)
  const suppressed = { id: 's', reason: 'known', owner: 'team' }
  const evidence = [{ ...rateAlert().evidence[0]!, fields: [{ field: 'requestParameters.name', value: 'x' }] }]
  const alerts = [
    rateAlert({ evidence }),
    regionAlert(),
    regionAlert({ suppressed }),
    regionAlert({ runbook: 'x'.repeat(40_000) }),
  ]
  const written = alerts.map(alert => encoder.encode(alert, 1))
  for (const [index, bytes] of written.entries())
    assert.deepEqual(plain(decoder.decode(bytes)), plain(alerts[index]), `alert ${index}`)
})

test('a reader whose schema has gained a field with a default reads what this version writes', () => {
  const { fields, ...rest } = eventSchema as { fields: object[] }
  const later = { ...rest, fields: [...fields, { name: 'tenant', type: ['null', 'string'], default: null }] }
  const decoder = eventDecoder(later)
  assert.equal(decoder.learn(1, eventSchema), null)
  const event = call(Date.UTC(2026, 0, 15))
  assert.deepEqual(plain(decoder.decode(eventEncoder(eventSchema).encode(event, 1))), {
    ...(plain(event) as object),
    tenant: null,
  })
})

test('this reader reads what a later version with a further field writes', () => {
  const { fields, ...rest } = eventSchema as { fields: { name: string; type: unknown }[] }
  const later = { ...rest, fields: [{ name: 'tenant', type: 'string' }, ...fields] }
  const decoder = eventDecoder(eventSchema)
  assert.equal(decoder.learn(2, later), null)
  const event = call(Date.UTC(2026, 0, 15))
  const bytes = eventEncoder(later).encode({ ...event, tenant: 'a' } as never, 2)
  assert.deepEqual(plain(decoder.decode(bytes)), plain(event))
})
