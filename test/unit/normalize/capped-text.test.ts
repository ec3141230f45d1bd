import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { capped } from '../../../src/normalize/capped-text.ts'

test('a text up to the limit is left alone', () => {
  assert.equal(capped('a'.repeat(100), 100), 'a'.repeat(100))
  assert.equal(capped('', 100), '')
})

test('a longer text has exactly the limit and ends in the hash of the whole', () => {
  const long = 'a'.repeat(101)
  const hash = createHash('sha256').update(long).digest('hex')
  assert.equal(capped(long, 100), `${'a'.repeat(35)}#${hash}`)
})

test('two long texts with one beginning stay apart', () => {
  assert.notEqual(capped(`${'a'.repeat(1000)}1`, 100), capped(`${'a'.repeat(1000)}2`, 100))
})

test('a character that the cut would halve becomes U+FFFD, so the result is well-formed', () => {
  const cut = capped('a'.repeat(34) + '😀'.repeat(50), 100)
  assert.ok(cut.isWellFormed())
  assert.equal(cut.length, 100)
})
