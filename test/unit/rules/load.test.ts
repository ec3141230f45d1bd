// loadRules: what a rule set is once loaded, and that one bad rule fails the whole set.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRuleFiles } from '../../../src/commands/rule-files.ts'
import { loadRules } from '../../../src/rules/load.ts'
import type { RuleSet } from '../../../src/rules/rule.ts'
import { eventWith } from './events.ts'

function loaded(...texts: string[]): RuleSet {
  const result = loadRules(texts.map((text, index) => ({ path: `rules/${index}.yml`, text })))
  assert.ok('rules' in result, 'errors' in result ? JSON.stringify(result.errors, null, 1) : '')
  return result.rules
}

test('the shipped multi-region rule counts distinct regions of BatchGetSecretValue per principal', async () => {
  const files = await readRuleFiles(['rules/secretsmanager-multi-region.yml'])
  const rules = loaded(...files.map(file => file.text))
  const [rule] = rules.rules
  assert.equal(rules.rules.length, 1, 'the feeding detection rule raises no alert of its own')
  assert.equal(rule?.id, 'secretsmanager-multi-region')
  assert.equal(rule.body.kind, 'value_count')
  assert.deepEqual(rule.body.kind === 'value_count' && rule.body.condition, { gte: 5 })
  assert.equal(rule.body.kind === 'value_count' && rule.body.timespanMs, 600_000)
  assert.equal(
    rule.body.kind === 'value_count' && rule.body.field.read(eventWith({ awsRegion: 'sa-east-1' })),
    'sa-east-1',
  )
  assert.deepEqual(rule.attack, [{ tactic: 'TA0006', technique: 'T1555.006' }])
  assert.deepEqual(rule.feeds, [0])
  assert.equal(rule.dedupMs, 600_000)
  assert.equal(rule.level, 'informational')
  assert.deepEqual(rules.match(eventWith({ eventName: 'BatchGetSecretValue' })), [0])
  assert.deepEqual(rules.match(eventWith({ eventName: 'GetSecretValue' })), [])
  assert.deepEqual(rules.match(eventWith({ eventName: 'BatchGetSecretValue', eventSource: 'ssm.amazonaws.com' })), [])
  assert.equal(rules.wants('secretsmanager.amazonaws.com', 'BatchGetSecretValue'), true)
  assert.equal(rules.wants('s3.amazonaws.com', 'ListBuckets'), false)
})
