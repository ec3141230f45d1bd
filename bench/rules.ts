// Rule sets for the benchmarks: the shipped two of the mission, and as many more as a row asks for, of the kinds that
// public CloudTrail rule collections hold: one or a few event names of a service, some with text conditions.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadRules } from '../src/rules/load.ts'
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

/** The two rules of the mission and `count - 2` more. */
export function benchRules(count: number): RuleSet {
  const shipped = ['secretsmanager-multi-region.yml', 'secretsmanager-denied-rate.yml'].map(name => {
    const path = join(import.meta.dirname, '..', 'rules', name)
    return { path, text: readFileSync(path, 'utf8') }
  })
  const more = Array.from({ length: Math.max(0, count - 2) }, (_, index) => ({
    path: `bench-${index}.yml`,
    text: rule(index),
  }))
  const loaded = loadRules([...shipped, ...more])
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors.slice(0, 3)))
  return loaded.rules
}
