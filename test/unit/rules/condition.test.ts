// Sigma's condition language: precedence, quantifiers, lists, and refusals at their exact column.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventWith } from './events.ts'
import { detection, errorsOf, load } from './loading.ts'

// Four identifiers that are true when the user agent holds their letter.
const letters = `
sel_a:
  userAgent|contains: a
sel_b:
  userAgent|contains: b
other_c:
  userAgent|contains: c
_hidden:
  userAgent|contains: d`

function holds(condition: string): (userAgent: string) => boolean {
  const { rules } = load(detection(`${letters}\ncondition: ${condition}`))
  return userAgent => rules.match(eventWith({ userAgent })).length > 0
}

test('conditions mean what the specification says, on every combination of four identifiers', () => {
  const table: readonly (readonly [string, (a: boolean, b: boolean, c: boolean, d: boolean) => boolean])[] = [
    ['sel_a', a => a],
    ['sel_a and sel_b', (a, b) => a && b],
    ['sel_a or sel_b', (a, b) => a || b],
    ['not sel_a', a => !a],
    ['not not sel_a', a => a],
    ['sel_a or sel_b and other_c', (a, b, c) => a || (b && c)],
    ['sel_a and sel_b or other_c', (a, b, c) => (a && b) || c],
    ['(sel_a or sel_b) and other_c', (a, b, c) => (a || b) && c],
    ['not sel_a and sel_b', (a, b) => !a && b],
    ['not (sel_a and sel_b)', (a, b) => !(a && b)],
    ['sel_a and not sel_b or other_c', (a, b, c) => (a && !b) || c],
    ['1 of sel_*', (a, b) => a || b],
    ['any of sel_*', (a, b) => a || b],
    ['all of sel_*', (a, b) => a && b],
    ['1 of *_*', (a, b, c, d) => a || b || c || d],
    ['all of *_c', (_a, _b, c) => c],
    ['1 of them', (a, b, c) => a || b || c],
    ['all of them', (a, b, c) => a && b && c],
    ['not 1 of sel_*', (a, b) => !(a || b)],
    ['other_c and not 1 of sel_* or _hidden', (a, b, c, d) => (c && !(a || b)) || d],
    ['1 of sel_a', a => a],
    ['SEL_A'.toLowerCase() + ' AND sel_b', (a, b) => a && b],
    ['((((sel_a))))', a => a],
    ['[sel_a, sel_b and other_c]', (a, b, c) => a || (b && c)],
    ['sel_a and sel_b and other_c and _hidden', (a, b, c, d) => a && b && c && d],
    ['sel_a or sel_b or other_c or _hidden', (a, b, c, d) => a || b || c || d],
  ]
  for (const [condition, expected] of table) {
    const matches = holds(condition)
    for (let bits = 0; bits < 16; bits++) {
      const [a, b, c, d] = [1, 2, 4, 8].map(bit => (bits & bit) !== 0) as [boolean, boolean, boolean, boolean]
      const text = `${a ? 'a' : ''}${b ? 'b' : ''}${c ? 'c' : ''}${d ? 'd' : ''}`
      assert.equal(matches(text), expected(a, b, c, d), `${condition}  on  '${text}'`)
    }
  }
})

test('refusals stand at the word that is wrong', () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['sel_x', /:13:14: the rule has no search identifier 'sel_x'\. Did you mean 'sel_a'\?/],
    ['sel_a and selb', /:13:24: .*'selb'\. Did you mean 'sel_b'/],
    ['sel_a and', /:13:23: the condition ends too early/],
    ['and sel_a', /:13:14: 'and' stands where a search identifier is expected/],
    ['sel_a sel_b', /:13:20: 'sel_b' is not expected here\. Join with 'and' or 'or'/],
    ['(sel_a', /:13:20: a '\(' is not closed/],
    ['sel_a)', /:13:19: '\)' is not expected here/],
    ['2 of sel_*', /:13:14: '2 of' is not part of Sigma\. Write '1 of' or 'all of'/],
    ['1 of filter*', /:13:19: no search identifier matches 'filter\*'/],
    ['1 of', /:13:18: 'of' names nothing/],
    [
      'sel_a | count() by userIdentity.arn > 20',
      /:13:20: aggregations after '\|' were removed from Sigma\. Write a correlation rule/,
    ],
    ['sel_a and not', /:13:27: the condition ends too early/],
    ["'sel_a and selb'", /:13:25: .*'selb'/],
    ['>-\n    sel_a and\n    selb', /:13:14: .*'selb'/],
  ]
  for (const [condition, expected] of rows) {
    const errors = errorsOf(detection(`${letters}\ncondition: ${condition}`))
    assert.equal(errors.length, 1, errors.join('\n'))
    assert.match(errors[0] ?? '', expected)
  }
})

test('a condition cannot nest without end', () => {
  const deep = `${'('.repeat(500)}sel_a${')'.repeat(500)}`
  assert.match(errorsOf(detection(`${letters}\ncondition: '${deep}'`))[0] ?? '', /nested too deeply/)
})

test('a search identifier that is wrong is one message, not two', () => {
  const errors = errorsOf(detection('selection:\n  userAgentt: x\ncondition: selection'))
  assert.deepEqual(errors, ["rule.yml:6:5: no CloudTrail event has a field 'userAgentt'. Did you mean 'userAgent'?"])
})
