// The plan of `topics apply` by table: state of the cluster in, actions and problems out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeAction, planTopics } from '../../../src/kafka/topic-plan.ts'
import type { ClusterState, SubjectState, TopicDefinition, TopicState } from '../../../src/kafka/topic-plan.ts'

const subject = { name: 't-value', schema: {}, compatibility: 'BACKWARD_TRANSITIVE' as const }
const wanted: TopicDefinition = {
  name: 't',
  partitions: 6,
  replicationFactor: 3,
  config: { 'cleanup.policy': 'compact' },
  subject,
}
const asWanted: TopicState = {
  partitions: 6,
  replicationFactor: 3,
  config: { 'cleanup.policy': 'compact', 'retention.ms': '1', 'max.message.bytes': '2' },
  overrides: { 'cleanup.policy': 'compact', 'max.message.bytes': '2' },
}
const known: SubjectState = { registered: true, compatible: true, compatibility: 'BACKWARD_TRANSITIVE' }

const state = (topic: TopicState | null, found: SubjectState | null): ClusterState => ({
  topics: new Map(topic ? [['t', topic]] : []),
  subjects: new Map(found ? [[subject.name, found]] : []),
})

const table: readonly [string, ClusterState, readonly string[], RegExp | null][] = [
  ['nothing exists', state(null, null), ['create-topic', 'register-schema'], null],
  ['all as defined', state(asWanted, known), [], null],
  ['no registry', { topics: new Map(), subjects: null }, ['create-topic'], null],
  ['a setting differs', state({ ...asWanted, config: {} }, known), ['alter-config'], null],
  ['more partitions', state({ ...asWanted, partitions: 12 }, known), [], /12 partitions, not 6/],
  ['fewer partitions', state({ ...asWanted, partitions: 3 }, known), [], /3 partitions, not 6/],
  ['fewer replicas', state({ ...asWanted, replicationFactor: 1 }, known), [], /1 replicas, not 3/],
  ['another level', state(asWanted, { ...known, compatibility: null }), ['set-compatibility'], null],
  ['an older schema', state(asWanted, { ...known, registered: false }), ['register-schema'], null],
  ['a foreign schema', state(asWanted, { ...known, registered: false, compatible: false }), [], /not compatible/],
]

for (const [name, given, kinds, problem] of table) {
  test(name, () => {
    const { actions, problems } = planTopics([wanted], given)
    assert.deepEqual(
      actions.map(({ kind }) => kind),
      kinds,
    )
    assert.equal(problems.length, problem ? 1 : 0)
    if (problem) assert.match(problems.join(), problem)
    for (const action of actions) assert.match(describeAction(action), / t(-value)?( |$)/)
  })
}

test('a change of settings names all overrides, because AlterConfigs resets what is not named', () => {
  const { actions } = planTopics([wanted], state({ ...asWanted, config: { 'cleanup.policy': 'delete' } }, known))
  assert.deepEqual(actions, [
    {
      kind: 'alter-config',
      topic: 't',
      changes: [{ name: 'cleanup.policy', from: 'delete', to: 'compact' }],
      overrides: { 'cleanup.policy': 'compact', 'max.message.bytes': '2' },
    },
  ])
})

test('with a replication factor left to the broker, replicas are no problem', () => {
  const given = state({ ...asWanted, replicationFactor: 1 }, known)
  assert.deepEqual(planTopics([{ ...wanted, replicationFactor: -1 }], given), { actions: [], problems: [] })
})
