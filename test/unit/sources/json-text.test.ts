import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  concatenatedObjects,
  holdsMoreValuesThan,
  linesOf,
  looksLikeJsonLines,
  parseJson,
  startsPrettyPrinted,
} from '../../../src/sources/json-text.ts'

test('parseJson gives undefined for what is not JSON, and every JSON value otherwise', () => {
  assert.equal(parseJson('{'), undefined)
  assert.equal(parseJson(''), undefined)
  assert.equal(parseJson('null'), null)
  assert.deepEqual(parseJson('{"a":[1]}'), { a: [1] })
})

test('lines are trimmed and blank ones left out', () => {
  assert.deepEqual([...linesOf('a\r\n\n \t\nb\n\nc')], ['a', 'b', 'c'])
  assert.deepEqual([...linesOf('')], [])
  assert.deepEqual([...linesOf('\n')], [])
})

test('one whole object on a line of its own makes JSON lines', () => {
  assert.ok(looksLikeJsonLines('garbage\n{"event":1}\n'))
  assert.ok(!looksLikeJsonLines('{\n "a": [\n  {}\n ]'))
  assert.ok(!looksLikeJsonLines('{"event":\n1}'))
  assert.ok(!looksLikeJsonLines('[1,2,3,4,5,6]\n[1,2,3,4,5,6]'))
})

test('a text of many lines that only look like objects is given up early', () => {
  assert.ok(!looksLikeJsonLines(`${'{bad line}\n'.repeat(64)}{"event":1}`))
  assert.ok(looksLikeJsonLines(`${'{bad line}\n'.repeat(63)}{"event":1}`))
})

test('concatenated objects are cut at their braces, not at those in strings', () => {
  const pieces = ['{"a":"}{"}', '{"b":"\\"}"}', '{"c":{"d":"\\\\"}}']
  assert.deepEqual([...concatenatedObjects(pieces.join(''))], pieces)
  assert.deepEqual([...concatenatedObjects(pieces.join(' \n'))], pieces)
})

test('what follows the last whole object comes as it stands', () => {
  assert.deepEqual([...concatenatedObjects('{"a":1}{"b":')], ['{"a":1}', '{"b":'])
  assert.deepEqual([...concatenatedObjects('{"a":1} tail')], ['{"a":1}', 'tail'])
})

test('a text that does not start with a whole object has no pieces', () => {
  for (const text of ['', ' ', 'x{"a":1}', '{"a":', '[{"a":1}]']) assert.deepEqual([...concatenatedObjects(text)], [])
})

test('a first object over several lines is pretty-printed', () => {
  assert.ok(startsPrettyPrinted('{\n"a":1\n}\n{\n"b":2\n}'))
  assert.ok(!startsPrettyPrinted('{"a":1}\n{"b":2}'))
  assert.ok(!startsPrettyPrinted('{\n"a":1'))
  assert.ok(!startsPrettyPrinted('{\na:1\n}'))
})

test('values are counted where they can start, never too few', () => {
  assert.ok(!holdsMoreValuesThan('[1,2,3]', 3))
  assert.ok(holdsMoreValuesThan('[[],[],[]]', 5))
  assert.ok(!holdsMoreValuesThan('x'.repeat(100), 3))
})
