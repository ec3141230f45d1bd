// Correlation rules and the trailwarden block: what they become, and what is refused with which words.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Rule, RuleSet } from '../../../src/rules/rule.ts'
import { eventWith } from './events.ts'
import { detection, errorsOf, load } from './loading.ts'

const feeding = detection('selection:\n  eventName: GetSecretValue\ncondition: selection', 'reads')
const denied = detection('selection:\n  outcome: DENIED\ncondition: selection', 'denials')

function correlation(block: string, more = ''): string {
  const lines = block
    .trim()
    .split('\n')
    .map(line => `  ${line}`)
  return `${feeding}---\n${denied}---\ntitle: Correlation\nname: many\ncorrelation:\n${lines.join('\n')}\n${more}`
}
const counting = `type: event_count
rules: [reads]
group-by: [principal]
timespan: 10m
condition: {gte: 5}`

function only(rules: RuleSet, id = 'many'): Rule {
  const rule = rules.rules.find(candidate => candidate.id === id)
  assert.ok(rule)
  return rule
}

describe('correlations', () => {
  test('event_count with a range, several rules by name or id, and further group fields', () => {
    const { rules } = load(
      correlation(`type: event_count
rules: [reads, 929a690e-bef0-4204-a928-ef5e620d6fcc]
group-by: [awsRegion, principal, userIdentity.accessKeyId]
timespan: 2h
condition: {gt: 100, lte: 200}`).replace('name: denials', 'id: 929a690e-bef0-4204-a928-ef5e620d6fcc'),
    )
    const rule = only(rules)
    assert.deepEqual(rule.body, { kind: 'event_count', timespanMs: 7_200_000, condition: { gt: 100, lte: 200 } })
    assert.deepEqual(rule.feeds, [0, 1])
    assert.deepEqual(
      rule.groupBy.map(field => field.name),
      ['awsRegion', 'userIdentity.accessKeyId'],
    )
    assert.equal(rules.rules.length, 1)
    assert.equal(rules.predicates[1]?.ruleId, '929a690e-bef0-4204-a928-ef5e620d6fcc')
  })

  test('value_count over a list of fields counts combinations, and different tuples stay different', () => {
    const { rules } = load(
      correlation(
        counting.replace('event_count', 'value_count').replace('{gte: 5}', '{field: [awsRegion, userAgent], eq: 3}'),
      ),
    )
    const { body } = only(rules)
    assert.ok(body.kind === 'value_count')
    const read = (awsRegion: string, userAgent: string | null): string | null =>
      body.field.read(eventWith({ awsRegion, userAgent }))
    assert.notEqual(read('a', 'b | c'), read('a | b', 'c'))
    assert.equal(read('a', 'b'), 'a | b')
    assert.equal(read('a', null), null)
  })

  test('an alias reads the field of the rule that matched', () => {
    const { rules } = load(
      correlation(`${counting.replace('[reads]', '[reads, denials]').replace('[principal]', '[principal, target]')}
aliases:
  target:
    reads: requestParameters.secretId
    denials: awsRegion`),
    )
    const [field] = only(rules).groupBy
    const event = { requestParameters: '{"secretId":"s"}', awsRegion: 'eu-west-1' }
    assert.equal(field?.name, 'target')
    assert.equal(field.read(eventWith({ ...event, eventName: 'GetSecretValue' })), 's')
    assert.equal(field.read(eventWith({ ...event, eventName: 'ListSecrets', outcome: 'DENIED' })), 'eu-west-1')
    assert.equal(field.read(eventWith({ ...event, eventName: 'ListSecrets' })), null)
  })

  test('generate lets the feeding rule alert as well', () => {
    assert.deepEqual(
      load(correlation(counting)).rules.rules.map(rule => rule.id),
      ['denials', 'many'],
    )
    assert.deepEqual(
      load(correlation(`${counting}\ngenerate: true`)).rules.rules.map(rule => rule.id),
      ['reads', 'denials', 'many'],
    )
    assert.equal(only(load(correlation(counting)).rules, 'denials').body.kind, 'single')
  })

  test('time spans are seconds, minutes, hours, days and weeks', () => {
    for (const [span, ms] of [
      ['30s', 30_000],
      ['10m', 600_000],
      ['1h', 3_600_000],
      ['7d', 604_800_000],
      ['2w', 1_209_600_000],
    ] as const) {
      const { body } = only(load(correlation(counting.replace('10m', span))).rules)
      assert.equal(body.kind === 'event_count' && body.timespanMs, ms)
    }
  })

  const rows: readonly (readonly [name: string, block: string, expected: RegExp])[] = [
    [
      'no principal in group-by',
      counting.replace('[principal]', '[awsRegion]'),
      /:22:13: 'group-by' lacks 'principal', the key the events are partitioned by.*Write 'group-by: \[principal\]'/,
    ],
    ['no group-by at all', counting.replace('group-by: [principal]\n', ''), /'group-by' lacks 'principal'/],
    [
      'unknown group field',
      counting.replace('[principal]', '[principal, region]'),
      /:22:25: no CloudTrail event has a field 'region'\. Did you mean 'awsRegion'|no CloudTrail event has a field 'region'/,
    ],
    [
      'a field twice',
      counting.replace('[principal]', '[principal, awsRegion, awsRegion]'),
      /'awsRegion' is listed twice in 'group-by'/,
    ],
    ['temporal', counting.replace('event_count', 'temporal'), /:20:9: 'temporal' is not supported yet/],
    [
      'temporal_ordered',
      counting.replace('event_count', 'temporal_ordered'),
      /'temporal_ordered' is not supported yet/,
    ],
    [
      'unknown type',
      counting.replace('event_count', 'event-count'),
      /'event-count' is not a type\. Did you mean 'event_count'/,
    ],
    ['unknown rule', counting.replace('[reads]', '[read]'), /:21:11: no rule is named 'read'\. Did you mean 'reads'/],
    ['itself', counting.replace('[reads]', '[many]'), /'many' is a correlation rule.*not supported yet/],
    ['a rule twice', counting.replace('[reads]', '[reads, reads]'), /:21:18: 'reads' is listed twice/],
    ['months', counting.replace('10m', '1M'), /:23:13: '1M' has no fixed length\. Write days: '30d'/],
    ['no unit', counting.replace('10m', '10'), /'10' is not a time span/],
    ['years long', counting.replace('10m', '99w'), /'timespan' of 99w is out of range\. Use 1s to 31d/],
    ['no timespan', counting.replace('timespan: 10m\n', ''), /'correlation' has no 'timespan'/],
    ['no condition', counting.replace('condition: {gte: 5}', ''), /'correlation' has no 'condition'/],
    ['an empty condition', counting.replace('{gte: 5}', '{}'), /'condition' has no 'gte'/],
    ['an unknown operator', counting.replace('{gte: 5}', '{ge: 5}'), /unknown key 'ge' in 'condition'/],
    [
      'a field in event_count',
      counting.replace('{gte: 5}', '{gte: 5, field: awsRegion}'),
      /unknown key 'field' in 'condition'/,
    ],
    ['no field in value_count', counting.replace('event_count', 'value_count'), /'condition' has no 'field'/],
    ['impossible bounds', counting.replace('{gte: 5}', '{gt: 5, lt: 6}'), /:24:14: no count satisfies all bounds/],
    ['a bound that excludes the rest', counting.replace('{gte: 5}', '{eq: 5, neq: 5}'), /no count satisfies/],
    ['a fraction', counting.replace('{gte: 5}', '{gte: 5.5}'), /:24:20: 'gte' is not a whole number from 0 to 10000/],
    ['too high a bound', counting.replace('{gte: 5}', '{gte: 50000}'), /from 0 to 10000/],
    [
      'an unknown key',
      `${counting}\ntimeframe: 5m`,
      /:25:3: unknown key 'timeframe' in 'correlation'\. Write one of: type, rules/,
    ],
    [
      'an alias without a rule',
      `${counting}\naliases: {x: {denials: awsRegion}}`,
      /'denials' is not among the rules of this correlation/,
    ],
    [
      'an alias called principal',
      `${counting}\naliases: {principal: {reads: awsRegion}}`,
      /'principal' cannot be an alias/,
    ],
    ['a text for a boolean', `${counting}\ngenerate: maybe`, /'generate' is not a boolean/],
  ]
  for (const [name, block, expected] of rows) {
    test(`refused: ${name}`, () => {
      const errors = errorsOf(correlation(block))
      assert.match(errors.join('\n'), expected)
    })
  }

  test('an alias must cover every rule', () => {
    const block = `${counting.replace('[reads]', '[reads, denials]')}\naliases: {x: {reads: awsRegion}}`
    assert.match(
      errorsOf(correlation(block)).join('\n'),
      /alias 'x' has no field for 'denials'\. Add 'denials: <field>'/,
    )
  })
})

describe('rate_anomaly', () => {
  const rate = 'type: rate_anomaly\nrules: [reads]\ngroup-by: [principal]\ntimespan: 30m'
  test('has the defaults of the reference model', () => {
    const { rules } = load(correlation(rate, 'trailwarden:\n  rate-anomaly:\n    denied: denials\n'))
    assert.deepEqual(
      rules.rules.map(rule => rule.id),
      ['many'],
      'neither the population nor the denials alert',
    )
    const { body } = only(rules)
    assert.ok(body.kind === 'rate_anomaly')
    const { denied: isDenied, distinct, ...numbers } = body.rate
    assert.deepEqual(numbers, {
      windowMs: 1_800_000,
      tauMs: 604_800_000,
      filters: 3,
      alpha: 1e-6,
      minCount: 5,
      minDistinct: 3,
      priorShape: 0.5,
      priorExposureMs: 36_000_000,
      dispersion: 2,
      dispersionBlocks: 48,
      successWithinMs: 3_600_000,
      model: 'shared',
    })
    assert.equal(isDenied(eventWith({ outcome: 'DENIED' })), true)
    assert.equal(isDenied(eventWith()), false)
    assert.equal(distinct.name, 'secrets')
  })
  test('refuses what is missing, misspelt or out of range', () => {
    const rows: readonly (readonly [string, RegExp])[] = [
      ['', /no 'trailwarden: rate-anomaly'\. Add it with 'denied: <rule name>'/],
      ['trailwarden:\n  rate-anomaly: {}\n', /'rate-anomaly' has no 'denied'/],
      ['trailwarden:\n  rate-anomaly: {denied: denial}\n', /no rule is named 'denial'\. Did you mean 'denials'/],
      [
        'trailwarden:\n  rate-anomaly: {denied: denials, min_count: 3}\n',
        /unknown key 'min_count'.*Did you mean 'min-count'/,
      ],
      ['trailwarden:\n  rate-anomaly: {denied: denials, alpha: 2}\n', /'alpha' is not a number from/],
      [
        'trailwarden:\n  rate-anomaly: {denied: denials, min-count: 2, min-distinct: 3}\n',
        /'min-distinct' exceeds 'min-count'/,
      ],
      [
        'trailwarden:\n  rate-anomaly: {denied: denials, distinct: secret}\n',
        /no CloudTrail event has a field 'secret'/,
      ],
    ]
    for (const [more, expected] of rows) assert.match(errorsOf(correlation(rate, more)).join('\n'), expected)
    assert.match(
      errorsOf(correlation(`${rate}\ncondition: {gte: 5}`, 'trailwarden: {rate-anomaly: {denied: denials}}\n')).join(
        '\n',
      ),
      /'condition' has no place in rate_anomaly/,
    )
    assert.match(
      errorsOf(correlation(counting, 'trailwarden: {rate-anomaly: {denied: denials}}\n')).join('\n'),
      /'rate-anomaly' belongs to the correlation type rate_anomaly/,
    )
  })
})

describe('the trailwarden block', () => {
  const rule = (block: string): string => `${feeding}${block}`
  test('has defaults', () => {
    const { rules } = load(feeding)
    const one = only(rules, 'reads')
    assert.deepEqual(
      [one.dedupMs, one.maxEpisodeMs, one.runbook, rules.latenessMs],
      [600_000, 86_400_000, null, 900_000],
    )
  })
  test('sets gap, longest episode, lateness, runbook and summary fields', () => {
    const { rules } = load(
      rule(
        'trailwarden:\n  dedup: 1h\n  max-episode: 2d\n  lateness: 1h\n  runbook: Ask {principal.name}.\n  summary-fields: [awsRegion, requestParameters.secretId]\n',
      ),
      detection('s:\n  eventName: x\ncondition: s', 'second'),
    )
    const one = only(rules, 'reads')
    assert.deepEqual([one.dedupMs, one.maxEpisodeMs, one.runbook], [3_600_000, 172_800_000, 'Ask {principal.name}.'])
    assert.deepEqual(
      one.summaryFields.map(field => field.name),
      ['awsRegion', 'requestParameters.secretId'],
    )
    assert.equal(rules.latenessMs, 3_600_000, 'the largest of the set')
  })
  test("takes Sigma's own fields for the summary where it names none", () => {
    const { rules } = load(rule('fields: [userIdentity.arn, SomethingElse]\n'))
    assert.deepEqual(
      only(rules, 'reads').summaryFields.map(field => field.name),
      ['userIdentity.arn'],
    )
  })
  test('is strict', () => {
    const rows: readonly (readonly [string, RegExp])[] = [
      ['trailwarden: {dedupe: 5m}\n', /:8:15: unknown key 'dedupe' in 'trailwarden'\. Did you mean 'dedup'/],
      ['trailwarden: {dedup: 0s}\n', /'dedup' of 0s is out of range/],
      ['trailwarden: {dedup: 2h, max-episode: 1h}\n', /'max-episode' is shorter than 'dedup'/],
      ['trailwarden: {summary-fields: [arn]}\n', /no CloudTrail event has a field 'arn'/],
      [
        "trailwarden: {runbook: 'Ask {principle.name}'}\n",
        /:8:24: unknown placeholder \{principle\.name\}\. Did you mean 'principal\.name'\?/,
      ],
      ['trailwarden: 5\n', /'trailwarden' is a scalar/],
      ['trailwaden: {dedup: 5m}\n', /:8:1: unknown key 'trailwaden'\. Did you mean 'trailwarden'\?/],
    ]
    for (const [block, expected] of rows) assert.match(errorsOf(rule(block)).join('\n'), expected)
  })
})
