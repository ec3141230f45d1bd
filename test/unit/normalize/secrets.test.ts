import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secretsOf } from '../../../src/normalize/secrets.ts'

const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:'

function secrets(requestParameters: unknown, eventName = 'GetSecretValue'): readonly string[] {
  return secretsOf('secretsmanager.amazonaws.com', eventName, requestParameters, '111122223333', 'eu-west-1')
}

test('name, full ARN and ARN without the random suffix of one secret are one value', () => {
  for (const secretId of ['prod/db', `${arn}prod/db-AbC123`, `${arn}prod/db`]) {
    assert.deepEqual(secrets({ secretId }), ['111122223333:eu-west-1:prod/db'], secretId)
  }
})

test('an ARN has its own account and region, in every partition', () => {
  assert.deepEqual(secrets({ secretId: 'arn:aws-cn:secretsmanager:cn-north-1:444455556666:secret:a-000000' }), [
    '444455556666:cn-north-1:a',
  ])
})

test('only the last suffix of an ARN is cut, and none of a name', () => {
  assert.deepEqual(secrets({ secretId: `${arn}db-backup-AbC123` }), ['111122223333:eu-west-1:db-backup'])
  assert.deepEqual(secrets({ secretId: 'db-backup' }), ['111122223333:eu-west-1:db-backup'])
  // AWS's own ambiguity: without the suffix this is read as the secret `db`.
  assert.deepEqual(secrets({ secretId: `${arn}db-backup` }), ['111122223333:eu-west-1:db'])
  assert.deepEqual(secrets({ secretId: `${arn}-AbC123` }), ['111122223333:eu-west-1:-AbC123'])
})

test('an ARN of another service is a name', () => {
  const other = 'arn:aws:ssm:eu-west-1:111122223333:parameter/a'
  assert.deepEqual(secrets({ secretId: other }), [`111122223333:eu-west-1:${other}`])
})

test('the members of a batch are distinct and at most twenty', () => {
  assert.deepEqual(secrets({ secretIdList: ['a', `${arn}a-AbC123`, 'b', '', null, { c: 1 }] }), [
    '111122223333:eu-west-1:a',
    '111122223333:eu-west-1:b',
  ])
  const many = Array.from({ length: 100_000 }, (_, i) => `s${i}`)
  assert.equal(secrets({ secretIdList: many }).length, 20)
})

test('arn and aRN count, and name only of CreateSecret', () => {
  assert.deepEqual(secrets({ aRN: `${arn}a-AbC123` }), ['111122223333:eu-west-1:a'])
  assert.deepEqual(secrets({ arn: `${arn}a-AbC123` }), ['111122223333:eu-west-1:a'])
  assert.deepEqual(secrets({ name: 'a' }, 'CreateSecret'), ['111122223333:eu-west-1:a'])
  assert.deepEqual(secrets({ name: 'a' }, 'ListSecrets'), [])
})

test('request parameters may be JSON text', () => {
  assert.deepEqual(secrets('{"secretId":"a"}'), ['111122223333:eu-west-1:a'])
  assert.deepEqual(secrets('{"secretId"=>"a"}'), [])
})

test('other services name no secrets', () => {
  assert.deepEqual(secretsOf('ssm.amazonaws.com', 'GetParameter', { secretId: 'a' }, '1', 'r'), [])
})

test('a made-up id of any length gives a value of bounded length that stays distinct', () => {
  const long = secrets({ secretIdList: ['x'.repeat(100_000), `${'x'.repeat(100_000)}y`] })
  assert.equal(long.length, 2)
  assert.notEqual(long[0], long[1])
  assert.ok(long.every(secret => secret.length === 640))
})

test('parameters of the wrong shape name no secrets', () => {
  for (const shape of [null, undefined, 1, 'x', [], { secretId: {} }, { secretIdList: 'a' }, { secretIdList: {} }]) {
    assert.deepEqual(secrets(shape), [])
  }
})
