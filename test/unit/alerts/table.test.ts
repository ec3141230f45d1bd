// The alert table: alignment in terminal cells, the width limit, and values that try to be terminal commands.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Alert } from '../../../src/alerts/alert.ts'
import { alertHeading, alertRow, cellWidth } from '../../../src/alerts/table.ts'
import { hostileText, rateAlert, regionAlert } from './samples.ts'

function named(name: string, overrides: Partial<Alert> = {}): Alert {
  return regionAlert({ principal: { key: 'k', kind: 'ROLE', name }, ...overrides })
}

function tableOf(alerts: readonly Alert[], width: number): string {
  return alertHeading(width) + alerts.map(alert => alertRow(alert, width)).join('')
}

test('a table of alerts', () => {
  const suppressed = { id: 'scanner', reason: 'known', owner: 'us' }
  const update = rateAlert({ activity: 'UPDATE', sequence: 2, count: 1234, suppressed })
  assert.equal(
    tableOf([regionAlert(), update], 160),
    [
      'TIME (UTC)           SEVERITY       RULE                            PRINCIPAL                             COUNT  SUMMARY',
      '2026-11-23 00:55:42  informational  secretsmanager-multi-region     Admin                                     9  Secrets read in batches in many regions',
      '2026-11-23 01:12:02  medium         secretsmanager-denied-rate      bob                                   1,234  [update 2, suppressed by scanner] Unusual numb…',
      '',
    ].join('\n'),
  )
})

test('a narrow terminal costs summary, rule and principal, never a second line', () => {
  const alerts = [regionAlert(), rateAlert({ principal: { key: 'k', kind: 'ROLE', name: 'n'.repeat(60) } })]
  for (let width = 75; width <= 200; width++) {
    for (const line of tableOf(alerts, width).trimEnd().split('\n')) assert.ok(cellWidth(line) <= width, line)
    assert.ok(cellWidth(alertRow(alerts[1]!, width).trimEnd()) <= width)
  }
  assert.match(tableOf(alerts, 120), /secretsmanager-multi-reg\S* +Admin {2,}9/)
  assert.match(tableOf(alerts, 100), /Secrets read/)
  assert.doesNotMatch(tableOf(alerts, 80), /SUMMARY|Secrets/)
})

test('wide and combining characters are measured as terminals draw them', () => {
  assert.equal(cellWidth('abc'), 3)
  assert.equal(cellWidth('日本'), 4)
  assert.equal(cellWidth('e\u0301'), 1)
  assert.equal(cellWidth('👍'), 2)
  assert.equal(cellWidth('é…\ufffd'), 3)
  const lines = tableOf([named('日本語'), named('abcdef'), named('e\u0301f')], 200).split('\n')
  const ends = lines.slice(0, 4).map(line => cellWidth(line.slice(0, line.search(/ {2}(SUMMARY|Secrets)/))))
  assert.equal(new Set(ends).size, 1, String(ends))
})

test('long names are cut at the column', () => {
  const line = alertRow(named('x'.repeat(500)), 200)
  assert.match(line, / x{31}… /)
})

test('rows that arrive one by one line up under the heading', () => {
  const at = alertHeading(160).indexOf('SUMMARY')
  for (const alert of [regionAlert(), rateAlert(), named('日本')]) {
    const row = alertRow(alert, 160)
    const title = row.indexOf(alert.ruleTitle)
    assert.equal(cellWidth(row.slice(0, title)), at)
  }
})

test('any values stay on their lines, within the width, and obey nothing', () => {
  const value = hostileText(30)
  fc.assert(
    fc.property(value, value, fc.integer({ min: 0, max: 300 }), (name, ruleTitle, width) => {
      const table = tableOf([named(name, { ruleTitle, ruleId: name }), rateAlert()], width)
      const lines = table.split('\n')
      assert.equal(lines.length, 4)
      for (const line of lines) {
        assert.doesNotMatch(line, /\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
        assert.ok(cellWidth(line) <= Math.max(width, 75), line)
      }
    }),
    { numRuns: 300 },
  )
})
