import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { normalizeRecord } from '../../../src/normalize/event.ts'
import type { CloudTrailEvent, NormalizeContext } from '../../../src/normalize/event.ts'
import { keepAll, smallest } from './options.ts'

const context: NormalizeContext = { ...keepAll, sourceKind: 'RECORD' }

function event(record: unknown, changed: Partial<NormalizeContext> = {}): CloudTrailEvent {
  const found = normalizeRecord(record, { ...context, ...changed })
  assert.ok(!('rejected' in found), JSON.stringify(found))
  return found
}

function reason(record: unknown): string {
  const found = normalizeRecord(record, context)
  assert.ok('rejected' in found, 'was accepted')
  assert.ok(found.detail.length > 0 && found.detail.length <= 200)
  return found.rejected
}

const full = JSON.parse(
  readFileSync(new URL('../../fixtures/envelopes/record.json', import.meta.url), 'utf8'),
) as Record<string, unknown>

test('a full record keeps what CloudTrail wrote and gains principal, outcome and secrets', () => {
  const account = '111122223333'
  assert.deepEqual(event(full), {
    eventTime: Date.UTC(2026, 2, 1, 8, 15, 30),
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'GetSecretValue',
    awsRegion: 'eu-west-1',
    outcome: 'DENIED',
    principal: { key: `${account}/role/AROAEXAMPLEREADERROLE`, kind: 'ROLE', name: 'reader' },
    recipientAccountId: account,
    eventId: '00000000-0000-4000-9000-000000000001',
    sharedEventId: null,
    eventVersion: '1.11',
    eventType: 'AwsApiCall',
    eventCategory: 'Management',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.15.0',
    errorCode: 'AccessDenied',
    errorMessage: full.errorMessage,
    readOnly: true,
    managementEvent: true,
    vpcEndpointId: null,
    requestId: '00000000-0000-4000-8000-000000000001',
    userIdentity: {
      type: 'AssumedRole',
      principalId: 'AROAEXAMPLEREADERROLE:i-0abc1234def567890',
      arn: `arn:aws:sts::${account}:assumed-role/reader/i-0abc1234def567890`,
      accountId: account,
      accessKeyId: 'ASIAEXAMPLEKEY000001',
      userName: null,
      invokedBy: null,
      sourceIdentity: null,
      sessionIssuer: {
        type: 'Role',
        principalId: 'AROAEXAMPLEREADERROLE',
        arn: `arn:aws:iam::${account}:role/reader`,
        accountId: account,
        userName: 'reader',
      },
      sessionName: 'i-0abc1234def567890',
      mfaAuthenticated: false,
      sessionCreated: Date.UTC(2026, 2, 1, 8),
    },
    requestParameters: '{"secretId":"prod/billing/db"}',
    responseElements: null,
    additionalEventData: null,
    secrets: [`${account}:eu-west-1:prod/billing/db`],
    sourceKind: 'RECORD',
  })
})

test('the three required fields are enough', () => {
  const { awsRegion, recipientAccountId, eventId, eventVersion, principal, secrets, outcome } = event(smallest)
  assert.deepEqual(
    { awsRegion, recipientAccountId, eventId, eventVersion, principal, secrets, outcome },
    {
      awsRegion: '',
      recipientAccountId: '',
      eventId: '',
      eventVersion: null,
      principal: { key: 'unknown/unknown', kind: 'UNKNOWN', name: 'unknown' },
      secrets: [],
      outcome: 'SUCCESS',
    },
  )
})

describe('a record is refused', () => {
  const without = (field: string) => ({ ...smallest, [field]: undefined })
  const cases: [string, unknown, string][] = [
    ['without eventTime', without('eventTime'), 'missing-event-time'],
    ['with an empty eventTime', { ...smallest, eventTime: '' }, 'missing-event-time'],
    ['with an eventTime of null', { ...smallest, eventTime: null }, 'missing-event-time'],
    ['with an eventTime in epoch seconds', { ...smallest, eventTime: 1772352930 }, 'bad-event-time'],
    ['with an eventTime in epoch milliseconds as text', { ...smallest, eventTime: '1772352930000' }, 'bad-event-time'],
    ['with an eventTime without zone', { ...smallest, eventTime: '2026-03-01T08:15:30' }, 'bad-event-time'],
    ['without eventName', without('eventName'), 'missing-event-name'],
    ['with an empty eventName', { ...smallest, eventName: '' }, 'missing-event-name'],
    ['with a number for eventName', { ...smallest, eventName: 7 }, 'wrong-type'],
    ['without eventSource', without('eventSource'), 'missing-event-source'],
    ['with an array for eventSource', { ...smallest, eventSource: ['a'] }, 'wrong-type'],
    ['of major version 2', { ...smallest, eventVersion: '2.0' }, 'unsupported-event-version'],
    ['of major version 10', { ...smallest, eventVersion: '10.1' }, 'unsupported-event-version'],
    ['of major version 0', { ...smallest, eventVersion: '0.9' }, 'unsupported-event-version'],
    ['of a version that is no number', { ...smallest, eventVersion: '1.x' }, 'unsupported-event-version'],
    ['with an object for eventVersion', { ...smallest, eventVersion: {} }, 'wrong-type'],
    // As null it would pass for a success.
    ['with an object for errorCode', { ...smallest, errorCode: { code: 'AccessDenied' } }, 'wrong-type'],
    ['with an array for errorMessage', { ...smallest, errorMessage: ['denied'] }, 'wrong-type'],
    ['that is an array', [smallest], 'not-an-object'],
    ['that is null', null, 'not-an-object'],
    ['that is text', JSON.stringify(smallest), 'not-an-object'],
  ]
  for (const [what, record, expected] of cases) test(what, () => assert.equal(reason(record), expected))

  test('whose parameters are nested too deeply to write', () => {
    const requestParameters: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
    assert.equal(reason({ ...smallest, requestParameters }), 'too-deep')
    // Where they are not kept they are not written.
    event({ ...smallest, requestParameters }, { keepRequestParameters: false })
  })
})

test('minor versions are compared as numbers, and may be absent', () => {
  for (const eventVersion of ['1', '1.02', '1.08', '1.10', '1.11', '1.99.1', 1.1, null, undefined]) {
    event({ ...smallest, eventVersion })
  }
})

test('an optional field of the wrong type is null, and a number that should be text becomes it', () => {
  const found = event({
    ...smallest,
    awsRegion: {},
    sourceIPAddress: [],
    userAgent: 1.5,
    requestID: true,
    eventID: 7,
    readOnly: 'true',
    managementEvent: 'yes',
    userIdentity: { type: {}, sessionContext: 'x', accountId: [] },
    vpcEndpointId: { a: 1 },
  })
  assert.deepEqual(
    [found.awsRegion, found.sourceIPAddress, found.userAgent, found.requestId, found.eventId],
    ['', null, '1.5', 'true', '7'],
  )
  assert.deepEqual([found.readOnly, found.managementEvent, found.vpcEndpointId], [true, null, null])
  assert.equal(found.outcome, 'SUCCESS')
  assert.equal(found.userIdentity.type, null)
})

test('the recipient is the account of the caller where the record names none', () => {
  const userIdentity = { type: 'IAMUser', userName: 'bob', accountId: '444455556666' }
  assert.equal(event({ ...smallest, userIdentity }).recipientAccountId, '444455556666')
  assert.equal(event({ ...smallest, userIdentity, recipientAccountId: '1' }).recipientAccountId, '1')
})

test('parameters that are configured away are null, and their secrets still known', () => {
  const found = event({ ...full, responseElements: { a: 1 }, additionalEventData: { b: 2 } })
  assert.deepEqual([found.responseElements, found.additionalEventData], ['{"a":1}', '{"b":2}'])
  const dropped = event(
    { ...full, responseElements: { a: 1 }, additionalEventData: { b: 2 } },
    { keepRequestParameters: false, keepResponseElements: false, keepAdditionalEventData: false },
  )
  assert.deepEqual(
    [dropped.requestParameters, dropped.responseElements, dropped.additionalEventData],
    [null, null, null],
  )
  assert.deepEqual(dropped.secrets, found.secrets)
})

test('own keys named like parts of Object change nothing', () => {
  const record: unknown = JSON.parse(
    `{"__proto__":{"eventName":"x","awsRegion":"y"},"constructor":1,"toString":2,"hasOwnProperty":3,${JSON.stringify(smallest).slice(1)}`,
  )
  assert.deepEqual(event(record), event(smallest))
})

test('of repeated keys the last one counts', () => {
  const record: unknown = JSON.parse(`{"eventName":"First",${JSON.stringify(smallest).slice(1)}`)
  assert.equal(event(record).eventName, 'GetSecretValue')
})

test('lone surrogates become U+FFFD before anything is derived from them', () => {
  const found = event({
    ...smallest,
    requestParameters: { secretId: 'a\ud800' },
    userAgent: '\udc00',
    eventName: 'X\ud800',
  })
  assert.deepEqual([found.userAgent, found.eventName, found.secrets], ['\ufffd', 'X\ufffd', ['::a\ufffd']])
})
