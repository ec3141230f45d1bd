// jsonLine: one value, one line, nothing in it that a terminal or a line reader obeys.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonLine } from '../../src/json-line.ts'

test('control characters, DEL, C1 and the Unicode line ends are escaped and come back unchanged', () => {
  const hostile = 'a\n\r\t\u0000\u001b[2J\u007f\u0080\u0085\u009b31m\u009f\u2028\u2029"\\'
  const line = jsonLine({ userAgent: hostile })
  assert.equal(
    line,
    '{"userAgent":"a\\n\\r\\t\\u0000\\u001b[2J\\u007f\\u0080\\u0085\\u009b31m\\u009f\\u2028\\u2029\\"\\\\"}',
  )
  assert.deepEqual(JSON.parse(line), { userAgent: hostile })
})

test('text beyond that stays readable', () => {
  assert.equal(jsonLine({ name: 'Zoë 👍 \u00a0\u2027\u202a' }), '{"name":"Zoë 👍 \u00a0\u2027\u202a"}')
})

test('keys are escaped as values are', () => {
  assert.equal(jsonLine({ '\u009b': 1 }), '{"\\u009b":1}')
})

test('whatever the text: one well-formed line without control characters, equal after parsing', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.nat(0xffff).map(code => String.fromCharCode(code)) }), text => {
      const line = jsonLine([text])
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u)
      assert.ok(line.isWellFormed())
      assert.deepEqual(JSON.parse(line), [text])
    }),
  )
})
