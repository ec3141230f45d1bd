import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId, filled, flag, jsonText, objectOf, parametersOf, text } from '../../../src/normalize/cloudtrail.ts'

test('text takes strings, numbers and booleans, and nothing else', () => {
  assert.deepEqual(['a', '', 1.5, true, null, undefined, {}, []].map(text), [
    'a',
    '',
    '1.5',
    'true',
    null,
    null,
    null,
    null,
  ])
})

test('a lone surrogate is the character that its UTF-8 encoding would make of it', () => {
  const lone = text('a\ud800b\udc00')
  assert.equal(lone, 'a\ufffdb\ufffd')
  assert.equal(Buffer.from('a\ud800b\udc00').toString(), lone)
  assert.equal(text('😀'), '😀')
})

test('filled takes the empty string as absent', () => {
  assert.deepEqual(['', 'a', 0, null].map(filled), [null, 'a', '0', null])
})

test('flag takes booleans and their text, and nothing that is merely truthy', () => {
  assert.deepEqual([true, false, 'true', 'false', 'True', 1, '', null].map(flag), [
    true,
    false,
    true,
    false,
    null,
    null,
    null,
    null,
  ])
})

test('an account that became a number has its leading zeros back', () => {
  assert.deepEqual(['012345678901', 12345678901, 111122223333, 1.5, null].map(accountId), [
    '012345678901',
    '012345678901',
    '111122223333',
    '1.5',
    null,
  ])
})

test('objectOf is null for arrays and scalars', () => {
  assert.deepEqual([{ a: 1 }, [], 'a', null, undefined].map(objectOf), [{ a: 1 }, null, null, null, null])
})

test('request parameters are written as JSON, or kept where a shipper has written them already', () => {
  const cases: [unknown, string | null][] = [
    [null, null],
    [undefined, null],
    ['', null],
    ['null', null],
    [{ a: [1, null] }, '{"a":[1,null]}'],
    ['{"a": 1}', '{"a": 1}'],
    [' [1]', ' [1]'],
    // Not JSON (Ruby's inspect, as old Logstash wrote it): kept as a JSON string, so that the field always is JSON.
    ['{"a"=>1}', '"{\\"a\\"=>1}"'],
    ['{a=1}', '"{a=1}"'],
    ['plain', '"plain"'],
    ['12', '"12"'],
    [12, '12'],
    [false, 'false'],
    [{ a: '\ud800' }, '{"a":"\\ud800"}'],
  ]
  for (const [value, expected] of cases) assert.equal(jsonText(value), expected)
})

test('a key called __proto__ is a key like any other', () => {
  const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}')
  assert.equal(jsonText(value), '{"__proto__":{"polluted":true},"constructor":{"prototype":1}}')
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('parameters are found in an object and in its JSON text', () => {
  assert.deepEqual(parametersOf({ a: 1 }), { a: 1 })
  assert.deepEqual(parametersOf('{"a":1}'), { a: 1 })
  for (const none of ['[1]', '{"a":', 'a', '', null, 3, [1]]) assert.equal(parametersOf(none), null)
})
