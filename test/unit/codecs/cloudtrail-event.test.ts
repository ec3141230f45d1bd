// Projection of the events schema: what is left out is skipped and absent, what stays is as it was, and detection reads
// nothing that could be left out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectionMembers, eventDecoder, eventEncoder, projectEvent } from '../../../src/codecs/cloudtrail-event.ts'
import { readRuleFiles } from '../../../src/commands/rule-files.ts'
import { engineOptions } from '../../../src/commands/rule-set.ts'
import { Engine } from '../../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import { loadRules } from '../../../src/rules/load.ts'
import type { EventMember, RuleSet } from '../../../src/rules/rule.ts'
import { topicContract } from '../../../src/topics.ts'
import { call, rateRule, rule, ruleSet, second } from '../../harness/detection.ts'
import { noting } from '../../harness/reading.ts'

const schema = topicContract('EVENTS_TOPIC').schema! as { fields: { name: string; type: unknown }[] }
const issuer = { type: 'Role', principalId: 'AROA', arn: 'arn', accountId: '1', userName: 'deployer' }
const event = call(Date.UTC(2026, 0, 15), {
  requestParameters: '{"a":1}',
  errorMessage: 'no',
  requestId: 'r',
  userIdentity: { ...call(0).userIdentity, sessionIssuer: issuer, sourceIdentity: 'ana' },
})
const bytes = eventEncoder(schema).encode(event, 1)
const decoderOf = (members: ReadonlySet<EventMember> | null) => {
  const decoder = eventDecoder(projectEvent(schema, members))
  assert.equal(decoder.learn(1, schema), null)
  return decoder
}
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('rules that may read anything get every member', () => {
  assert.deepEqual(plain(decoderOf(null).decode(bytes)), plain(event))
})

test('rules that read nothing get what detection reads', () => {
  const got = decoderOf(new Set()).decode(bytes) as CloudTrailEvent
  const members = Object.keys(got).flatMap(name =>
    name === 'userIdentity' ? Object.keys(got.userIdentity).map(inner => `userIdentity.${inner}`) : [name],
  )
  assert.deepEqual(members.toSorted(), detectionMembers.toSorted())
  for (const name of members.filter(member => !member.includes('.')))
    assert.deepEqual(plain(got[name as keyof CloudTrailEvent]), plain(event[name as keyof CloudTrailEvent]), name)
})

test('each member that a rule reads is there, with the value it was written with', () => {
  const identity = schema.fields.find(field => field.name === 'userIdentity')?.type as typeof schema
  const all = [
    ...schema.fields.map(field => field.name).filter(name => name !== 'userIdentity'),
    ...identity.fields.map(field => `userIdentity.${field.name}`),
  ] as EventMember[]
  assert.ok(all.length > 30)
  for (const member of all) {
    const got = decoderOf(new Set([member])).decode(bytes)
    const at = (from: unknown): unknown =>
      member.split('.').reduce((inner, step) => (inner as Record<string, unknown>)[step], from)
    assert.deepEqual(plain({ value: at(got) }), plain({ value: at(event) }), member)
  }
})

test('a record that is cut short is refused wherever the cut is', () => {
  const decoder = decoderOf(new Set())
  for (let length = 5; length < bytes.length; length++) {
    const got = decoder.decode(bytes.subarray(0, length))
    assert.ok('rejected' in got, `cut at ${length}`)
    assert.equal(got.rejected, 'bad-avro')
  }
  assert.ok('rejected' in decoder.decode(Buffer.concat([bytes, Buffer.from([0])])))
})

const stream = Array.from({ length: 300 }, (_, i) =>
  call(Date.UTC(2026, 0, 15) + i * 4 * second, {
    eventName: i % 2 === 0 ? 'GetSecretValue' : 'BatchGetSecretValue',
    awsRegion: `r-${i % 7}`,
    secrets: [`111122223333:r:s-${i}`],
    requestParameters: '{"filters":[{"key":"tag-key","values":["!none"]}]}',
    ...(i % 3 === 0 ? { outcome: 'DENIED' as const, errorCode: 'AccessDenied' } : {}),
  }),
)

/** Everything that an engine with these rules reads of the stream, and which of the rules alert. */
function readBy(rules: RuleSet): { readonly read: ReadonlySet<EventMember>; readonly alerting: readonly string[] } {
  const read = new Set<EventMember>()
  const transaction = new Engine(rules, engineOptions()).begin()
  for (const one of stream)
    transaction.process(
      noting(one, member => read.add(member)),
      null,
      null,
    )
  return { read, alerting: [...new Set(transaction.alerts.map(alert => alert.ruleId))].sort() }
}

test('rules that read nothing leave an engine that reads the members of detection, each of them', () => {
  const nothing = { name: 'nothing', read: () => 'x' }
  const count = { timespanMs: 1000 * second, condition: { gte: 1 } }
  const blind = ruleSet(
    [
      rule('single', { kind: 'single' }),
      rule('event_count', { kind: 'event_count', ...count }, { groupBy: [nothing] }),
      rule('value_count', { kind: 'value_count', ...count, field: nothing }),
      rateRule('rate_anomaly', { denied: () => true, distinct: nothing, minDistinct: 1 }),
    ],
    [() => true],
  )
  const { read, alerting } = readBy(blind)
  assert.deepEqual(alerting, ['event_count', 'rate_anomaly', 'single', 'value_count'])
  assert.deepEqual([...read].sort(), detectionMembers.toSorted())
})

test('the shipped rules read what they say and no more', async () => {
  const loaded = loadRules(await readRuleFiles(['rules']))
  assert.ok('rules' in loaded && loaded.rules.fields !== null)
  const { read, alerting } = readBy(loaded.rules)
  assert.deepEqual(alerting, loaded.rules.rules.map(one => one.id).sort())
  const decoded = new Set([...detectionMembers, ...loaded.rules.fields])
  assert.deepEqual(
    [...read].filter(member => !decoded.has(member)),
    [],
  )
})
