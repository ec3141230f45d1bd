// wording: numbers, durations, lists and neutralised values as people read them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  counted,
  duration,
  inSentence,
  measure,
  plainText,
  probability,
  shortList,
  utc,
  wholeNumber,
} from '../../../src/alerts/wording.ts'

test('durations have at most two units', () => {
  const table: [number, string][] = [
    [-5, '0 s'],
    [0, '0 s'],
    [NaN, '0 s'],
    [7, '7 ms'],
    [1000, '1 s'],
    [1999, '1 s'],
    [220_000, '3 min 40 s'],
    [600_000, '10 min'],
    [3_600_000, '1 h'],
    [3_601_000, '1 h'],
    [86_400_000, '1 d'],
    [86_400_000 + 7_200_000 + 59_000, '1 d 2 h'],
    [30 * 86_400_000, '30 d'],
  ]
  for (const [ms, text] of table) assert.equal(duration(ms), text, String(ms))
})

test('numbers', () => {
  assert.equal(wholeNumber(0), '0')
  assert.equal(wholeNumber(999), '999')
  assert.equal(wholeNumber(1_234_567), '1,234,567')
  assert.equal(measure(0.0312), '0.031')
  assert.equal(measure(4.56), '4.6')
  assert.equal(measure(1234.5), '1,235')
  assert.equal(measure(3.2e-9), '3e-9')
  assert.equal(measure(0), '0')
  assert.equal(measure(NaN), 'unknown')
  assert.equal(probability(2.1e-14), '2e-14')
  assert.equal(probability(0.00031), '0.00031')
  assert.equal(probability(0), 'less than 1e-300')
})

test('singular and plural', () => {
  assert.equal(counted(1, 'region'), '1 region')
  assert.equal(counted(0, 'region'), '0 regions')
  assert.equal(counted(1200, 'secret', 'different secrets'), '1,200 different secrets')
})

test('lists are joined, shortened, and never end in "1 more" when the value is at hand', () => {
  assert.equal(shortList([]), '')
  assert.equal(shortList(['a']), 'a')
  assert.equal(shortList(['a', 'b']), 'a and b')
  assert.equal(shortList(['a', 'b', 'c', 'd', 'e', 'f']), 'a, b, c, d, e and f')
  assert.equal(shortList(['a', 'b', 'c', 'd', 'e', 'f', 'g']), 'a, b, c, d, e and 2 more')
  assert.equal(shortList(['a', 'b'], 14), 'a, b and 12 more')
  assert.equal(shortList(['a'], 2), 'a and 1 more')
})

test('values are shown, never obeyed', () => {
  assert.equal(plainText('a\u001b[31mb'), 'a\ufffd[31mb')
  assert.equal(plainText('a\r\n\tb'), 'a b')
  assert.equal(
    plainText('\u009b0m \u202e \u2066 \u200b \ufeff \u{e0041}'),
    '\ufffd0m \ufffd \ufffd \ufffd \ufffd \ufffd',
  )
  assert.equal(plainText('\ud800'), '\ufffd')
  assert.equal(plainText('abcdef', 4), 'abc…')
  assert.equal(plainText('日本 é 👍'), '日本 é 👍')
})

test('one word stands bare, everything else is quoted', () => {
  assert.equal(inSentence('arn:aws:iam::111122223333:role/Admin'), 'arn:aws:iam::111122223333:role/Admin')
  assert.equal(inSentence('a b'), '"a b"')
  assert.equal(inSentence('say "x"'), `"say 'x'"`)
  assert.equal(inSentence(''), '(empty)')
  assert.equal(inSentence('x'.repeat(100)).length, 82)
})

test('times are UTC to the second', () => {
  assert.equal(utc(Date.UTC(2026, 10, 23, 0, 55, 42, 999)), '2026-11-23 00:55:42 UTC')
})
