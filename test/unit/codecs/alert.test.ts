// An alert read back from its JSON view: what it was, between versions too, and null for everything else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertToJson } from '../../../src/alerts/json.ts'
import { alertFromJson } from '../../../src/codecs/alert.ts'
import { topicContract } from '../../../src/topics.ts'
import { rateAlert, regionAlert } from '../alerts/samples.ts'

const schema = topicContract('ALERTS_TOPIC').schema!
const read = (text: string) => alertFromJson(schema, text)

test('what alertToJson writes is read back as it was', () => {
  const samples = [
    regionAlert(),
    rateAlert(),
    regionAlert({ mergedInto: 'earlier', suppressed: { id: 'a', reason: 'b', owner: 'c' }, input: null }),
    regionAlert({ group: [{ field: 'awsRegion', value: 'eu-west-1' }], evidence: [], distinctValues: [] }),
  ]
  for (const alert of samples) {
    const json = alertToJson(alert)
    const again = read(json)
    assert.ok(again)
    assert.deepEqual(JSON.parse(JSON.stringify(again)), JSON.parse(JSON.stringify(alert)))
    assert.equal(alertToJson(again), json)
  }
})

test('a field with a default may be missing, an unknown one is ignored', () => {
  const { suppressed: _suppressed, ...older } = JSON.parse(alertToJson(regionAlert())) as Record<string, unknown>
  const again = read(JSON.stringify({ ...older, confidence: 3 }))
  assert.equal(again?.suppressed, null)
  assert.ok(again && !('confidence' in again))
})

test('what is no alert is null', () => {
  const good = JSON.parse(alertToJson(regionAlert())) as Record<string, unknown>
  const { dedupKey: _dedupKey, ...keyless } = good
  const bad = ['', 'null', '[]', '7', '"x"', '{', '{}', JSON.stringify(keyless)]
  for (const [field, value] of [
    ['firstSeen', 'yesterday'],
    ['count', 'nine'],
    ['regions', 'us-east-1'],
    ['activity', 'CLOSE'],
  ] as const)
    bad.push(JSON.stringify({ ...good, [field]: value }))
  for (const text of bad) assert.equal(read(text), null, text)
})
