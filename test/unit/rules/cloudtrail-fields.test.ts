// Field names: CloudTrail's own, what is derived, paths into JSON, and names no event of the topic can carry.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudTrailFields, fieldNames, fieldReader } from '../../../src/rules/cloudtrail-fields.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import { eventWith } from './events.ts'
import { selectionErrors, selects } from './loading.ts'

function read(name: string, event: CloudTrailEvent): unknown {
  const access = cloudTrailFields()(name)
  assert.ok(!('problem' in access), name)
  return access.read(event)
}

const full = eventWith({
  eventTime: Date.UTC(2026, 0, 1, 12, 0, 1),
  eventId: 'e-1',
  sharedEventId: 's-1',
  requestId: 'r-1',
  outcome: 'DENIED',
  errorCode: 'AccessDenied',
  errorMessage: 'no',
  vpcEndpointId: 'vpce-1',
  requestParameters: '{"a":1}',
  responseElements: '{"b":2}',
  additionalEventData: '{"c":3}',
  secrets: ['1:eu-west-1:x'],
  userIdentity: {
    type: 'AssumedRole',
    principalId: 'AROA:s',
    arn: 'arn:s',
    accountId: '1',
    accessKeyId: 'ASIA',
    userName: 'u',
    invokedBy: 'rds.amazonaws.com',
    sourceIdentity: 'ana',
    sessionName: 's',
    mfaAuthenticated: false,
    sessionCreated: Date.UTC(2026, 0, 1, 11),
    sessionIssuer: { type: 'Role', principalId: 'AROA', arn: 'arn:r', accountId: '2', userName: 'r' },
  },
})

test('every field name reads what CloudTrail wrote there', () => {
  const expected: Readonly<Record<string, unknown>> = {
    eventID: 'e-1',
    eventId: 'e-1',
    sharedEventID: 's-1',
    requestID: 'r-1',
    eventTime: '2026-01-01T12:00:01Z',
    'userIdentity.type': 'AssumedRole',
    'userIdentity.principalId': 'AROA:s',
    'userIdentity.arn': 'arn:s',
    'userIdentity.accountId': '1',
    'userIdentity.accessKeyId': 'ASIA',
    'userIdentity.userName': 'u',
    'userIdentity.invokedBy': 'rds.amazonaws.com',
    'userIdentity.sessionName': 's',
    'userIdentity.sessionContext.sourceIdentity': 'ana',
    'userIdentity.sessionContext.sessionIssuer.type': 'Role',
    'userIdentity.sessionContext.sessionIssuer.principalId': 'AROA',
    'userIdentity.sessionContext.sessionIssuer.arn': 'arn:r',
    'userIdentity.sessionContext.sessionIssuer.accountId': '2',
    'userIdentity.sessionContext.sessionIssuer.userName': 'r',
    'userIdentity.sessionContext.attributes.mfaAuthenticated': false,
    'userIdentity.sessionContext.attributes.creationDate': '2026-01-01T11:00:00Z',
    principal: '111122223333/role/AROAEXAMPLE',
    'principal.key': '111122223333/role/AROAEXAMPLE',
    'principal.kind': 'ROLE',
    'principal.name': 'deploy',
    outcome: 'DENIED',
    status: 'failure',
    sourceKind: 'RECORD',
    secrets: ['1:eu-west-1:x'],
    requestParameters: '{"a":1}',
    'requestParameters.a': 1,
    'responseElements.b': 2,
    'additionalEventData.c': 3,
  }
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(read(name, full), value, name)
})

test('every field is absent, not an error, on an event that lacks it', () => {
  const bare = eventWith({
    sourceIPAddress: null,
    userAgent: null,
    readOnly: null,
    managementEvent: null,
    eventVersion: null,
  })
  const absent = fieldNames.filter(name => read(name, bare) === undefined)
  assert.ok(absent.includes('userIdentity.sessionContext.sessionIssuer.arn'))
  assert.ok(absent.includes('secrets') && absent.includes('errorCode') && absent.includes('requestParameters'))
})

test('paths reach through lists, dotted keys and strings, and stop at everything else', () => {
  const on = (value: unknown, path: string): unknown =>
    read(`requestParameters.${path}`, eventWith({ requestParameters: JSON.stringify(value) }))
  assert.deepEqual(
    on(
      {
        filters: [
          { key: 'a', values: ['x', 'y'] },
          { key: 'b', values: ['z'] },
        ],
      },
      'filters.values',
    ),
    ['x', 'y', 'z'],
  )
  assert.equal(on({ 'aws:tag.name': { v: 1 } }, 'aws:tag.name.v'), 1)
  assert.equal(on({ a: { b: { c: true } } }, 'a.b'), '{"c":true}')
  assert.equal(on({ a: [] }, 'a'), null)
  assert.equal(on({ a: 'text' }, 'a.b'), undefined)
  assert.equal(on({}, 'constructor'), undefined)
  assert.equal(on({}, '__proto__'), undefined)
  assert.equal(on(JSON.parse('{"__proto__":{"x":1}}'), '__proto__.x'), 1)
  assert.equal(read('requestParameters.a', eventWith({ requestParameters: 'not json' })), undefined)
  assert.equal(read('requestParameters.a', eventWith({ requestParameters: null })), undefined)
})

test('JSON that is nested without end is passed over', () => {
  const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  assert.equal(read('requestParameters.a', eventWith({ requestParameters: deep })), undefined)
  assert.equal(selects('requestParameters.b: x')(eventWith({ requestParameters: deep })), false)
})

test('a whole column is searched as it stands and with its escapes undone', () => {
  const matches = selects(`requestParameters|contains|all: ['"s3:GetObject"', '"Allow"']`)
  const policy = JSON.stringify({ policyDocument: JSON.stringify({ Effect: 'Allow', Action: 's3:GetObject' }) })
  assert.equal(matches(eventWith({ requestParameters: policy })), true)
  assert.equal(matches(eventWith({ requestParameters: '{"Effect":"Allow","Action":"s3:GetObject"}' })), true)
  assert.equal(matches(eventWith({ requestParameters: '{"Effect":"Allow"}' })), false)
})

test('the text of an event is parsed once however many rules look into it', () => {
  const resolve = cloudTrailFields()
  const a = resolve('requestParameters.a')
  const b = resolve('requestParameters.b')
  assert.ok(!('problem' in a) && !('problem' in b))
  const original = JSON.parse
  let calls = 0
  JSON.parse = (...args: Parameters<typeof original>) => {
    calls++
    return original(...args) as unknown
  }
  try {
    const event = eventWith({ requestParameters: '{"a":1,"b":2}' })
    assert.deepEqual([a.read(event), b.read(event), a.read(event)], [1, 2, 1])
    assert.equal(calls, 1)
  } finally {
    JSON.parse = original
  }
})

test('a field reader gives one text, null where absent or empty', () => {
  const reader = (name: string): ((event: CloudTrailEvent) => string | null) => {
    const access = cloudTrailFields()(name)
    assert.ok(!('problem' in access))
    return fieldReader(access).read
  }
  assert.equal(reader('awsRegion')(eventWith({ awsRegion: '' })), null)
  assert.equal(reader('secrets')(eventWith({ secrets: ['a', 'b', 'a'] })), 'a, b')
  assert.equal(reader('secrets')(eventWith()), null)
  assert.equal(reader('readOnly')(eventWith({ readOnly: false })), 'false')
  assert.equal(reader('requestParameters')(eventWith({ requestParameters: '{"a":"\\"x\\""}' })), '{"a":"\\"x\\""}')
})

test('names that no event can carry are refused with the reason', () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['tlsDetails.tlsVersion: x', /'tlsDetails' is a CloudTrail field that the events topic does not carry/],
    ['resources.ARN: x', /'resources' is a CloudTrail field that the events topic does not carry/],
    ['apiVersion: x', /does not carry/],
    ['userIdentity.onBehalfOf.userId: x', /'userIdentity\.onBehalfOf' is a CloudTrail field/],
    ['sourceIpAddress: x', /6:5: no CloudTrail event has a field 'sourceIpAddress'\. Did you mean 'sourceIPAddress'\?/],
    ['eventname: x', /Did you mean 'eventName'/],
    ['Image: x', /no CloudTrail event has a field 'Image'/],
    ['constructor: x', /no CloudTrail event has a field 'constructor'/],
    ['__proto__: x', /no CloudTrail event has a field '__proto__'/],
    ['requestParameters..a: x', /has an empty step/],
  ]
  for (const [selection, expected] of rows) assert.match(selectionErrors(selection)[0] ?? '', expected)
})
