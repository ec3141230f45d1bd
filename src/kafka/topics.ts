// `topics apply` and `topics check` against a real cluster and registry: reads the state, lets topic-plan.ts decide,
// carries the plan out. Applying twice does nothing the second time; what needs a person's decision is reported.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { twError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { connectionOf } from './connection.ts'
import type { KafkaConnection } from './connection.ts'
import { asFault, isTopicMissing, isTransient, protocolCode } from './faults.ts'
import { kafkajs } from './kafkajs.ts'
import type { SchemaRegistryClient } from './registry.ts'
import { describeAction, planTopics } from './topic-plan.ts'
import type { Action, ClusterState, SubjectState, TopicDefinition, TopicPlan, TopicState } from './topic-plan.ts'

/** Topic administration of one cluster; close it when done. */
export interface TopicAdmin {
  /** What is to be done, without doing it (`--dry-run`). */
  plan(definitions: readonly TopicDefinition[]): Promise<TopicPlan>
  /** Plans and carries out. Returns the plan; its problems remain. */
  apply(definitions: readonly TopicDefinition[]): Promise<TopicPlan>
  /** Everything that is not as defined, as sentences; empty means all is well. */
  check(definitions: readonly TopicDefinition[]): Promise<readonly string[]>
  close(): Promise<void>
}

const topicAlreadyExists = 36
const ledWithinMs = 15_000
// Configuration set on the topic itself, in DescribeConfigs answers: https://kafka.apache.org/protocol, config_source.
const setOnTopic = 1

/** Connects. Rejects with TW_BROKER_UNAVAILABLE. Without a registry, subjects are neither read nor changed. */
export async function topicAdmin(
  connection: KafkaConnection,
  logger: Logger,
  registry: SchemaRegistryClient | null,
): Promise<TopicAdmin> {
  const admin = connectionOf(connection, logger).admin()
  try {
    await admin.connect()
  } catch (error) {
    throw asFault(error, 'TW_BROKER_UNAVAILABLE', `Connecting to ${connection.brokers.join(', ')}`)
  }
  const plan = async (definitions: readonly TopicDefinition[]) =>
    planTopics(definitions, await readState(admin, registry, definitions))
  return {
    plan,
    async apply(definitions) {
      const planned = await plan(definitions)
      for (const action of planned.actions) {
        try {
          await execute(admin, registry, action)
        } catch (error) {
          throw asFault(error, 'TW_BROKER_UNAVAILABLE', `Failed to ${describeAction(action)}`)
        }
      }
      return planned
    },
    async check(definitions) {
      const { actions, problems } = await plan(definitions)
      return [...problems, ...actions.map(action => `Not as defined: ${describeAction(action)}.`)]
    },
    close: () => admin.disconnect(),
  }
}

async function readState(
  admin: Admin,
  registry: SchemaRegistryClient | null,
  definitions: readonly TopicDefinition[],
): Promise<ClusterState> {
  const topics = new Map<string, TopicState>()
  const subjects = new Map<string, SubjectState>()
  for (const { name, subject } of definitions) {
    const topic = await readTopic(admin, name)
    if (topic) topics.set(name, topic)
    const found = registry && subject ? await readSubject(registry, subject) : null
    if (found && subject) subjects.set(subject.name, found)
  }
  return { topics, subjects: registry ? subjects : null }
}

async function readTopic(admin: Admin, name: string): Promise<TopicState | null> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
    const partitions = topics[0]?.partitions
    if (!partitions) return null
    const { resources } = await admin.describeConfigs({
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
      includeSynonyms: false,
    })
    const entries = resources[0]?.configEntries ?? []
    // Values come as null where a setting has none; the published types do not say so.
    const value = (entry: { configValue: string | null }) => entry.configValue ?? ''
    return {
      partitions: partitions.length,
      replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      config: Object.fromEntries(entries.map(entry => [entry.configName, value(entry)])),
      overrides: Object.fromEntries(
        entries
          .filter(entry => Number(entry.configSource) === setOnTopic)
          .map(entry => [entry.configName, value(entry)]),
      ),
    }
  } catch (error) {
    if (isTopicMissing(error)) return null
    throw asFault(error, 'TW_BROKER_UNAVAILABLE', `Reading topic ${name}`)
  }
}

async function readSubject(
  registry: SchemaRegistryClient,
  subject: NonNullable<TopicDefinition['subject']>,
): Promise<SubjectState | null> {
  const latest = await registry.latest(subject.name)
  if (!latest) return null
  const registered = await registry.idOf(subject.name, subject.schema).then(
    () => true,
    (error: unknown) => {
      const fault = asFault(error, 'TW_REGISTRY_UNAVAILABLE', 'Reading the registry')
      if (fault.code === 'TW_SCHEMA_NOT_REGISTERED') return false
      throw fault
    },
  )
  const compatible = registered || (await registry.isCompatible(subject.name, subject.schema))
  return { registered, compatible, compatibility: await registry.compatibilityOf(subject.name) }
}

async function execute(admin: Admin, registry: SchemaRegistryClient | null, action: Action): Promise<void> {
  switch (action.kind) {
    case 'create-topic': {
      const { name: topic, partitions: numPartitions, replicationFactor, config } = action.topic
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
      try {
        // kafkajs' own waiting fails on a broker that has not heard of the topic yet, which is usual with several.
        const topics = [{ topic, numPartitions, replicationFactor, configEntries }]
        await admin.createTopics({ topics, waitForLeaders: false })
      } catch (error) {
        // Somebody else applied at the same time; the next plan sees whether it is as defined.
        if (!alreadyExists(error)) throw error
      }
      await untilLed(admin, topic)
      return
    }
    case 'alter-config': {
      const configEntries = Object.entries(action.overrides).map(([name, value]) => ({ name, value }))
      const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: action.topic, configEntries }
      await admin.alterConfigs({ validateOnly: false, resources: [resource] })
      return
    }
    case 'register-schema': {
      const { name, schema, compatibility } = action.subject
      await registry?.register(name, schema, compatibility)
      return
    }
    case 'set-compatibility':
      await registry?.setCompatibility(action.subject, action.compatibility)
  }
}

/** Waits until every partition of a new topic has a leader, so that what is started next finds it. */
async function untilLed(admin: Admin, topic: string): Promise<void> {
  const deadline = Date.now() + ledWithinMs
  for (;;) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      const partitions = topics[0]?.partitions ?? []
      if (partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)) return
    } catch (error) {
      if (!isTopicMissing(error) && !isTransient(error)) throw error
    }
    if (Date.now() > deadline)
      throw twError(
        'TW_BROKER_UNAVAILABLE',
        `Topic ${topic} is created and has no leaders after ${ledWithinMs / 1000} s.`,
      )
    await sleep(50)
  }
}

/** kafkajs gives one error per topic inside an aggregate. */
function alreadyExists(error: unknown): boolean {
  const inner = (error as { errors?: readonly unknown[] }).errors ?? [error]
  return inner.every(one => protocolCode(one) === topicAlreadyExists)
}
