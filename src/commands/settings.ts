// From Config to the options of the parts: the one place where setting names meet the parts' own names.
import { readFileSync } from 'node:fs'
import type { Config } from '../config.ts'
import { twError } from '../errors.ts'
import type { KafkaConnection } from '../kafka/connection.ts'
import type { KafkaLogOptions } from '../kafka/kafka-log.ts'
import type { RegistrySettings } from '../kafka/registry.ts'
import type { TopicDefinition } from '../kafka/topic-plan.ts'
import type { NormalizeOptions } from '../normalize/raw-value.ts'
import { defaultEnvelopeLimits } from '../sources/envelope.ts'
import { topicContracts } from '../topics.ts'

/** How to reach the brokers. @throws TW_CONFIG_INVALID when a certificate file cannot be read. */
export function connectionFrom(config: Config): KafkaConnection {
  const tls = config.KAFKA_SECURITY_PROTOCOL === 'SSL' || config.KAFKA_SECURITY_PROTOCOL === 'SASL_SSL'
  const file = (name: 'KAFKA_SSL_CA_FILE' | 'KAFKA_SSL_CERT_FILE' | 'KAFKA_SSL_KEY_FILE') => {
    const path = config[name]
    if (path === undefined) return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw twError('TW_CONFIG_INVALID', `${name} cannot be read.`, error)
    }
  }
  const ca = file('KAFKA_SSL_CA_FILE')
  const cert = file('KAFKA_SSL_CERT_FILE')
  const key = file('KAFKA_SSL_KEY_FILE')
  const files = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
  return {
    brokers: config.KAFKA_BROKERS,
    clientId: config.KAFKA_CLIENT_ID,
    ...(tls ? { ssl: Object.keys(files).length === 0 ? true : files } : {}),
    ...(config.KAFKA_SECURITY_PROTOCOL.startsWith('SASL_') &&
    config.KAFKA_SASL_MECHANISM !== undefined &&
    config.KAFKA_SASL_USERNAME !== undefined &&
    config.KAFKA_SASL_PASSWORD !== undefined
      ? {
          sasl: {
            mechanism: config.KAFKA_SASL_MECHANISM,
            username: config.KAFKA_SASL_USERNAME,
            password: config.KAFKA_SASL_PASSWORD,
          },
        }
      : {}),
  }
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

/** The registry and its user. */
export function registryFrom(config: Config): RegistrySettings {
  return {
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
