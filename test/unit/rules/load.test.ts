// loadRules: what a rule set is once loaded, every error of every file at its place, and nothing loaded if one is wrong.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventWith } from './events.ts'
import { detection, errorsOf, load } from './loading.ts'

const good = detection('selection:\n  eventName: x\ncondition: selection', 'good')

describe('a rule', () => {
  test('carries its head', () => {
    const { rules } = load(`title: A title
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
status: test
description: |
  Two
  lines.
references: https://example.com/one
author: someone
date: 2026-01-01
tags:
  - attack.initial_access
  - attack.t1078.004
  - attack.g0016
  - cve.2024-1
logsource:
  product: aws
  service: cloudtrail
  definition: any trail
detection:
  selection:
    eventName: x
  condition: selection
falsepositives: |
  Some.
level: high
custom-attribute: {any: thing}
`)
    const [rule] = rules.rules
    assert.ok(rule)
    assert.equal(rule.id, '929a690e-bef0-4204-a928-ef5e620d6fcc')
    assert.equal(rule.title, 'A title')
    assert.equal(rule.description, 'Two\nlines.')
    assert.deepEqual(rule.attack, [{ tactic: 'TA0001', technique: 'T1078.004' }])
    assert.deepEqual([rule.level, rule.status, rule.origin], ['high', 'test', 'rule.yml:1'])
    assert.deepEqual([rule.references, rule.falsePositives], [['https://example.com/one'], ['Some.']])
    assert.match(rule.version, /^[0-9a-f]{16}$/)
  })
  test('with several tactics keeps them apart from its techniques, which Sigma does not assign', () => {
    const { rules } = load(
      good.replace('logsource', 'tags: [attack.persistence, attack.t1098, attack.stealth]\nlogsource'),
    )
    assert.deepEqual(rules.rules[0]?.attack, [
      { tactic: 'TA0003', technique: '' },
      { tactic: 'TA0005', technique: '' },
      { tactic: '', technique: 'T1098' },
    ])
  })
  test('is called by its name, else by its id', () => {
    const { rules } = load(good.replace('name: good', 'name: good\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc'))
    assert.equal(rules.rules[0]?.id, 'good')
  })
})

describe('versions', () => {
  const version = (text: string): string | undefined => load(text).rules.rules.at(-1)?.version
  test('ignore comments, layout, order of keys and tests, and follow everything else', () => {
    const same = [
      `# a comment\n${good}`,
      good.replace(
        'logsource: {product: aws, service: cloudtrail}',
        'logsource:\n  service: cloudtrail\n  product: aws',
      ),
      `${good}trailwarden: {tests: [{name: t, events: [{eventName: y}], matches: 0}]}\n`.replace(
        'eventName: y',
        'eventSource: s, eventName: y',
      ),
    ]
    assert.equal(version(same[0] ?? ''), version(good))
    assert.equal(version(same[1] ?? ''), version(good))
    assert.notEqual(version(good.replace('eventName: x', 'eventName: y')), version(good))
    assert.notEqual(
      version(good.replace('eventName: x', "eventName: '5'")),
      version(good.replace('eventName: x', 'eventName: 5')),
    )
    assert.notEqual(version(same[2] ?? ''), version(good), 'the block itself is new')
    const other = (same[2] ?? '').replace('eventName: y', 'eventName: z')
    assert.equal(version(other), version(same[2] ?? ''), 'but what its tests say is no part of the version')
  })
  test('of a correlation follow the rules that feed it', () => {
    const both = (name: string): string =>
      `${good.replace('eventName: x', `eventName: ${name}`)}---\ntitle: C\nname: c\ncorrelation: {type: event_count, rules: [good], group-by: [principal], timespan: 1m, condition: {gte: 2}}\n`
    assert.notEqual(version(both('x')), version(both('y')))
  })
})

describe('errors', () => {
  test('of all files come together, in the order of files, lines and columns', () => {
    const errors = errorsOf(
      good.replace('condition: selection', 'condition: selectio').replace('eventName: x', 'eventname: x'),
      good.replace('name: good', 'name: other'),
      good.replace('product: aws', 'product: azure').replace('name: good', 'name: third'),
    )
    assert.deepEqual(errors, [
      "rule-0.yml:6:5: no CloudTrail event has a field 'eventname'. Did you mean 'eventName'?",
      "rule-0.yml:7:14: the rule has no search identifier 'selectio'. Did you mean 'selection'?",
      "rule-2.yml:3:22: the events are CloudTrail of AWS, not product 'azure'. Write 'logsource: {product: aws, service: cloudtrail}'.",
    ])
  })
  test('name the rule that has the name already', () => {
    assert.deepEqual(errorsOf(good, good), [
      "rule-1.yml:2:7: 'good' already names the rule at rule-0.yml:2. Give each rule its own name and id.",
    ])
    assert.match(
      errorsOf(`${good}---\n${good}`)[0] ?? '',
      /^rule\.yml:10:7: 'good' already names the rule at rule\.yml:2/,
    )
  })

  const rows: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
    ['no title', good.replace('title: Probe\n', ''), /:1:1: the rule has no 'title'/],
    [
      'no name and no id',
      good.replace('name: good\n', ''),
      /the rule has no 'name'\. Add 'name: <what-it-detects>', or an 'id'/,
    ],
    ['a name with blanks', good.replace('name: good', 'name: my rule'), /:2:7: 'name' is not an identifier/],
    ['an unknown level', `${good}level: hihg\n`, /:8:8: 'hihg' is not a level\. Did you mean 'high'/],
    ['an unknown status', `${good}status: done\n`, /'done' is not a status/],
    [
      'an unknown tactic',
      `${good}tags: [attack.credential-acess]\n`,
      /:8:8: 'attack\.credential-acess' is no tactic or technique of ATT&CK\. Did you mean 'credential-access'/,
    ],
    ['no log source', good.replace(/logsource.*\n/, ''), /the rule has no 'logsource'/],
    ['another service', good.replace('service: cloudtrail', 'service: guardduty'), /not service 'guardduty'/],
    [
      'a category',
      good.replace('service: cloudtrail', 'service: cloudtrail, category: x'),
      /has no log source category/,
    ],
    ['no detection', 'title: t\nname: n\n', /has no 'detection'\. Add 'detection:' or 'correlation:'/],
    ['both kinds', `${good}correlation: {type: event_count}\n`, /either 'detection' or 'correlation'/],
    ['no condition', good.replace('  condition: selection\n', ''), /'detection' has no 'condition'/],
    ['only a condition', good.replace('  selection:\n    eventName: x\n', ''), /'detection' has no 'selection'/],
    [
      'a timeframe',
      good.replace('  condition', '  timeframe: 5m\n  condition'),
      /'timeframe' was removed from Sigma\. Write a correlation rule/,
    ],
    ['a Sigma filter', 'title: f\nname: f\nfilter: {rules: [x]}\n', /Sigma filters are not supported/],
    ['a global action', 'action: global\ntitle: x\nname: n\n', /'action' was removed from Sigma/],
    ['a list as document', '- a\n- b\n', /:1:1: a rule is a map/],
    ['bad YAML', 'title: [x\nname: y\n', /not valid YAML/],
    [
      'a duplicate key',
      good.replace('name: good', 'name: good\nname: better'),
      /:3:1: not valid YAML: Map keys must be unique/,
    ],
    ['an unknown tag', good.replace('Probe', '!!js/function x'), /not valid YAML: Unresolved tag/],
    ['an unknown alias', good.replace('Probe', '*missing'), /alias/i],
    ['a title that is a list', good.replace('Probe', '[a]'), /:1:8: 'title' is a list/],
    ['a very long title', good.replace('Probe', 'x'.repeat(257)), /more than 256 characters/],
  ]
  for (const [name, text, expected] of rows) {
    test(`refused: ${name}`, () => assert.match(errorsOf(text).join('\n'), expected))
  }
})

describe('hostile YAML', () => {
  test('an alias bomb is refused at once', () => {
    const levels = Array.from(
      { length: 30 },
      (_, i) =>
        `a${i}: &a${i} [${
          i === 0
            ? 'x'
            : Array(9)
                .fill(`*a${i - 1}`)
                .join(', ')
        }]`,
    )
    const started = performance.now()
    assert.match(errorsOf(levels.join('\n')).join('\n'), /more than 50000 values once aliases are expanded/)
    assert.ok(performance.now() - started < 10_000)
  })
  test('an alias of itself is refused', () => {
    assert.match(errorsOf('a: &a [*a]\n').join('\n'), /nested more than 40 levels|alias/i)
  })
  test('deep brackets, deep indentation and huge files are refused', () => {
    assert.match(errorsOf(`a: ${'['.repeat(100_000)}`)[0] ?? '', /nested too deeply/)
    const steps = Array.from({ length: 60 }, (_, i) => `${' '.repeat(i)}a:`)
    assert.match(errorsOf(steps.join('\n')).join('\n'), /nested more than 40 levels/)
    assert.match(errorsOf('x'.repeat(1_048_577))[0] ?? '', /the file has 1048577 characters/)
  })
  test('keys of prototypes are plain keys', () => {
    assert.match(errorsOf('__proto__: {title: x}\nconstructor: y\n').join('\n'), /has no 'title'/)
  })
})

test('aliases serve as shorthand, and an empty file is no rule', () => {
  const { rules } = load(
    '',
    '# nothing\n---\n---\n',
    good.replace('eventName: x', 'eventName: &names [x, y]\n  other:\n    eventName: *names'),
  )
  assert.equal(rules.rules.length, 1)
  assert.equal(rules.match(eventWith({ eventName: 'Y' })).length, 1)
})

test('a carriage return before each line end changes nothing but the version of nothing', () => {
  assert.equal(load(good.replaceAll('\n', '\r\n')).rules.version, load(good).rules.version)
})
