// The shipped rules: every file loads, is tested inside, and holds what its head promises. Also the load that 10,000
// denials of an AWS service put on the denied-rate rule, which is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRuleFiles } from '../../../src/commands/rule-files.ts'
import { loadRules } from '../../../src/rules/load.ts'
import { formatRuleError } from '../../../src/rules/problems.ts'
import { formatRuleTests } from '../../../src/rules/rule-test-report.ts'
import { runRuleTests } from '../../../src/rules/rule-test-run.ts'
import { eventWith } from './events.ts'

const files = await readRuleFiles(['rules'])
const loaded = loadRules(files)
if ('errors' in loaded) throw new Error(loaded.errors.map(formatRuleError).join('\n'))
const { rules, tests } = loaded

test('every test in the files passes', () => {
  const results = runRuleTests(rules, tests)
  assert.ok(
    results.every(result => result.differences.length === 0),
    formatRuleTests(results),
  )
  assert.ok(results.length >= 50)
})

test('six rules alert, each with a runbook in three timed steps, a source, ATT&CK and a test that alerts and one that does not', () => {
  assert.deepEqual(
    rules.rules.map(rule => [rule.id, rule.level, rule.body.kind, rule.dedupMs / 60_000]),
    [
      ['secretsmanager-batch-catch-all', 'low', 'single', 1440],
      ['secretsmanager-batch-retrieval', 'informational', 'event_count', 1440],
      ['secretsmanager-denied-rate', 'medium', 'rate_anomaly', 45],
      ['secretsmanager-denied-retrieval', 'informational', 'event_count', 1440],
      ['secretsmanager-distinct-secrets', 'medium', 'value_count', 10],
      ['secretsmanager-multi-region', 'informational', 'value_count', 10],
    ],
  )
  for (const rule of rules.rules) {
    assert.match(rule.runbook ?? '', /1\. \*\*First 15 minutes.*2\. \*\*First hour.*3\. \*\*First day/s, rule.id)
    assert.ok(rule.references.length > 0 && rule.falsePositives.length > 0, rule.id)
    assert.deepEqual(rule.attack, [{ tactic: 'TA0006', technique: 'T1555.006' }], rule.id)
    const own = tests.filter(one => one.ruleId === rule.id)
    assert.ok(
      own.some(one => one.alerts !== 0 && one.alerts !== null),
      rule.id,
    )
    assert.ok(
      own.some(one => one.alerts === 0 || one.matches === 0),
      rule.id,
    )
  }
})

test('every file is named after the rule that alerts in it', () => {
  for (const rule of rules.rules) assert.match(rule.origin, new RegExp(`^rules/${rule.id}\\.yml:\\d+$`))
})

test('names and ids are unique and ids are UUIDs', () => {
  const ids = files.flatMap(file => Array.from(file.text.matchAll(/^id: (.*)$/gm), match => match[1]))
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('ten thousand denials of an AWS service match no predicate that the denied-rate rule is fed by', () => {
  const rate = rules.rules.find(rule => rule.id === 'secretsmanager-denied-rate')
  assert.ok(rate)
  for (let i = 0; i < 10_000; i++) {
    const event = eventWith({
      outcome: 'DENIED',
      errorCode: 'AccessDenied',
      principal: { key: 'service/delivery.logs.amazonaws.com', kind: 'SERVICE', name: 'delivery.logs.amazonaws.com' },
      secrets: [`111122223333:eu-west-1:prod/app-${i}`],
    })
    assert.equal(
      rules.match(event).some(index => rate.feeds.includes(index)),
      false,
    )
  }
})

test('calls of other services are wanted by nobody', () => {
  assert.equal(rules.wants('s3.amazonaws.com', 'GetObject'), false)
  assert.equal(rules.wants('secretsmanager.amazonaws.com', 'ListSecrets'), false)
  assert.equal(rules.wants('secretsmanager.amazonaws.com', 'GetSecretValue'), true)
})
