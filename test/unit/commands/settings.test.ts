// From settings to what the parts take: nothing is lost on the way, and what is not set is not passed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  connectionFrom,
  kafkaOptionsFrom,
  normalizeOptionsFrom,
  registryFrom,
  topicDefinitionsFrom,
} from '../../../src/commands/settings.ts'
import { loadConfig } from '../../../src/config.ts'

const config = (env: Record<string, string> = {}) => loadConfig({ flags: {}, env })
test('a plain connection is brokers and client id, nothing else', () => {
  assert.deepEqual(connectionFrom(config({ KAFKA_BROKERS: 'a:1,b:2' })), {
    brokers: ['a:1', 'b:2'],
    clientId: 'trailwarden',
  })
})

test('TLS goes with the protocols that have it; without files the authorities of the system are asked', () => {
  assert.equal(connectionFrom(config({ KAFKA_SECURITY_PROTOCOL: 'SSL' })).ssl, true)
  assert.equal(connectionFrom(config({ KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT' })).ssl, undefined)
})

test('SASL goes with the SASL_ protocols only, so that no password travels where it was not asked to', () => {
  const user = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' }
  const sasl = { mechanism: 'scram-sha-512', username: 'u', password: 'p' }
  const over = connectionFrom(config({ KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...user }))
  assert.deepEqual([over.sasl, over.ssl], [sasl, true])
  const plain = connectionFrom(config({ KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT', ...user }))
  assert.deepEqual([plain.sasl, plain.ssl], [sasl, undefined])
  assert.equal(connectionFrom(config(user)).sasl, undefined)
})

test('the registry user is passed where there is one', () => {
  assert.deepEqual(registryFrom(config()), { url: 'http://localhost:8081' })
  assert.deepEqual(registryFrom(config({ SCHEMA_REGISTRY_USERNAME: 'u', SCHEMA_REGISTRY_PASSWORD: 'p' })), {
    url: 'http://localhost:8081',
    username: 'u',
    password: 'p',
  })
})

test('limits and what is kept reach the normalizer', () => {
  const options = normalizeOptionsFrom(
    config({
      MAX_DEPTH: '2',
      MAX_INPUT_BYTES: '1000',
      MAX_EXPANDED_BYTES: '2000',
      MAX_RECORDS_PER_ENVELOPE: '3',
      KEEP_REQUEST_PARAMETERS: 'false',
      SOURCE_IDENTITY: 'ignore',
    }),
  )
  const { depth, inputBytes, inflatedBytes, records } = options.limits
  assert.deepEqual([depth, inputBytes, inflatedBytes, records], [2, 1000, 2000, 3])
  assert.deepEqual(
    [options.keepRequestParameters, options.keepResponseElements, options.sourceIdentity],
    [false, true, 'ignore'],
  )
})

test('compression, record size and what to do out of range reach the client', () => {
  const options = kafkaOptionsFrom(
    config({ COMPRESSION: 'zstd', MAX_RECORD_BYTES: '4096', OFFSET_OUT_OF_RANGE: 'earliest' }),
  )
  assert.deepEqual(options, { compression: 'zstd', maxBatchBytes: 4096, outOfRange: 'earliest' })
  assert.equal(kafkaOptionsFrom(config({ KAFKA_GROUP_INSTANCE_ID: 'detect-0' })).groupInstanceId, 'detect-0')
})

test('topics come under their configured names, state with as many partitions as events', () => {
  const definitions = topicDefinitionsFrom(
    config({ EVENTS_TOPIC: 'e', TOPIC_PARTITIONS: '12', TOPIC_REPLICATION_FACTOR: '3' }),
  )
  assert.deepEqual(
    definitions.map(({ name, partitions, replicationFactor, subject }) => [
      name,
      partitions,
      replicationFactor,
      subject?.name,
      subject?.compatibility,
    ]),
    [
      ['e', 12, 3, 'e-value', 'BACKWARD_TRANSITIVE'],
      ['cloudtrail.alerts.v1', 12, 3, 'cloudtrail.alerts.v1-value', 'BACKWARD_TRANSITIVE'],
      ['cloudtrail.detector-state.v1', 12, 3, 'cloudtrail.detector-state.v1-value', 'BACKWARD_TRANSITIVE'],
      ['cloudtrail.rejected.v1', 12, 3, undefined, undefined],
    ],
  )
  const [events, , state] = topicDefinitionsFrom(config())
  assert.equal(events!.partitions, state!.partitions)
  assert.equal(state!.config['cleanup.policy'], 'compact')
})

test('alerts in JSON have no subject', () => {
  const alerts = topicDefinitionsFrom(config({ ALERT_FORMAT: 'json' }))[1]!
  assert.deepEqual([alerts.name, alerts.subject], ['cloudtrail.alerts.v1', undefined])
})
