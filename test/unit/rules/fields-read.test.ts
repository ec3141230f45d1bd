// What a rule set says it reads: every place of a rule that names a field is in it, and no reader touches anything else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudTrailFields, fieldNames } from '../../../src/rules/cloudtrail-fields.ts'
import { memberOf } from '../../../src/rules/cloudtrail-members.ts'
import { eventDecoder, eventEncoder, projectEvent } from '../../../src/codecs/cloudtrail-event.ts'
import { topicContract } from '../../../src/topics.ts'
import { call, run } from '../../harness/detection.ts'
import { readingOf } from '../../harness/reading.ts'
import { eventWith } from './events.ts'
import { detection, load } from './loading.ts'

const issuer = { type: 'Role', principalId: 'A', arn: 'arn', accountId: '1', userName: 'r' }
const event = eventWith({
  requestParameters: '{"a":{"b":1}}',
  responseElements: '{"a":1}',
  additionalEventData: '{"a":1}',
  secrets: ['s'],
  userIdentity: { type: 'AssumedRole', sessionIssuer: issuer, sessionCreated: 1, mfaAuthenticated: false },
})

test('every field is read from the member that is named for it, and from no other', () => {
  const resolve = cloudTrailFields()
  for (const name of [...fieldNames, 'requestParameters.a.b', 'responseElements.a', 'additionalEventData.a', 'type']) {
    const access = resolve(name)
    assert.ok('read' in access, name)
    assert.deepEqual(
      readingOf(event, watched => access.read(watched)),
      [memberOf(access.name)],
      name,
    )
  }
})

const fieldsOf = (...texts: string[]): string[] | null => {
  const { fields } = load(...texts).rules
  return fields === null ? null : [...fields].sort()
}

test('names of selections, references and lists of maps are noted', () => {
  const block = `selection:
  eventName: GetSecretValue
  userIdentity.sessionContext.sessionIssuer.userName|exists: true
filter:
  - sourceIPAddress|cidr: 10.0.0.0/8
  - userIdentity.userName|fieldref: requestParameters.userName
  - status: failure
  - eventTime|hour|gte: 22
condition: selection and not filter`
  assert.deepEqual(fieldsOf(detection(block)), [
    'eventName',
    'eventTime',
    'outcome',
    'requestParameters',
    'sourceIPAddress',
    'userIdentity.sessionIssuer',
    'userIdentity.userName',
  ])
})

test('names of groups, aliases, counted fields and shown fields are noted', () => {
  const correlation = `title: Counted
name: counted
fields: [errorMessage]
correlation:
  type: value_count
  rules: [probe]
  group-by: [principal, where]
  timespan: 10m
  aliases: { where: { probe: vpcEndpointId } }
  condition: { field: [requestParameters.a, eventType], gte: 2 }
---
title: Rate
name: rate
correlation: { type: rate_anomaly, rules: [probe], group-by: [principal], timespan: 30m }
trailwarden:
  summary-fields: [userIdentity.sessionContext.attributes.creationDate]
  rate-anomaly: { denied: probe, distinct: responseElements.b }
`
  assert.deepEqual(fieldsOf(detection('selection: {eventName: x}\ncondition: selection'), correlation), [
    'errorMessage',
    'eventName',
    'eventType',
    'requestParameters',
    'responseElements',
    'userIdentity.sessionCreated',
    'vpcEndpointId',
  ])
})

test('summary fields are read from a projected event, and alerts show them', () => {
  const { rules } = load(
    `${detection('a: {eventName: BatchGetSecretValue}\ncondition: a')}trailwarden:\n` +
      '  summary-fields: [errorMessage, requestParameters.filters.key, vpcEndpointId, eventType]\n',
  )
  const schema = topicContract('EVENTS_TOPIC').schema!
  const decoder = eventDecoder(projectEvent(schema, rules.fields))
  assert.equal(decoder.learn(1, schema), null)
  const whole = call(0, { errorMessage: 'no', requestParameters: '{"filters":[{"key":"a"},{"key":"b"}]}' })
  const projected = decoder.decode(eventEncoder(schema).encode(whole, 1))
  assert.ok('principal' in projected)
  assert.deepEqual(run(rules, [projected])[0]?.evidence[0]?.fields, [
    { field: 'errorMessage', value: 'no' },
    { field: 'requestParameters.filters.key', value: 'a, b' },
    { field: 'eventType', value: 'AwsApiCall' },
  ])
})

test('a keyword search may read anything', () => {
  assert.equal(fieldsOf(detection('words: [prod]\ncondition: words')), null)
})

test('a rule set whose fields are projected reads nothing outside them', () => {
  const { rules } = load(
    detection('a:\n  userIdentity.arn|re: x\n  requestParameters.a.b: 2\n  readOnly: true\ncondition: a or not a'),
  )
  const read = readingOf(event, watched => rules.match(watched))
  // The dispatch looks at the call itself, which detection always decodes.
  assert.deepEqual(
    read.filter(member => member !== 'eventSource' && member !== 'eventName' && !rules.fields?.has(member)),
    [],
  )
  assert.ok(read.length > 2)
})
