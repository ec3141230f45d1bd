import assert from 'node:assert/strict'
import { test } from 'node:test'
import { issuedId, sessionNameOf, sourceIdentityOf, userIdentityOf } from '../../../src/normalize/user-identity.ts'

test('the session name follows the first colon of principalId', () => {
  assert.equal(sessionNameOf({ type: 'AssumedRole', principalId: 'AROAX:a:b' }), 'a:b')
  assert.equal(sessionNameOf({ type: 'FederatedUser', principalId: '111122223333:alice' }), 'alice')
})

test('else it is the last part of the ARN of the assumed role', () => {
  const arn = 'arn:aws:sts::111122223333:assumed-role/reader/alice@example.com'
  assert.equal(sessionNameOf({ type: 'AssumedRole', principalId: 'AROAX', arn }), 'alice@example.com')
  assert.equal(sessionNameOf({ type: 'Role', arn }), 'alice@example.com')
  assert.equal(sessionNameOf({ type: 'Role', arn: 'arn:aws:iam::111122223333:role/reader' }), null)
})

test('users, SAML users and services have none, whatever their principalId', () => {
  for (const type of ['IAMUser', 'SAMLUser', 'WebIdentityUser', 'AWSService', undefined, 3]) {
    assert.equal(sessionNameOf({ type, principalId: 'a:b' }), null)
  }
})

test('the issued id is principalId without the session name', () => {
  assert.deepEqual(['AROAX:s', 'AIDAX', ':s', '', 'AROAX:', {}, 12].map(issuedId), [
    'AROAX',
    'AIDAX',
    null,
    null,
    'AROAX',
    null,
    '12',
  ])
})

test('sourceIdentity is read from sessionContext first', () => {
  assert.equal(sourceIdentityOf({ sessionContext: { sourceIdentity: 'a' }, sourceIdentity: 'b' }), 'a')
  assert.equal(sourceIdentityOf({ sessionContext: { sourceIdentity: '' }, sourceIdentity: 'b' }), 'b')
  assert.equal(sourceIdentityOf({}), null)
})

test('an empty session issuer, as on console sessions of users, is none', () => {
  assert.equal(userIdentityOf({ sessionContext: { sessionIssuer: {} } }).sessionIssuer, null)
  assert.deepEqual(userIdentityOf({ sessionContext: { sessionIssuer: { userName: 'a' } } }).sessionIssuer, {
    type: null,
    principalId: null,
    arn: null,
    accountId: null,
    userName: 'a',
  })
})

test('the creation date is read in both ISO forms, and is null otherwise', () => {
  const created = (creationDate: unknown) => userIdentityOf({ sessionContext: { attributes: { creationDate } } })
  const at = Date.UTC(2026, 2, 1, 8)
  assert.deepEqual(
    ['2026-03-01T08:00:00Z', '20260301T080000Z', 'yesterday', at, null].map(date => created(date).sessionCreated),
    [at, at, null, null, null],
  )
})

test('multi-factor authentication is read from text and from booleans', () => {
  const mfa = (mfaAuthenticated: unknown) =>
    userIdentityOf({ sessionContext: { attributes: { mfaAuthenticated } } }).mfaAuthenticated
  assert.deepEqual(['true', 'false', true, false, 'maybe', undefined].map(mfa), [true, false, true, false, null, null])
})

test('anything but an object is an identity of which nothing is known', () => {
  for (const value of [null, undefined, 'x', 3, [], [{ type: 'Root' }]]) {
    assert.ok(Object.values(userIdentityOf(value)).every(field => field === null))
  }
  assert.deepEqual(Object.keys(userIdentityOf(null)), Object.keys(userIdentityOf({})))
})
