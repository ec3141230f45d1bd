// An alert as text: a row as wide as the terminal, the explanation wrapped on a terminal and whole in a pipe.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertText, alertTextHeading } from '../../../src/commands/alert-text.ts'
import { regionAlert } from '../alerts/samples.ts'

const explanation = 'The role Admin of account 111122223333 made 9 matching calls across 5 different regions.'
const alert = regionAlert({ explanation })

test('on a terminal no line is wider than it, and the words are all there', () => {
  for (const columns of [80, 100, 200]) {
    const out = { isTerminal: true, columns }
    const lines = `${alertTextHeading(out)}${alertText(alert, out)}`.split('\n')
    for (const line of lines.filter(one => !one.includes(alert.dedupKey)))
      assert.ok(line.length <= columns, `${line.length} > ${columns}: ${line}`)
    const text = lines
      .slice(2)
      .map(line => line.trim())
      .join(' ')
    assert.ok(text.startsWith(`${explanation} ${alert.dedupKey}`), text)
  }
})

test('in a pipe the explanation is one line, and rule and principal are not cut', () => {
  const out = { isTerminal: false, columns: 80 }
  const [row, second, third, end] = alertText(alert, out).split('\n')
  assert.ok(row?.includes(` ${alert.ruleId} `))
  assert.deepEqual([second, third, end], [`  ${explanation}`, `  ${alert.dedupKey}`, ''])
})

test('who suppressed it stands below, with owner and reason, and no control character', () => {
  const suppressed = { id: 'inventory', owner: 'platform', reason: 'reads\u001b[31m all regions' }
  const text = alertText({ ...alert, suppressed }, { isTerminal: false, columns: 80 })
  assert.match(text, /suppressed by inventory/)
  assert.match(text, /\n {2}Suppressed by inventory \(platform\): reads\ufffd\[31m all regions\n/)
})
