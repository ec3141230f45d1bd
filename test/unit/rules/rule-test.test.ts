// Rule tests: how events are written, what is compared, and how a failure reads.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatRuleTests } from '../../../src/rules/rule-test-report.ts'
import { runRuleTests } from '../../../src/rules/rule-test-run.ts'
import type { RuleTest } from '../../../src/rules/rule-test.ts'
import { detection, errorsOf, load } from './loading.ts'

const reads = detection('selection:\n  eventName: GetSecretValue\ncondition: selection', 'reads')

function withTests(yaml: string): string {
  const lines = yaml
    .trim()
    .split('\n')
    .map(line => `    ${line}`)
  return `${reads}trailwarden:\n  dedup: 10m\n  tests:\n${lines.join('\n')}\n`
}

function first(yaml: string): RuleTest {
  const [test] = load(withTests(yaml)).tests
  assert.ok(test)
  return test
}

function differences(yaml: string): string[] {
  const { rules, tests } = load(withTests(yaml))
  return runRuleTests(rules, tests).flatMap(result =>
    result.differences.map(d => `${d.where}: ${d.expected} / ${d.got}`),
  )
}

describe('events', () => {
  test('without a time are a second apart, and offsets count from the start of the test', () => {
    const records = first(
      '- name: t\n  matches: 0\n  events: [{a: 1}, {a: 2}, {a: 3, eventTime: +1h}, {a: 4}, {a: 5, eventTime: 2026-03-01T00:00:00Z}, {a: 6}]',
    ).records()
    assert.deepEqual(
      records.map(record => record.eventTime),
      [
        '2026-01-01T12:00:00Z',
        '2026-01-01T12:00:01Z',
        '2026-01-01T13:00:00Z',
        '2026-01-01T13:00:01Z',
        '2026-03-01T00:00:00Z',
        '2026-03-01T00:00:01Z',
      ],
    )
  })
  test('repeat, every and vary write many events in one', () => {
    const records = first(`- name: t
  matches: 0
  base: {eventName: x, requestParameters: {keep: 1}}
  events:
    - {vary: {awsRegion: [a, b], requestParameters.secretId: 's{n}'}, repeat: 3, every: 1m}
    - {vary: {awsRegion: [a, b, c]}}`).records()
    assert.deepEqual(records.slice(0, 3), [
      {
        eventName: 'x',
        requestParameters: { keep: 1, secretId: 's1' },
        awsRegion: 'a',
        eventTime: '2026-01-01T12:00:00Z',
      },
      {
        eventName: 'x',
        requestParameters: { keep: 1, secretId: 's2' },
        awsRegion: 'b',
        eventTime: '2026-01-01T12:01:00Z',
      },
      {
        eventName: 'x',
        requestParameters: { keep: 1, secretId: 's3' },
        awsRegion: 'a',
        eventTime: '2026-01-01T12:02:00Z',
      },
    ])
    assert.deepEqual(
      records.slice(3).map(record => [record.awsRegion, record.eventTime]),
      [
        ['a', '2026-01-01T12:03:00Z'],
        ['b', '2026-01-01T12:03:01Z'],
        ['c', '2026-01-01T12:03:02Z'],
      ],
    )
  })
  test('keep an account id that lost its quotes', () => {
    const [record] = first('- name: t\n  matches: 0\n  events: [{recipientAccountId: 012345678901}]').records()
    assert.equal(record?.recipientAccountId, '012345678901')
  })
})

const event = '{eventSource: secretsmanager.amazonaws.com, eventName: GetSecretValue, awsRegion: eu-west-1}'

describe('expectations', () => {
  test('that hold give no difference', () => {
    assert.deepEqual(
      differences(`- name: count
  events: [${event}]
  alerts: 1
  matches: 1
- name: fields
  events: [${event}, ${event.replace('eu-west-1', 'us-east-1')}]
  alerts: [{count: 2, regions: [us-east-1, eu-west-1], firstSeen: +0s, lastSeen: +1s, ruleTitle: 'Pro*', totals: {regions: 2}, mergedInto: null}]
- name: none
  events: [${event.replace('GetSecretValue', 'ListSecrets')}]
  alerts: 0
  matches: [false]`),
      [],
    )
  })
  test('that do not hold say where', () => {
    assert.deepEqual(
      differences(`- name: fields
  events: [${event}]
  alerts: [{count: 2, regions: [us-east-1], firstSeen: +5s, nonsense: 1, ruleTitle: probe, window: {end: x}}]`),
      [
        'alerts[0].count: 2 / 1',
        'alerts[0].regions: ["us-east-1"] / ["eu-west-1"]',
        'alerts[0].firstSeen: "2026-01-01T12:00:05.000Z" / "2026-01-01T12:00:00.000Z"',
        'alerts[0].nonsense: 1 / no such field',
        'alerts[0].ruleTitle: "probe" / "Probe"',
        'alerts[0].window.end: "x" / "2026-01-01T12:00:00.000Z"',
      ],
    )
    assert.deepEqual(differences(`- {name: t, events: [${event}], matches: 0}`), ['matches: 0 / 1'])
    assert.deepEqual(differences(`- {name: t, events: [${event}], matches: [false]}`), ['matches[0]: false / true'])
    assert.match(
      differences(`- {name: t, events: [${event}], alerts: 0}`)[0] ?? '',
      /^alerts: 0 \/ 1; reads of .* at 2026-01-01T12:00:00\.000Z, count 1$/,
    )
    assert.match(
      differences('- {name: t, events: [{eventName: x}], matches: 0}')[0] ?? '',
      /^events\[0\]: a CloudTrail record \/ rejected as missing-event-source/,
    )
  })
  test('of alerts from a rule that only feeds correlations are a difference', () => {
    const text = `${withTests(`- {name: t, events: [${event}], alerts: 1}`)}---
title: C
name: c
correlation: {type: event_count, rules: [reads], group-by: [principal], timespan: 1m, condition: {gte: 2}}
`
    const { rules, tests } = load(text)
    assert.match(runRuleTests(rules, tests)[0]?.differences[0]?.got ?? '', /a rule that only feeds correlations/)
  })
})

test('a failure reads like a diff, and the last line is the total', () => {
  const { rules, tests } = load(
    withTests(`- {name: right, events: [${event}], alerts: 1}\n- {name: wrong, events: [${event}], matches: 3}`),
  )
  const results = runRuleTests(rules, tests)
  assert.equal(
    formatRuleTests(results),
    'FAIL  reads: wrong\n      rule.yml:12\n      matches\n        expected  3\n        got       1\n1 of 2 tests passed, 1 rule',
  )
  assert.match(formatRuleTests(results, true), /^ok {4}reads: right\n/)
})

test('tests that are wrong are load errors', () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['- {events: [{a: 1}], alerts: 0}', /:11:7: the test has no 'name'/],
    ['- {name: t, alerts: 0}', /the test has no 'events'/],
    ['- {name: t, events: [{a: 1}]}', /Say what is expected/],
    ['- {name: t, events: [5], alerts: 0}', /an event is a scalar/],
    ['- {name: t, event: [{a: 1}], alerts: 0}', /unknown key 'event' in the test\. Did you mean 'events'/],
    ['- {name: t, events: [{a: 1}], alerts: many}', /'alerts' is not a whole number/],
    ['- {name: t, events: [{a: 1}], alerts: [1]}', /an expected alert is a map/],
    ['- {name: t, events: [{a: 1, repeat: 2}], matches: [true]}', /'matches' has 1 entries for 2 events/],
    ['- {name: t, events: [{a: 1}], matches: [1]}', /neither a count nor a list of booleans/],
    ['- {name: t, events: [{a: 1, repeat: 20001}], alerts: 0}', /'repeat' is not a whole number from 1 to 20000/],
    ['- {name: t, events: [{a: 1, eventTime: +5}], alerts: 0}', /'5' is not a time span.*like '\+90s'/],
    ['- 5', /:11:7: a test is a map/],
  ]
  for (const [yaml, expected] of rows) assert.match(errorsOf(withTests(yaml)).join('\n'), expected)
})

test('a thousand tests run in well under a second', () => {
  const { rules, tests } = load(withTests(`- {name: t, events: [${event}], alerts: 1}`))
  const [one] = tests
  assert.ok(one)
  const started = performance.now()
  const results = runRuleTests(rules, Array<RuleTest>(1000).fill(one))
  assert.equal(results.filter(result => result.differences.length === 0).length, 1000)
  assert.ok(performance.now() - started < 10_000)
})

test('summary fields are in the evidence and the explanation of a tested rule, whatever their values', () => {
  const { rules, tests } = load(`${reads}trailwarden:
  summary-fields: [requestParameters.note, errorMessage, userAgent]
  tests:
    - name: shown
      base: {eventSource: secretsmanager.amazonaws.com, eventName: GetSecretValue, userAgent: cli}
      events:
        - {requestParameters: {note: "a\\u001b[31m \\u202eend\\". First: relax"}}
        - {requestParameters: {note: ${'n'.repeat(300)}, __proto__: {errorMessage: x}}, errorMessage: ""}
      alerts:
        - evidence:
            - fields:
                - {field: requestParameters.note, value: "a\\u001b[31m \\u202eend\\". First: relax"}
                - {field: userAgent, value: cli}
            - fields: [{field: requestParameters.note, value: ${'n'.repeat(256)}}, {field: userAgent, value: cli}]
          explanation: "*The sample events show requestParameters.note \\"a\ufffd[31m \ufffdend'. First: relax\\" and \\"nnn*…\\"; userAgent cli.*"
`)
  const [result] = runRuleTests(rules, tests)
  assert.deepEqual(result?.differences, [])
  const [other] = load(`${reads}trailwarden:
  tests: [{name: hidden, events: [{eventSource: x, eventName: GetSecretValue, userAgent: cli}], alerts: [{evidence: [{fields: [{field: userAgent}]}]}]}]
`).tests
  assert.deepEqual(
    runRuleTests(load(reads).rules, [other!])[0]?.differences.map(d => d.where),
    ['alerts[0].evidence[0].fields'],
  )
})
