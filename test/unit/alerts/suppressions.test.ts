// loadSuppressions and suppressor: format errors with their place, event-time expiry, and that nobody can buy silence.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Alert } from '../../../src/alerts/alert.ts'
import { loadSuppressions, suppressor } from '../../../src/alerts/suppressions.ts'
import { rateAlert, regionAlert } from './samples.ts'

const today = Date.UTC(2026, 10, 23)

const entry = `suppressions:
  - id: scanner
    rules: [secretsmanager-multi-region]
    match:
      principal.name: Admin
      sourceIPs|cidr: 198.51.100.0/24
    reason: the monthly inventory
    owner: platform team
    expires: 2027-01-31
`

function load(text: string, ruleIds?: string[]) {
  return loadSuppressions(text, 's.yaml', today, ruleIds)
}
function loaded(text: string) {
  const result = load(text)
  assert.ok('suppressions' in result, JSON.stringify(result))
  return result
}
function errors(text: string, ruleIds?: string[]): string[] {
  const result = load(text, ruleIds)
  assert.ok('errors' in result, 'expected errors')
  return result.errors.map(e => `${e.line}:${e.column} ${e.message}. ${e.hint}`)
}
function suppressedBy(text: string, alert: Alert): string | null {
  return suppressor(loaded(text).suppressions)(alert).suppressed?.id ?? null
}
function matching(match: string, alert: Alert): boolean {
  return (
    suppressedBy(
      entry.replace(/match:\n(.*\n){2}/, `match:\n      ${match}\n`).replace('[secretsmanager-multi-region]', "'*'"),
      alert,
    ) !== null
  )
}

test('a matching alert is marked with id, reason and owner, and is otherwise unchanged', () => {
  const alert = regionAlert()
  const marked = suppressor(loaded(entry).suppressions)(alert)
  assert.deepEqual(marked, {
    ...alert,
    suppressed: { id: 'scanner', reason: 'the monthly inventory', owner: 'platform team' },
  })
  assert.equal(alert.suppressed, null)
})

test('another rule, another name, another address: not suppressed, and the same object', () => {
  const suppress = suppressor(loaded(entry).suppressions)
  for (const alert of [
    regionAlert({ ruleId: 'other' }),
    regionAlert({ principal: { ...regionAlert().principal, name: 'Admin2' } }),
    regionAlert({ sourceIPs: ['203.0.113.1'] }),
  ]) {
    assert.equal(suppress(alert), alert)
  }
})

test('one known address among others does not silence the alert', () => {
  const totals = { ...regionAlert().totals, sourceIPs: 2 }
  assert.equal(suppressedBy(entry, regionAlert({ sourceIPs: ['198.51.100.7', '198.51.100.8'], totals })), 'scanner')
  assert.equal(suppressedBy(entry, regionAlert({ sourceIPs: ['198.51.100.7', '203.0.113.1'], totals })), null)
  assert.equal(suppressedBy(entry, regionAlert({ sourceIPs: ['203.0.113.1', '198.51.100.7'], totals })), null)
})

test('values hidden by a cap may be anything: not suppressed', () => {
  const totals = { ...regionAlert().totals, sourceIPs: 33 }
  assert.equal(suppressedBy(entry, regionAlert({ totals })), null)
})

test('no value is not a match', () => {
  const totals = { ...regionAlert().totals, sourceIPs: 0 }
  assert.equal(suppressedBy(entry, regionAlert({ sourceIPs: [], totals })), null)
  assert.equal(matching('secrets: null', regionAlert()), true)
  assert.equal(matching('secrets: null', rateAlert()), false)
})

test('selections over every kind of fact', () => {
  const table: [string, boolean][] = [
    ['principal.kind: ROLE', true],
    ['principal.kind: role', true],
    ['principal.kind: SERVICE', false],
    ['principal.key|startswith: 111122223333/role/', true],
    ['accounts: 111122223333', true],
    ['accounts: [111122223333, 444455556666]', true],
    ['accounts: 444455556666', false],
    ['regions|startswith: us-', false],
    ["regions: '*-*-?'", true],
    ['userAgents|contains: aws-cli', true],
    ['sessionNames: [alice, aws-go-sdk-*]', true],
    ['sessionNames: alice', false],
    ['severity: informational', true],
    ['count|lt: 10', true],
    ['count|lt: 9', false],
    ['group.eventName: x', false],
  ]
  for (const [match, expected] of table) assert.equal(matching(match, regionAlert()), expected, match)
  assert.equal(matching('group.eventName: X', regionAlert({ group: [{ field: 'eventName', value: 'x' }] })), true)
})

test('a list of maps is an alternative', () => {
  const either = entry.replace(
    /match:\n(.*\n){2}/,
    'match:\n      - principal.name: Other\n      - principal.kind: ROLE\n',
  )
  assert.equal(suppressedBy(either, regionAlert()), 'scanner')
})

test('too many combinations are not tried', () => {
  const many = Array.from({ length: 30 }, (_, i) => `v${i}`)
  const totals = { ...regionAlert().totals, sourceIPs: 30, userAgents: 30, sessionNames: 30 }
  const alert = regionAlert({ sourceIPs: many, userAgents: many, sessionNames: many, totals })
  assert.equal(matching("sourceIPs: 'v*'\n      userAgents: 'v*'", alert), true)
  assert.equal(matching("sourceIPs: 'v*'\n      userAgents: 'v*'\n      sessionNames: 'v*'", alert), false)
})

test('an entry is in force until its date by the time of the alert, whatever day it is', () => {
  const expires = Date.UTC(2027, 0, 31)
  assert.equal(suppressedBy(entry, regionAlert({ lastSeen: expires - 1 })), 'scanner')
  assert.equal(suppressedBy(entry, regionAlert({ lastSeen: expires })), null)
  const later = loadSuppressions(entry, 's.yaml', Date.UTC(2030, 0, 1))
  assert.ok('suppressions' in later)
  assert.equal(suppressor(later.suppressions)(regionAlert({ lastSeen: expires - 1 })).suppressed?.id, 'scanner')
})

test('expired entries are reported from their date on', () => {
  const expired = (day: number): string[] => {
    const result = loadSuppressions(entry, 's.yaml', day)
    assert.ok('expired' in result)
    return result.expired.map(e => `${e.id} ${e.origin}`)
  }
  assert.deepEqual(expired(Date.UTC(2027, 0, 31) - 1), [])
  assert.deepEqual(expired(Date.UTC(2027, 0, 31)), ['scanner s.yaml:2'])
})

test('the first entry in file order is the one that is named', () => {
  const second = entry.replace('suppressions:\n', '').replace('id: scanner', 'id: second')
  assert.equal(suppressedBy(entry + second, regionAlert()), 'scanner')
})

test('nothing to suppress is fine', () => {
  for (const text of ['suppressions: []', 'suppressions:', '# nothing']) assert.deepEqual(loaded(text).suppressions, [])
})

test('errors name line and column and what to write', () => {
  const table: [string, string, string[]][] = [
    [
      'expires: 2027-01-31',
      'expires: 2027-02-30',
      ["9:14 '2027-02-30' is not a date. Write the year, month and day: 2027-11-30"],
    ],
    [
      'expires: 2027-01-31',
      'expires: never',
      ["9:14 'never' is not a date. Write the year, month and day: 2027-11-30"],
    ],
    ['    expires: 2027-01-31\n', '', ["2:5 the suppression has no 'expires'. Add 'expires: …'"]],
    ['    owner: platform team\n', '', ["2:5 the suppression has no 'owner'. Add 'owner: …'"]],
    ['reason: the monthly inventory', "reason: ''", ["7:13 'reason' is empty. Write a text, or remove the key"]],
    [
      'reason:',
      'reasons:',
      [
        "2:5 the suppression has no 'reason'. Add 'reason: …'",
        "7:5 unknown key 'reasons' in the suppression. Did you mean 'reason'",
      ],
    ],
    [
      'principal.name: Admin',
      'principle.name: Admin',
      ["5:7 an alert has no field 'principle.name' to select by. Did you mean 'principal.name'"],
    ],
    [
      'rules: [secretsmanager-multi-region]',
      "rules: ['*', x]",
      ["3:13 '*' stands among rule ids. Write '*' alone or only ids"],
    ],
    [
      'rules: [secretsmanager-multi-region]',
      'rules: []',
      ["3:12 'rules' names no rule. Write '*' or a list of rule ids"],
    ],
    [
      'suppressions:',
      'supressions:',
      [
        "1:1 the file has no 'suppressions'. Write 'suppressions:' and a list of entries, or 'suppressions: []'",
        "1:1 unknown key 'supressions' in the file. Did you mean 'suppressions'",
      ],
    ],
  ]
  for (const [from, to, expected] of table)
    assert.deepEqual(errors(entry.replace(from, to)).sort(), expected.sort(), to)
  assert.deepEqual(errors(entry.replace(/match:\n(.*\n){2}/, 'match: {}\n')).length, 1)
  assert.match(errors(entry.replace(/match:\n(.*\n){2}/, 'match: [Admin]\n'))[0]!, /keywords search the whole alert/)
  assert.match(errors(entry + entry.replace('suppressions:\n', ''))[0]!, /^10:5 two suppressions have the id 'scanner'/)
  assert.match(errors('suppressions: {a: 1}')[0]!, /'suppressions' is not a list/)
  assert.match(errors('suppressions: [1]')[0]!, /an entry is a map/)
})

test('a rule that does not exist is an error where the rules are known', () => {
  assert.deepEqual(errors(entry, ['secretsmanager-multi-regions']), [
    "3:13 there is no rule 'secretsmanager-multi-region'. Did you mean 'secretsmanager-multi-regions'",
  ])
  assert.ok('suppressions' in load(entry, ['secretsmanager-multi-region']))
})

test('no text makes the loader throw', () => {
  const word = fc.constantFrom(
    'suppressions',
    'id',
    'rules',
    'match',
    'expires',
    ': ',
    '- ',
    '\n',
    '  ',
    '*',
    '[',
    '{',
    '&a',
    'x',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map(words => words.join('')),
      ),
      text => {
        const result = load(text)
        assert.ok('errors' in result ? result.errors.length > 0 : Array.isArray(result.suppressions))
      },
    ),
    { numRuns: 300 },
  )
})

test('the shipped file suppresses AWS service principals, and nothing else, for about a year', () => {
  const text = readFileSync(new URL('../../../rules/suppressions.yaml', import.meta.url), 'utf8')
  const shipped = loadSuppressions(text, 'rules/suppressions.yaml', today)
  assert.ok('suppressions' in shipped, JSON.stringify(shipped))
  assert.deepEqual(shipped.expired, [])
  assert.deepEqual(
    shipped.suppressions.map(({ id, owner, expires }) => [id, owner, expires]),
    [['aws-service-principals', 'trailwarden', Date.UTC(2027, 10, 30)]],
  )
  const suppress = suppressor(shipped.suppressions)
  const service = {
    key: 'service/delivery.logs.amazonaws.com',
    kind: 'SERVICE',
    name: 'delivery.logs.amazonaws.com',
  } as const
  assert.equal(suppress(rateAlert({ principal: service })).suppressed?.id, 'aws-service-principals')
  assert.equal(suppress(rateAlert()).suppressed, null)
  assert.equal(suppress(regionAlert()).suppressed, null)
})
