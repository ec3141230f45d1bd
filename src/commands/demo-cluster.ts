// A real cluster for `demo --kafka`: the configured one, or, in a checkout, what the test harness finds or starts.
// Topics get a prefix of their own, so the demo leaves a production cluster's topics alone.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config.ts'
import { twError } from '../errors.ts'
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import { topicAdmin } from '../kafka/topics.ts'
import type { LogClient } from '../log/log-client.ts'
import type { SchemaSource } from '../log/schema-source.ts'
import type { CommandContext } from './command.ts'
import { connectionFrom, registryFrom, topicDefinitionsFrom } from './settings.ts'

/** A cluster with the demo's topics in place. */
export interface DemoCluster {
  readonly config: Config
  readonly log: LogClient
  readonly schemas: SchemaSource
  /** How it was found: `env`, `docker` or `jvm`. */
  readonly how: string
  close(): Promise<void>
}

interface Found {
  readonly how: string
  readonly brokers: readonly string[]
  readonly registryUrl: string
  stop(): Promise<void>
}

/** Finds or starts a cluster and creates the topics. @throws TW_CONFIG_INVALID where there is none to be had */
export async function demoCluster(context: CommandContext): Promise<DemoCluster> {
  const found = await find(context)
  try {
    const stamp = Date.now().toString(36)
    const named = (name: string) => `demo-${stamp}.${name}`
    const config: Config = {
      ...context.config,
      KAFKA_BROKERS: [...found.brokers],
      SCHEMA_REGISTRY_URL: found.registryUrl,
      RAW_TOPIC: named(context.config.RAW_TOPIC),
      EVENTS_TOPIC: named(context.config.EVENTS_TOPIC),
      ALERTS_TOPIC: named(context.config.ALERTS_TOPIC),
      STATE_TOPIC: named(context.config.STATE_TOPIC),
      REJECTED_TOPIC: named(context.config.REJECTED_TOPIC),
      NORMALIZE_GROUP: named(context.config.NORMALIZE_GROUP),
      DETECT_GROUP: named(context.config.DETECT_GROUP),
    }
    const schemas = schemaRegistry(registryFrom(config))
    const admin = await topicAdmin(connectionFrom(config), context.log, schemas)
    try {
      await admin.apply([
        { name: config.RAW_TOPIC, partitions: 3, replicationFactor: config.TOPIC_REPLICATION_FACTOR, config: {} },
        ...topicDefinitionsFrom(config),
      ])
    } finally {
      await admin.close()
    }
    const log = await kafkaLog(connectionFrom(config), context.log)
    return { config, log, schemas, how: found.how, close: () => log.close().then(() => found.stop()) }
  } catch (error) {
    await found.stop()
    throw error
  }
}

async function find(context: CommandContext): Promise<Found> {
  if (context.env['KAFKA_BROKERS'] !== undefined || context.options['kafka-brokers'] !== undefined)
    return {
      how: 'env',
      brokers: context.config.KAFKA_BROKERS,
      registryUrl: context.config.SCHEMA_REGISTRY_URL,
      stop: () => Promise.resolve(),
    }
  const harness = join(import.meta.dirname, '..', '..', 'test', 'harness', 'kafka.ts')
  if (!existsSync(harness))
    throw twError('TW_CONFIG_INVALID', 'demo --kafka needs KAFKA_BROKERS and SCHEMA_REGISTRY_URL outside a checkout.')
  const { kafkaForTests } = (await import(pathToFileURL(harness).href)) as { kafkaForTests: () => Promise<Found> }
  return kafkaForTests()
}
