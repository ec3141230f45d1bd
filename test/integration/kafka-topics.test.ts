// `topics apply` and `check` on a real broker and registry: applied twice, changed behind our back, refused where only a
// person may decide. And the registry client against a registry that is not a fake.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import { schemaRegistry } from '../../src/kafka/registry.ts'
import type { SchemaRegistryClient } from '../../src/kafka/registry.ts'
import type { TopicDefinition } from '../../src/kafka/topic-plan.ts'
import { topicAdmin } from '../../src/kafka/topics.ts'
import type { TopicAdmin } from '../../src/kafka/topics.ts'
import { uniqueName } from '../harness/kafka.ts'
import { describeOnKafka } from '../harness/suite.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const field = (name: string, type: string, rest: object = {}) => ({ name, type, ...rest })
const record = (...fields: object[]) => ({ type: 'record', name: 'Probe', namespace: 'test', fields })

await describeOnKafka('topics apply and check', kafka => {
  let topics: TopicAdmin
  let registry: SchemaRegistryClient
  const connection = { brokers: kafka.brokers, clientId: 'topics-test' }
  before(async () => {
    registry = schemaRegistry({ url: kafka.registryUrl })
    topics = await topicAdmin(connection, quiet, registry)
  })
  after(() => topics.close())

  function definition(change: Partial<TopicDefinition> = {}): TopicDefinition {
    const name = change.name ?? uniqueName('topics')
    const subject = {
      name: `${name}-value`,
      schema: record(field('a', 'string')),
      compatibility: 'BACKWARD_TRANSITIVE' as const,
    }
    const config = { 'cleanup.policy': 'compact', 'retention.ms': '604800000' }
    return { name, partitions: 3, replicationFactor: 1, config, subject, ...change }
  }

  test('the first apply creates, the second does nothing, and check is content', async () => {
    const wanted = definition()
    const dry = await topics.plan([wanted])
    assert.deepEqual(
      dry.actions.map(({ kind }) => kind),
      ['create-topic', 'register-schema'],
    )
    assert.equal((await topics.check([wanted])).length, 2)
    await topics.apply([wanted])
    assert.deepEqual(await topics.apply([wanted]), { actions: [], problems: [] })
    assert.deepEqual(await topics.check([wanted]), [])
    assert.equal(await registry.compatibilityOf(`${wanted.name}-value`), 'BACKWARD_TRANSITIVE')
  })

  test('a changed setting is put right without touching what else was set on the topic', async () => {
    const wanted = definition()
    await topics.apply([wanted])
    const admin = new kafkajs.Kafka({ ...connection, logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    const configEntries = Object.entries({ 'cleanup.policy': 'delete', 'max.message.bytes': '77777' }).map(
      ([name, value]) => ({ name, value }),
    )
    const type = kafkajs.ConfigResourceTypes.TOPIC
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: wanted.name, configEntries }] })
    const { actions } = await topics.apply([wanted])
    assert.deepEqual(
      actions.map(({ kind }) => kind),
      ['alter-config'],
    )
    assert.deepEqual(await topics.check([wanted]), [])
    const described = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name: wanted.name }] })
    const kept = described.resources[0]?.configEntries.find(({ configName }) => configName === 'max.message.bytes')
    assert.equal(kept?.configValue, '77777')
    await admin.disconnect()
  })

  test('another partition count is a problem and is left alone', async () => {
    const wanted = definition()
    await topics.apply([wanted])
    const { actions, problems } = await topics.apply([{ ...wanted, partitions: 6 }])
    assert.deepEqual(actions, [])
    assert.match(problems.join(), /has 3 partitions, not 6/)
    assert.equal((await topics.check([{ ...wanted, partitions: 2 }])).length, 1)
  })

  test('a compatible schema is registered as the next version, an incompatible one is a problem', async () => {
    const wanted = definition()
    await topics.apply([wanted])
    const { subject } = wanted
    assert.ok(subject)
    const next = record(field('a', 'string'), field('b', 'string', { default: '' }))
    const grown = { ...wanted, subject: { ...subject, schema: next } }
    const { actions } = await topics.apply([grown])
    assert.deepEqual(
      actions.map(({ kind }) => kind),
      ['register-schema'],
    )
    assert.deepEqual(await topics.check([grown]), [])
    const broken = { ...wanted, subject: { ...subject, schema: record(field('a', 'int'), field('c', 'string')) } }
    const refused = await topics.apply([broken])
    assert.deepEqual(refused.actions, [])
    assert.match(refused.problems.join(), /not compatible/)
    const forced = registry.register(subject.name, broken.subject.schema, 'BACKWARD_TRANSITIVE')
    await assert.rejects(forced, { code: 'TW_SCHEMA_INCOMPATIBLE' })
  })

  test('ids and schemas: what was registered is found, by id and by schema; what was not is not', async () => {
    const wanted = definition()
    await topics.apply([wanted])
    const { subject } = wanted
    assert.ok(subject)
    const id = await registry.idOf(subject.name, subject.schema)
    const fresh = schemaRegistry({ url: kafka.registryUrl })
    const found = (await fresh.schemaById(id)) as { name?: string; fields?: unknown[] }
    assert.equal(found.name, 'test.Probe')
    assert.equal(found.fields?.length, 1)
    assert.equal((await fresh.latest(subject.name))?.id, id)
    assert.equal(await fresh.latest(`${uniqueName('absent')}-value`), null)
    assert.equal(await fresh.compatibilityOf(`${uniqueName('absent')}-value`), null)
    assert.equal(await fresh.schemaById(987_654_321), null)
    const started = performance.now()
    for (let i = 0; i < 10_000; i++) await fresh.schemaById(987_654_321)
    assert.ok(performance.now() - started < 1_000, 'an unknown id is answered from memory')
    const absent = fresh.idOf(subject.name, record(field('other', 'long')))
    await assert.rejects(absent, { code: 'TW_SCHEMA_NOT_REGISTERED' })
    const nowhere = fresh.idOf(`${uniqueName('absent')}-value`, subject.schema)
    await assert.rejects(nowhere, { code: 'TW_SCHEMA_NOT_REGISTERED' })
  })
})
