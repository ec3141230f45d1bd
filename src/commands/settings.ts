// From Config to the options of the parts: the one place where setting names meet the parts' own names.
import type { Config } from '../config.ts'
import type { KafkaConnection } from '../kafka/connection.ts'
import type { KafkaLogOptions } from '../kafka/kafka-log.ts'
import type { RegistrySettings } from '../kafka/registry.ts'
import type { TopicDefinition } from '../kafka/topic-plan.ts'
import type { NormalizeOptions } from '../normalize/raw-value.ts'
import { defaultEnvelopeLimits } from '../sources/envelope.ts'
import { topicContracts } from '../topics.ts'
import { brokerCredentials, registryTls } from './credentials.ts'

/** How to reach the brokers. @throws TW_CONFIG_INVALID when a certificate or key cannot be read or used. */
export function connectionFrom(config: Config): KafkaConnection {
  return { brokers: config.KAFKA_BROKERS, clientId: config.KAFKA_CLIENT_ID, ...brokerCredentials(config) }
}

/** What the normalizer keeps, trusts and tolerates. */
export function normalizeOptionsFrom(config: Config): NormalizeOptions {
  return {
    keepRequestParameters: config.KEEP_REQUEST_PARAMETERS,
    keepResponseElements: config.KEEP_RESPONSE_ELEMENTS,
    keepAdditionalEventData: config.KEEP_ADDITIONAL_EVENT_DATA,
    sourceIdentity: config.SOURCE_IDENTITY,
    limits: {
      ...defaultEnvelopeLimits,
      depth: config.MAX_DEPTH,
      inputBytes: config.MAX_INPUT_BYTES,
      inflatedBytes: config.MAX_EXPANDED_BYTES,
      records: config.MAX_RECORDS_PER_ENVELOPE,
    },
  }
}

/** The registry, its user and its certificates. @throws TW_CONFIG_INVALID as for the brokers. */
export function registryFrom(config: Config): RegistrySettings {
  const tls = registryTls(config)
  return {
    ...(tls ? { tls } : {}),
    url: config.SCHEMA_REGISTRY_URL,
    ...(config.SCHEMA_REGISTRY_USERNAME === undefined ? {} : { username: config.SCHEMA_REGISTRY_USERNAME }),
    ...(config.SCHEMA_REGISTRY_PASSWORD === undefined ? {} : { password: config.SCHEMA_REGISTRY_PASSWORD }),
  }
}

/** How we write and read. */
export function kafkaOptionsFrom(config: Config): KafkaLogOptions {
  return {
    compression: config.COMPRESSION,
    outOfRange: config.OFFSET_OUT_OF_RANGE,
    maxBatchBytes: config.MAX_RECORD_BYTES,
    ...(config.KAFKA_GROUP_INSTANCE_ID === undefined ? {} : { groupInstanceId: config.KAFKA_GROUP_INSTANCE_ID }),
  }
}

/** The four topics under their configured names, as `topics apply` creates them. */
export function topicDefinitionsFrom(config: Config): TopicDefinition[] {
  return topicContracts().map(contract => {
    const name = config[contract.setting]
    const avro = contract.setting !== 'ALERTS_TOPIC' || config.ALERT_FORMAT === 'avro'
    return {
      name,
      partitions: config.TOPIC_PARTITIONS ?? contract.partitions,
      replicationFactor: config.TOPIC_REPLICATION_FACTOR,
      config: contract.config,
      ...(contract.schema !== null && avro
        ? { subject: { name: `${name}-value`, schema: contract.schema, compatibility: 'BACKWARD_TRANSITIVE' as const } }
        : {}),
    }
  })
}
