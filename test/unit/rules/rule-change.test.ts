// Changes of parameters from the command line: the same rules as an edited file, the same complaints, and a list of what exists.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadRules } from '../../../src/rules/load.ts'
import type { RuleFile } from '../../../src/rules/load.ts'
import { formatRuleError } from '../../../src/rules/problems.ts'
import type { Rule, RuleSet } from '../../../src/rules/rule.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'rules')
const shipped: RuleFile[] = readdirSync(folder)
  .filter(name => name.endsWith('.yml'))
  .map(path => ({ path, text: readFileSync(join(folder, path), 'utf8') }))

function changed(...changes: string[]): RuleSet {
  const loaded = loadRules(shipped, changes)
  assert.ok('rules' in loaded, 'errors' in loaded ? loaded.errors.map(formatRuleError).join('\n') : '')
  return loaded.rules
}

function refused(...changes: string[]): string[] {
  const loaded = loadRules(shipped, changes)
  assert.ok('errors' in loaded, 'it loaded')
  return loaded.errors.map(formatRuleError)
}

const ruleOf = (rules: RuleSet, id: string) => rules.rules.find(rule => rule.id === id)!
/** What a rule is without its closures. */
const data = (rule: Rule) => JSON.parse(JSON.stringify(rule)) as unknown

test('a change gives what an edited file gives, the version of the rule included', () => {
  const edits = [
    ['secretsmanager-denied-rate.alpha=1e-9', 'alpha: 1e-6', 'alpha: 1e-9'],
    ['secretsmanager-denied-rate.timespan=1h', 'timespan: 30m', 'timespan: 1h'],
    ['secretsmanager-denied-rate.prior-exposure=20h', 'prior-exposure: 10h', 'prior-exposure: 20h'],
    ['secretsmanager-multi-region.gte=7', 'gte: 5', 'gte: 7'],
    ['secretsmanager-multi-region.dedup=25m', '  dedup: 10m', '  dedup: 25m'],
    [
      '2c63888f-28f0-4481-be6d-dce7a7ace732.level=critical',
      'level: informational\ncorrelation',
      'level: critical\ncorrelation',
    ],
  ] as const
  for (const [change, before, after] of edits) {
    const id = change.startsWith('2c63') ? 'secretsmanager-multi-region' : change.split('.')[0]!
    const texts = shipped.map(file => ({
      ...file,
      text: file.path === `${id}.yml` ? file.text.replace(before, after) : file.text,
    }))
    assert.notDeepEqual(texts, shipped, change)
    const edited = loadRules(texts)
    assert.ok('rules' in edited)
    const [ours, theirs, old] = [changed(change), edited.rules, changed()]
    assert.deepEqual(data(ruleOf(ours, id)), data(ruleOf(theirs, id)), change)
    assert.notEqual(ruleOf(ours, id).version, ruleOf(old, id).version)
    assert.equal(ours.version, theirs.version)
    for (const rule of old.rules) if (rule.id !== id) assert.deepEqual(data(ruleOf(ours, rule.id)), data(rule))
  }
})

test('parameters that the file leaves to their defaults can be changed as well', () => {
  const rule = ruleOf(
    changed('secretsmanager-multi-region.max-episode=2h', 'secretsmanager-multi-region.lateness=1h'),
    'secretsmanager-multi-region',
  )
  assert.equal(rule.maxEpisodeMs, 7_200_000)
  assert.equal(changed('secretsmanager-batch-catch-all.lateness=1h').latenessMs, 3_600_000)
  assert.equal(
    ruleOf(changed('secretsmanager-batch-catch-all.dedup=1h'), 'secretsmanager-batch-catch-all').dedupMs,
    3_600_000,
  )
  const rate = ruleOf(changed('secretsmanager-denied-rate.model=first-denials'), 'secretsmanager-denied-rate').body
  assert.ok(rate.kind === 'rate_anomaly' && rate.rate.model === 'first-denials')
})

test('the last of several changes of one parameter holds', () => {
  const { body } = ruleOf(
    changed('secretsmanager-multi-region.gte=7', 'secretsmanager-multi-region.gte=3'),
    'secretsmanager-multi-region',
  )
  assert.ok(body.kind === 'value_count' && body.condition.gte === 3)
})

test('a value is checked as in a file, and the message names the change', () => {
  assert.deepEqual(refused('secretsmanager-denied-rate.alpha=2'), [
    "--set secretsmanager-denied-rate.alpha=2: 'alpha' is not a number from 1e-300 to 0.5. Write a number.",
  ])
  assert.deepEqual(refused('secretsmanager-denied-rate.min-count=2'), [
    `${'secretsmanager-denied-rate.yml'}:${lineOf('secretsmanager-denied-rate.yml', 'min-distinct: 3')}:19: 'min-distinct' exceeds 'min-count' and decides alone. Raise min-count to it.`,
  ])
  assert.match(
    refused('secretsmanager-multi-region.timespan=soon')[0]!,
    /^--set .*timespan=soon: 'soon' is not a time span\./,
  )
  assert.match(
    refused('secretsmanager-multi-region.level=bad')[0]!,
    /^--set .*level=bad: 'bad' is not a level\. Write one of: informational, /,
  )
  assert.match(refused('secretsmanager-multi-region.gte=5.5')[0]!, /is not a whole number/)
})

test('what does not exist is refused with what does', () => {
  assert.deepEqual(refused('secretsmanager-denied-rates.alpha=1e-5'), [
    "--set secretsmanager-denied-rates.alpha=1e-5: no rule is named 'secretsmanager-denied-rates'. Did you mean 'secretsmanager-denied-rate'?",
  ])
  assert.match(refused('x.alpha=1')[0]!, /no rule is named 'x'\. Write one of: .*secretsmanager-multi-region/)
  assert.deepEqual(refused('secretsmanager-multi-region.alpha=1e-5'), [
    "--set secretsmanager-multi-region.alpha=1e-5: 'secretsmanager-multi-region' has no parameter 'alpha'. It has timespan, gte, level, dedup, max-episode, lateness.",
  ])
  // A second bound beside the rule's own would make a range of it.
  assert.match(refused('secretsmanager-multi-region.gt=4')[0]!, /has no parameter 'gt'/)
  assert.match(
    refused('secretsmanager-denied-rate.denied=x')[0]!,
    /has no parameter 'denied'\. It has timespan, distinct, alpha, /,
  )
  assert.match(refused('secretsmanager-batch-get.timespan=1h')[0]!, /It has level, dedup, max-episode, lateness\.$/)
  assert.match(refused('secretsmanager-multi-region.constructor=1')[0]!, /has no parameter 'constructor'/)
})

test('what is no change is refused', () => {
  for (const text of [
    '',
    'alpha=1',
    'secretsmanager-multi-region.gte',
    'secretsmanager-multi-region.gte=',
    'secretsmanager-multi-region=',
  ])
    assert.match(refused(text)[0]!, /this is not <rule>\.<parameter>=<value>\. Write '/, text)
  for (const value of ['[1]', '{a: 1}', '1\nlevel: high', '*x', ' ', '[', '~'])
    assert.match(refused(`secretsmanager-multi-region.gte=${value}`)[0]!, /is not a single value\. Write '/, value)
})

test('every wrong change is reported, after the errors of the files', () => {
  const loaded = loadRules(
    [...shipped, { path: 'bad.yml', text: 'title: x\n' }],
    ['x.y=1', 'secretsmanager-multi-region.gte=0.5'],
  )
  assert.ok('errors' in loaded)
  assert.deepEqual(
    loaded.errors.map(error => error.path),
    ['bad.yml', 'bad.yml', '--set x.y=1', '--set secretsmanager-multi-region.gte=0.5'],
  )
})

function lineOf(path: string, text: string): number {
  const file = shipped.find(candidate => candidate.path === path)!
  return file.text.split('\n').findIndex(line => line.includes(text)) + 1
}
