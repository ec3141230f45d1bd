// Rule sets for the benchmarks: the shipped two of the mission, and as many more as a row asks for, of the kinds that
// public CloudTrail rule collections hold: one or a few event names of a service, some with text conditions.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadRules } from '../src/rules/load.ts'
import type { RuleFile } from '../src/rules/load.ts'
import type { RuleSet } from '../src/rules/rule.ts'

const services = [
  'iam',
  'ec2',
  's3',
  'kms',
  'lambda',
  'logs',
  'ssm',
  'sts',
  'rds',
  'ecs',
  'eks',
  'guardduty',
  'cloudtrail',
  'route53',
  'sso',
]
const verbs = [
  'Create',
  'Delete',
  'Put',
  'Update',
  'Attach',
  'Detach',
  'Modify',
  'Disable',
  'Stop',
  'Get',
  'Describe',
  'List',
]

function rule(index: number): string {
  const service = services[index % services.length]!
  const names = [0, 1, 2]
    .slice(0, 1 + (index % 3))
    .map(offset => `${verbs[(index + offset) % verbs.length]}Thing${index >> 3}`)
  const more = [
    '',
    '    userAgent|contains: console\n',
    "    requestParameters|contains: '0.0.0.0/0'\n",
    '    userIdentity.type: Root\n',
    '    requestParameters.x|re: ^g[0-9a-f]{8}\n',
  ][index % 8 === 0 ? 1 + ((index >> 3) % 4) : index % 5]!
  // Every eighth rule is about a call that the data is full of and asks for something it never has: rules match rarely,
  // and what they cost is looking.
  const selected = index % 8 === 0 ? { source: 'ec2', names: ['DescribeInstances'] } : { source: service, names }
  return [
    `title: Bench ${index}`,
    `name: bench-${index}`,
    `id: 00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    'status: test',
    'logsource: {product: aws, service: cloudtrail}',
    'detection:',
    '  selection:',
    `    eventSource: ${selected.source}.amazonaws.com`,
    `    eventName: [${selected.names.join(', ')}]`,
    `${more}  condition: selection${index % 4 === 0 ? ' and not 1 of filter_*' : ''}`,
    ...(index % 4 === 0 ? ['  filter_service:', "    userIdentity.invokedBy|endswith: '.amazonaws.com'"] : []),
    'level: low',
  ]
    .join('\n')
    .replace(/\n {2}condition:([^\n]*)\n {2}filter_service:\n([^\n]*)/, '\n  filter_service:\n$2\n  condition:$1')
}

/** A rule about no call in particular: no index helps, every event is looked at. */
function unindexed(index: number): string {
  return [
    `title: Unindexed ${index}`,
    `name: unindexed-${index}`,
    'logsource: {product: aws, service: cloudtrail}',
    'detection:',
    `  selection: {userAgent|contains: tool-${index}}`,
    '  condition: selection',
  ].join('\n')
}

const folder = join(import.meta.dirname, '..', 'rules')
const missionRules = ['secretsmanager-multi-region.yml', 'secretsmanager-denied-rate.yml']
const files = (names: readonly string[]) =>
  names.map(name => ({ path: name, text: readFileSync(join(folder, name), 'utf8') }))

/** The files of {@link benchRules}. */
export function benchRuleFiles(count: number): RuleFile[] {
  const more = Array.from({ length: Math.max(0, count - 2) }, (_, index) => ({
    path: `bench-${index}.yml`,
    text: rule(index),
  }))
  return [...files(missionRules), ...more]
}

const manyRegions = `title: Secret read
name: secret-read
id: 00000000-0000-4000-9000-000000000001
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    eventSource: secretsmanager.amazonaws.com
    eventName: [GetSecretValue, BatchGetSecretValue]
  condition: selection
level: low
---
title: Secrets read in many regions
name: many-regions
id: 00000000-0000-4000-9000-000000000002
correlation:
  type: value_count
  rules: [secret-read]
  group-by: [userIdentity.sessionContext.sessionIssuer.arn]
  timespan: 10m
  condition: {field: awsRegion, gte: 5}
level: high
`

/** One value_count rule and `count - 1` more in Sigma as everybody reads it, for programs other than ours. */
export function plainSigmaFiles(count: number): RuleFile[] {
  const more = Array.from({ length: count - 1 }, (_, index) => ({ path: `bench-${index}.yml`, text: rule(index) }))
  return [{ path: 'many-regions.yml', text: manyRegions }, ...more]
}

/** The two rules of the mission and `count - 2` more; then as many as `others` that name no call. */
export function benchRules(count: number, others = 0): RuleSet {
  return loaded([
    ...benchRuleFiles(count),
    ...Array.from({ length: others }, (_, index) => ({ path: `unindexed-${index}`, text: unindexed(index) })),
  ])
}

/**
 * The two rules of the mission about every call there is, whatever service and name: each event changes the state of its
 * principal. What the peers call "every record changes state".
 */
export function everyCallRules(): RuleSet {
  return loaded([everyCallFile])
}

const everyCall = `title: Any call
name: any-call
logsource: {product: aws, service: cloudtrail}
detection: {selection: {awsRegion|exists: true}, condition: selection}
---
title: Any denied call
name: any-denied
logsource: {product: aws, service: cloudtrail}
detection: {selection: {outcome: DENIED}, condition: selection}
---
title: Many regions
name: regions
correlation:
  type: value_count
  rules: [any-call]
  group-by: [principal]
  timespan: 10m
  condition: {field: awsRegion, gte: 5}
---
title: Denied rate
name: denied-rate
correlation: {type: rate_anomaly, rules: [any-call], group-by: [principal], timespan: 30m}
trailwarden:
  dedup: 45m
  rate-anomaly: {denied: any-denied, distinct: eventName, min-count: 5, min-distinct: 3}
`

/** The file of {@link everyCallRules}. */
export const everyCallFile: RuleFile = { path: 'every-call.yml', text: everyCall }

/** Every rule that ships. */
export function shippedRules(): RuleSet {
  return loaded(files(readdirSync(folder).filter(name => name.endsWith('.yml'))))
}

function loaded(files: readonly RuleFile[]): RuleSet {
  const result = loadRules(files)
  if ('errors' in result) throw new Error(JSON.stringify(result.errors.slice(0, 3)))
  return result.rules
}
