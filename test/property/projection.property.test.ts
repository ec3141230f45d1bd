// Decoding only what the rules read changes nothing: alerts and state of an engine that is fed projected events are those of
// one that is fed whole events, for the shipped rules and random streams. STREAMS scales the number of streams.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventDecoder, eventEncoder, projectEvent } from '../../src/codecs/cloudtrail-event.ts'
import { readRuleFiles } from '../../src/commands/rule-files.ts'
import { engineOptions } from '../../src/commands/rule-set.ts'
import { Engine } from '../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { RuleSet } from '../../src/rules/rule.ts'
import { topicContract } from '../../src/topics.ts'
import { call, second } from '../harness/detection.ts'

const numRuns = Number(process.env['STREAMS'] ?? 300)
const schema = topicContract('EVENTS_TOPIC').schema!
const loaded = loadRules(await readRuleFiles(['rules']))
assert.ok('rules' in loaded)
const shipped: RuleSet = loaded.rules
const text = fc.option(fc.constantFrom('a', 'b', 'é', ''), { nil: null })

const names = ['GetSecretValue', 'BatchGetSecretValue', 'ListSecrets']
const anyStep = (name: fc.Arbitrary<string>, denied: fc.Arbitrary<boolean>) =>
  fc.record({
    seconds: fc.constantFrom(0, 1, 1, 2, 3, 5, 30, -20),
    timestamp: fc.constantFrom(0, 0, 0, -600),
    who: fc.constantFrom(0, 0, 0, 1),
    secret: fc.integer({ min: 0, max: 60 }),
    region: fc.integer({ min: 0, max: 7 }),
    eventName: name,
    denied,
    filters: fc.constantFrom(null, '{"filters":[{"key":"tag-key","values":["!x"]}]}', '{"a":1}', 'not json'),
    texts: fc.record({ eventType: text, errorMessage: text, requestId: text, responseElements: text, userAgent: text }),
    identity: fc.record({
      type: text,
      userName: text,
      invokedBy: fc.constantFrom(null, null, null, 'x.amazonaws.com'),
    }),
  })
type Step = ReturnType<typeof anyStep> extends fc.Arbitrary<infer S> ? S : never

const many = { minLength: 20, maxLength: 120, size: 'max' } as const
const stream = fc.oneof(
  fc.array(anyStep(fc.constantFrom(...names), fc.boolean()), many),
  fc.array(anyStep(fc.constant('GetSecretValue'), fc.constant(false)), many),
  fc.array(anyStep(fc.constant('GetSecretValue'), fc.constantFrom(true, true, false)), many),
  fc.array(anyStep(fc.constant('BatchGetSecretValue'), fc.boolean()), many),
)

function recordsOf(steps: readonly Step[]) {
  let time = Date.UTC(2026, 0, 15)
  return steps.map((one, index) => {
    time += one.seconds * second
    const event: CloudTrailEvent = call(time, {
      ...one.texts,
      eventName: one.eventName,
      eventId: `id-${index}`,
      awsRegion: `region-${one.region}`,
      secrets: [`111122223333:eu-west-1:s-${one.secret}`],
      requestParameters: one.filters,
      principal: { key: `111122223333/role/AROA${one.who}`, kind: 'ROLE', name: `role-${one.who}` },
      ...(one.denied ? { outcome: 'DENIED', errorCode: 'AccessDenied' } : {}),
      userIdentity: { ...call(0).userIdentity, ...one.identity },
    })
    return { event, timestamp: time + one.timestamp * second }
  })
}

function outcomeOf(records: readonly { readonly bytes: Buffer; readonly timestamp: number }[], projected: boolean) {
  const decoder = eventDecoder(projected ? projectEvent(schema, shipped.fields) : schema)
  decoder.learn(1, schema)
  const engine = new Engine(shipped, engineOptions())
  const transaction = engine.begin()
  for (const { bytes, timestamp } of records) {
    const event = decoder.decode(bytes)
    assert.ok('principal' in event)
    transaction.process(event, null, timestamp)
  }
  const states = [...transaction.changes()]
  transaction.merge()
  // The decoder gives its records a class of their own; a clone is plain.
  return structuredClone({ alerts: transaction.alerts, counts: transaction.counts, states })
}

test('alerts, counts and state from projected events are those from whole events', () => {
  const encoder = eventEncoder(schema)
  const raised = new Set<string>()
  fc.assert(
    fc.property(stream, steps => {
      const records = recordsOf(steps).map(({ event, timestamp }) => ({ bytes: encoder.encode(event, 1), timestamp }))
      const whole = outcomeOf(records, false)
      assert.deepEqual(outcomeOf(records, true), whole)
      for (const alert of whole.alerts) raised.add(alert.ruleId)
    }),
    { numRuns },
  )
  assert.deepEqual([...raised].sort(), shipped.rules.map(rule => rule.id).sort(), 'the streams make every rule alert')
})

test('the projection leaves out most of what an event can hold', () => {
  assert.notEqual(shipped.fields, null)
  const names = (projectEvent(schema, shipped.fields) as { fields: { name: string }[] }).fields.map(field => field.name)
  for (const left of ['errorMessage', 'responseElements', 'additionalEventData', 'requestId'])
    assert.equal(names.includes(left), false, left)
})
