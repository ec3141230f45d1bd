import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountSegment, displayName, keyOf, nameSegment, segment } from '../../../src/normalize/principal-key.ts'

test('what AWS and people usually write stands for itself', () => {
  for (const value of ['AROAEXAMPLE', 'alice@example.com', 'a.b_c-d+e=f,g', 'arn:aws:iam::111122223333:root']) {
    assert.equal(segment(value), value)
  }
})

test('separators, escapes, marks, spaces and anything beyond ASCII are percent-encoded', () => {
  const cases: [string, string][] = [
    ['a/b', 'a%2Fb'],
    ['100%', '100%25'],
    ['~a#', '%7Ea%23'],
    ['AWS Internal', 'AWS%20Internal'],
    ['a\u0000\n\u007f', 'a%00%0A%7F'],
    ['é', '%C3%A9'],
    ['😀', '%F0%9F%98%80'],
    ['a\u202eb', 'a%E2%80%AEb'],
    ['\ud800', '%EF%BF%BD'],
  ]
  for (const [value, expected] of cases) assert.equal(segment(value), expected)
})

test('an absent value is a mark that no value can spell', () => {
  assert.equal(segment(null), '~')
  assert.equal(segment(''), '~')
  assert.notEqual(segment('~'), '~')
})

test('an account that is not a number cannot read like a reserved word', () => {
  assert.equal(accountSegment('111122223333'), '111122223333')
  assert.equal(accountSegment(null), 'unknown')
  assert.equal(accountSegment(''), 'unknown')
  for (const word of ['sso', 'service', 'source-identity', 'unknown', 'ANONYMOUS_PRINCIPAL']) {
    assert.equal(accountSegment(word), `~${word}`)
  }
})

test('a name that looks like a unique id is marked', () => {
  assert.equal(nameSegment('AIDAEXAMPLE'), '~AIDAEXAMPLE')
  assert.equal(nameSegment('alice'), 'alice')
})

test('a key has at most 512 characters, and long ones stay apart', () => {
  const long = keyOf('source-identity', 'a'.repeat(600))
  assert.equal(long.length, 512)
  assert.match(long, /^source-identity\/a+#[0-9a-f]{64}$/)
  assert.notEqual(long, keyOf('source-identity', 'a'.repeat(601)))
  assert.equal(keyOf('sso', 'a'), 'sso/a')
})

test('a display name cannot rewrite the line it is printed on', () => {
  assert.equal(displayName('a\u001b[2Jb\u202ec\r\n'), 'a\ufffd[2Jb\ufffdc\ufffd\ufffd')
  assert.equal(displayName('Zoë 😀'), 'Zoë 😀')
  assert.equal(displayName('x'.repeat(1000)).length, 256)
})
