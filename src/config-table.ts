// The table of settings: what each accepts, its default and what it means. config.ts reads values into it from flags,
// environment and file; `--help` and docs/configuration.md print it.
import { z } from 'zod'

/** One setting. */
export interface Setting<T> {
  readonly schema: z.ZodType<T>
  /** Text as a user would write it; undefined where the setting is off unless given. */
  readonly default: string | undefined
  readonly doc: string
  /** A secret is masked wherever the configuration is shown, and may come from the file named by NAME_FILE. */
  readonly secret?: true
}

function setting<T>(schema: z.ZodType<T>, preset: string | undefined, doc: string, secret?: true): Setting<T> {
  return { schema, default: preset, doc, ...(secret ? { secret } : {}) }
}

const text = z.string().min(1)
const optionalText = text.optional()
const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, 'a whole number is expected')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
const flag = z.enum(['true', 'false']).transform(value => value === 'true')
const list = text
  .transform(value =>
    value
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== ''),
  )
  .pipe(z.array(z.string()).min(1, 'a list with at least one entry is expected'))
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'an address http://… or https://… is expected' })
  .refine(value => !/^https?:\/\/[^/?#]*@/i.test(value), 'user and password have settings of their own')
const topicName = text.regex(/^[A-Za-z0-9._-]{1,249}$/, 'a Kafka topic name has 1 to 249 of A-Z a-z 0-9 . _ -')
const instanceId = text.regex(/^[A-Za-z0-9._-]{1,249}$/, 'an instance id has 1 to 249 of A-Z a-z 0-9 . _ -')

/** `name=value,…`: SASL extensions, names of letters as RFC 7628 has them. */
const extensions = text
  .regex(/^[A-Za-z]+=[\x21-\x2b\x2d-\x7e]+(,[A-Za-z]+=[\x21-\x2b\x2d-\x7e]+)*$/, 'name=value,… is expected')
  .transform(value => Object.fromEntries(value.split(',').map(pair => pair.split(/=(.*)/s).slice(0, 2))) as Pairs)
type Pairs = Readonly<Record<string, string>>

/** Every setting by the name of its environment variable. */
export const settings = {
  KAFKA_BROKERS: setting(list, 'localhost:9092', 'Bootstrap brokers, host:port separated by commas.'),
  KAFKA_CLIENT_ID: setting(text, 'trailwarden', 'Client id shown in broker logs and quotas.'),
  KAFKA_SECURITY_PROTOCOL: setting(
    z.enum(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']),
    'PLAINTEXT',
    'How to talk to the brokers.',
  ),
  KAFKA_SASL_MECHANISM: setting(
    z.enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws-msk-iam']).optional(),
    undefined,
    'SASL mechanism, needed with a SASL_ protocol: plain, scram-sha-256, scram-sha-512, oauthbearer or aws-msk-iam.',
  ),
  KAFKA_SASL_USERNAME: setting(optionalText, undefined, 'SASL user of plain and scram.'),
  KAFKA_SASL_PASSWORD: setting(optionalText, undefined, 'SASL password.', true),
  KAFKA_SSL_CA_FILE: setting(optionalText, undefined, 'PEM file of the certificate authority of the brokers.'),
  KAFKA_SSL_CERT_FILE: setting(optionalText, undefined, 'PEM file of the client certificate (mutual TLS).'),
  KAFKA_SSL_KEY_FILE: setting(optionalText, undefined, 'PEM file of the client key (mutual TLS).'),
  KAFKA_SSL_KEY_PASSWORD: setting(optionalText, undefined, 'Password of the client key, where it has one.', true),
  KAFKA_OAUTH_TOKEN_URL: setting(
    httpUrl.optional(),
    undefined,
    'Token endpoint for oauthbearer (client credentials, RFC 6749).',
  ),
  KAFKA_OAUTH_CLIENT_ID: setting(optionalText, undefined, 'Client id at the token endpoint.'),
  KAFKA_OAUTH_CLIENT_SECRET: setting(optionalText, undefined, 'Client secret at the token endpoint.', true),
  KAFKA_OAUTH_SCOPE: setting(optionalText, undefined, 'Scope to ask the token endpoint for.'),
  KAFKA_OAUTH_AUDIENCE: setting(optionalText, undefined, 'Audience to ask the token endpoint for.'),
  KAFKA_OAUTH_CA_FILE: setting(optionalText, undefined, 'PEM file of the certificate authority of the token endpoint.'),
  KAFKA_OAUTH_EXTENSIONS: setting(
    extensions.optional(),
    undefined,
    'SASL extensions sent with the token, name=value separated by commas (Confluent Cloud: logicalCluster, identityPoolId).',
  ),
  AWS_REGION: setting(
    text.regex(/^[a-z0-9-]+$/, 'an AWS region is expected').optional(),
    undefined,
    'Region of the MSK cluster for aws-msk-iam. Credentials come from the AWS default chain.',
  ),
  SCHEMA_REGISTRY_URL: setting(
    httpUrl,
    'http://localhost:8081',
    'Confluent-compatible schema registry; the address may have a path.',
  ),
  SCHEMA_REGISTRY_USERNAME: setting(optionalText, undefined, 'Registry user (basic authentication).'),
  SCHEMA_REGISTRY_PASSWORD: setting(optionalText, undefined, 'Registry password.', true),
  SCHEMA_REGISTRY_SSL_CA_FILE: setting(
    optionalText,
    undefined,
    'PEM file of the certificate authority of an https registry.',
  ),
  SCHEMA_REGISTRY_SSL_CERT_FILE: setting(
    optionalText,
    undefined,
    'PEM file of the client certificate for the registry (mutual TLS).',
  ),
  SCHEMA_REGISTRY_SSL_KEY_FILE: setting(optionalText, undefined, 'PEM file of its key.'),
  SCHEMA_REGISTRY_SSL_KEY_PASSWORD: setting(optionalText, undefined, 'Password of that key, where it has one.', true),
  RAW_TOPIC: setting(topicName, 'cloudtrail.raw', 'Topic that CloudTrail lands on, in any envelope.'),
  EVENTS_TOPIC: setting(topicName, 'cloudtrail.events.v1', 'Topic of normalized events.'),
  ALERTS_TOPIC: setting(topicName, 'cloudtrail.alerts.v1', 'Topic of alerts.'),
  STATE_TOPIC: setting(topicName, 'cloudtrail.detector-state.v1', "Changelog topic of the detector's state."),
  REJECTED_TOPIC: setting(topicName, 'cloudtrail.rejected.v1', 'Topic of dead letters.'),
  NORMALIZE_GROUP: setting(text, 'trailwarden-normalize', 'Consumer group of normalize.'),
  DETECT_GROUP: setting(text, 'trailwarden-detect', 'Consumer group of detect; part of its transactional ids.'),
  TOPIC_PARTITIONS: setting(
    integer(1, 10_000).optional(),
    undefined,
    'Partitions of topics that `topics apply` creates; default as in topics/*/topic.yaml.',
  ),
  TOPIC_REPLICATION_FACTOR: setting(integer(1, 100), '1', 'Replication factor of topics that `topics apply` creates.'),
  ALERT_FORMAT: setting(z.enum(['avro', 'json']), 'avro', 'Value format of the alerts topic.'),
  RULES: setting(optionalText, undefined, 'Rule files or folders, separated by commas; default: the shipped rules.'),
  SUPPRESSIONS: setting(optionalText, undefined, 'Suppression file; default: the shipped one.'),
  KEEP_REQUEST_PARAMETERS: setting(flag, 'true', 'Keep requestParameters as JSON text in the event.'),
  KEEP_RESPONSE_ELEMENTS: setting(flag, 'true', 'Keep responseElements as JSON text in the event.'),
  KEEP_ADDITIONAL_EVENT_DATA: setting(flag, 'true', 'Keep additionalEventData as JSON text in the event.'),
  SOURCE_IDENTITY: setting(
    z.enum(['trust', 'ignore']),
    'trust',
    'Whether sourceIdentity decides the principal. Ignore it where trust policies let callers choose it freely.',
  ),
  MAX_INPUT_BYTES: setting(
    integer(1, 1 << 30),
    '10485760',
    'Largest raw record or file chunk, bytes; larger ones are rejected.',
  ),
  MAX_EXPANDED_BYTES: setting(
    integer(1, 1 << 30),
    '67108864',
    'Largest size after gunzip, bytes; a larger one is rejected.',
  ),
  MAX_RECORDS_PER_ENVELOPE: setting(integer(1, 10_000_000), '100000', 'Most CloudTrail records in one envelope.'),
  MAX_DEPTH: setting(integer(1, 32), '4', 'Most envelopes inside each other.'),
  MAX_RECORD_BYTES: setting(
    integer(1024, 1 << 30),
    '900000',
    'Largest encoded event or alert; a larger event is rejected. Keep below max.message.bytes of the topic.',
  ),
  COMPRESSION: setting(
    z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']),
    'none',
    'Compression of what is produced. Costs CPU here, saves network and disk there.',
  ),
  BATCH_MAX_RECORDS: setting(
    integer(1, 100_000),
    '5000',
    'Most input records per transaction or commit. Larger is cheaper per record, smaller is less to redo.',
  ),
  FAST_PATHS: setting(
    flag,
    'true',
    'Read the common forms of records without building objects. Results are the same either way; off is for doubt.',
  ),
  PRODUCE_RETRY_MS: setting(
    integer(0, 86_400_000),
    '300000',
    'How long a failed produce, or a failed opening of a partition, is redone before the process stops.',
  ),
  SESSION_TIMEOUT_MS: setting(
    integer(6000, 300_000),
    '10000',
    'Group session: a killed process holds its partitions for this long.',
  ),
  KAFKA_GROUP_INSTANCE_ID: setting(
    instanceId.optional(),
    undefined,
    'Name of this process in its consumer group, its own and the same after every restart (a StatefulSet pod name). A restart within SESSION_TIMEOUT_MS then moves no partition; a process that is gone for good holds its partitions for that long.',
  ),
  OFFSET_OUT_OF_RANGE: setting(
    z.enum(['fail', 'earliest']),
    'fail',
    'When retention has overtaken the committed position: stop, or go on with what is left.',
  ),
  HTTP_HOST: setting(text, '127.0.0.1', 'Address that /metrics, /livez and /readyz bind to.'),
  HTTP_PORT: setting(
    integer(0, 65_535).optional(),
    undefined,
    'Their port; default 9464 for normalize and 9465 for detect, 0 takes a free one.',
  ),
  LOG_LEVEL: setting(
    z.enum(['silent', 'error', 'warn', 'info', 'debug']),
    'info',
    'Least level that is logged (JSON on stderr).',
  ),
} as const
