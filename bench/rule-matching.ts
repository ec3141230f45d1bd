// Events per second of RuleSet.match alone: no state, no Kafka, no Avro, one thread.
// node bench/rule-matching.ts <records.jsonl>: CloudTrail records as JSON lines, kept in memory in normal form; rule sets of 2, 57
// and 500 detection rules (about other calls, as a public collection is), and 20 of the shipped kind that cannot be indexed.
import { readFileSync } from 'node:fs'
import { normalizeRecord } from '../src/normalize/event.ts'
import type { CloudTrailEvent } from '../src/normalize/event.ts'
import { readRuleFiles } from '../src/commands/rule-files.ts'
import { loadRules } from '../src/rules/load.ts'
import type { RuleFile } from '../src/rules/load.ts'

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('usage: node bench/rule-matching.ts <records.jsonl>')
const context = {
  sourceKind: 'RECORD',
  keepRequestParameters: true,
  keepResponseElements: true,
  keepAdditionalEventData: true,
  sourceIdentity: 'trust',
} as const
const events: CloudTrailEvent[] = []
for (const line of readFileSync(path, 'utf8').split('\n')) {
  if (line === '') continue
  const event = normalizeRecord(JSON.parse(line), context)
  if (!('rejected' in event)) events.push(event)
}

// Every tenth rule is about a call that makes up a ninth of the generated stream; the others are about calls it lacks.
const streamed = ['s3 ListBuckets', 'ec2 DescribeInstances', 'iam GetRole', 'ssm GetParameter', 'kms Decrypt']
const sources = ['s3', 'iam', 'ec2', 'kms', 'sts', 'ssm', 'lambda', 'guardduty', 'rds', 'glue']
const verbs = ['Create', 'Delete', 'Put', 'Update', 'Attach', 'List', 'Get', 'Describe']
const nouns = ['Role', 'Buckets', 'Instances', 'Parameter', 'Policy', 'Detector', 'Layer', 'Snapshot', 'Trail', 'User']
const extras = [
  '',
  '    userIdentity.type: IAMUser\n',
  "    userAgent|contains: 'S3 Browser'\n",
  "    userIdentity.arn|re: '.+:assumed-role/aws:.+'\n",
  "    requestParameters.attribute: 'userData'\n",
  "    requestParameters|contains: 'Suspended'\n",
]
const pick = (list: readonly string[], n: number): string => list[n % list.length] ?? ''

function generated(n: number): RuleFile {
  const made = `${pick(sources, n)} ${pick(verbs, n >> 3)}${pick(nouns, n >> 6)}`
  const [source = '', name = ''] = (n % 10 === 0 ? pick(streamed, n / 10) : made).split(' ')
  return {
    path: `generated-${n}.yml`,
    text: `title: Generated ${n}
name: generated-${n}
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    eventSource: ${source}.amazonaws.com
    eventName: [${name}, ${name}V2]
${pick(extras, n)}  filter_main_service:
    userIdentity.type: AWSService
  condition: selection and not 1 of filter_main_*
`,
  }
}

function unindexed(n: number): RuleFile {
  const text = `title: Unindexed ${n}
name: unindexed-${n}
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    userAgent|contains: 'tool-${n}'
  condition: selection
`
  return { path: `unindexed-${n}.yml`, text }
}

function times<T>(n: number, make: (i: number) => T): T[] {
  return Array.from({ length: n }, (_, i) => make(i))
}

const shipped = await readRuleFiles(['rules'])
const multiRegion = shipped.filter(file => file.path.includes('multi-region') || file.path.includes('denied-rate'))
const sets: readonly (readonly [string, readonly RuleFile[]])[] = [
  ['the two main rules', multiRegion],
  ['all shipped rules', shipped],
  ['57 generated', times(57, generated)],
  ['500 generated', times(500, generated)],
  ['500 generated and all shipped', [...shipped, ...times(500, generated)]],
  ['all shipped and 20 without eventName', [...shipped, ...times(20, unindexed)]],
]

console.log(`${events.length} events`)
for (const [label, files] of sets) {
  const started = performance.now()
  const loaded = loadRules(files)
  const loadMs = performance.now() - started
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors[0]))
  const { match, predicates } = loaded.rules
  let best = 0
  let matched = 0
  for (let round = 0; round < 5; round++) {
    matched = 0
    const cpu = process.cpuUsage()
    for (const event of events) matched += match(event).length
    const { user, system } = process.cpuUsage(cpu)
    best = Math.max(best, events.length / ((user + system) / 1e6))
  }
  const rate = `${(best / 1e6).toFixed(2)} M events per CPU second`
  console.log(
    `${label}: ${predicates.length} predicates, loaded in ${loadMs.toFixed(0)} ms, ${matched} matches, ${rate}`,
  )
}
