// Folding and patterns against plain definitions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePattern, fold, literalOf, one, parsePattern, star } from '../../../src/rules/text.ts'

test('folding keeps the length of every code point, so that parts of a text fold to parts of the folded text', () => {
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue
    const char = String.fromCodePoint(point)
    const folded = fold(char)
    if (folded.length !== char.length) assert.fail(`U+${point.toString(16)} folds to ${folded.length} units`)
    if (fold(folded) !== folded) assert.fail(`U+${point.toString(16)} folds twice`)
  }
  assert.equal(fold('ΟΔΟΣ'), fold('ΟΔΟ') + fold('Σ'), 'no final sigma')
  assert.equal(fold('\ud800A'), '\ud800a', 'a lone surrogate stays')
})

test('patterns are read into literals and wildcards', () => {
  assert.deepEqual(parsePattern('a*b?c'), ['a', star, 'b', one, 'c'])
  assert.deepEqual(parsePattern('a***'), ['a', star])
  assert.deepEqual(parsePattern('\\*\\?\\\\\\x'), ['*?\\\\x'])
  assert.equal(literalOf(parsePattern('')), '')
  assert.equal(literalOf(parsePattern('*')), null)
})

test('many stars cost the product of the lengths at most', () => {
  const test = compilePattern(parsePattern(`${'a*'.repeat(40)}b`), 'whole', true)
  const started = performance.now()
  assert.equal(test('a'.repeat(100_000)), false)
  assert.equal(test(`${'a'.repeat(100_000)}b`), true)
  assert.ok(performance.now() - started < 10_000)
})
