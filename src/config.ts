// Configuration: one table of settings, read from flags, environment, file and defaults (in that order of precedence)
// into a frozen Config. Every problem is reported at once. The table is also what `--help` and the documentation print.
import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { twError } from './errors.ts'

interface Setting<T> {
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

const settings = {
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
    '120000',
    'How long a failed produce is redone before the process stops.',
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

type Settings = typeof settings
/** Name of a setting: the environment variable; the flag is its kebab form (`KAFKA_BROKERS` → `--kafka-brokers`). */
export type SettingName = keyof Settings
/** The configuration in force. Frozen. */
export type Config = { readonly [K in SettingName]: z.infer<Settings[K]['schema']> }

/** Names of all settings in the order of the table. */
export const settingNames = Object.keys(settings) as readonly SettingName[]

/** The flag of a setting, without the dashes. */
export function flagOf(name: SettingName): string {
  return name.toLowerCase().replaceAll('_', '-')
}

/** One row per setting, for `--help` and docs. */
export function describeSettings(): readonly { name: SettingName; flag: string; default: string; doc: string }[] {
  return settingNames.map(name => ({
    name,
    flag: `--${flagOf(name)}`,
    default: settings[name].default ?? '',
    doc:
      'secret' in settings[name] ? `${settings[name].doc} Or the file named by \`${name}_FILE\`.` : settings[name].doc,
  }))
}

/** Where values come from, most important first. */
export interface ConfigSources {
  readonly flags: Readonly<Partial<Record<string, string>>>
  readonly env: Readonly<Partial<Record<string, string>>>
  /** Path of a YAML or JSON file with setting names as keys. */
  readonly file?: string | undefined
}

/**
 * Reads the configuration. Unknown names in the file are errors; the environment may hold anything.
 * @throws TW_CONFIG_INVALID naming every bad setting, its value (secrets masked) and what is accepted.
 */
export function loadConfig(sources: ConfigSources): Config {
  const problems: string[] = []
  const fromFile = sources.file === undefined ? {} : readConfigFile(sources.file, problems)
  const result: Record<string, unknown> = {}
  for (const name of settingNames) {
    const { schema, default: preset, secret } = settings[name] as Setting<unknown>
    const raw =
      sources.flags[name] ?? envValue(name, secret === true, sources.env, problems) ?? fromFile[name] ?? preset
    const parsed = schema.safeParse(raw)
    if (parsed.success) result[name] = parsed.data
    else {
      const shown = secret ? '(hidden)' : withoutUser(JSON.stringify(raw))
      problems.push(`${name} = ${shown}: ${parsed.error.issues.map(issue => issue.message).join('; ')}`)
    }
  }
  if (problems.length === 0) crossChecks(result as Config, problems)
  if (problems.length > 0)
    throw twError('TW_CONFIG_INVALID', `The configuration is not valid:\n  ${problems.join('\n  ')}`)
  return Object.freeze(result) as Config
}

/** The configuration as it is in force, secrets masked: name → text. */
export function showConfig(config: Config): Record<string, string> {
  return Object.fromEntries(
    settingNames
      .filter(name => config[name] !== undefined)
      .map(name => [name, 'secret' in settings[name] ? '********' : textOf(config[name])]),
  )
}

/** The secrets in force, for whoever has to keep them out of what is written. */
export function secretsOf(config: Config): readonly string[] {
  return settingNames.flatMap(name => {
    const value = config[name]
    return 'secret' in settings[name] && typeof value === 'string' ? [value] : []
  })
}

/** The names that secrets in force belong to. */
export function usersOf(config: Config): readonly string[] {
  const names = [config.KAFKA_SASL_USERNAME, config.KAFKA_OAUTH_CLIENT_ID, config.SCHEMA_REGISTRY_USERNAME]
  return names.filter(name => name !== undefined)
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return String(value)
  return Object.entries(value)
    .map(pair => pair.join('='))
    .join(',')
}

/** A password may stand in an address that is refused for it. */
function withoutUser(shown: string): string {
  return shown.replace(/:\/\/[^/?#]*@/g, '://(hidden)@')
}

function envValue(name: string, secret: boolean, env: ConfigSources['env'], problems: string[]): string | undefined {
  const direct = env[name]
  if (direct !== undefined && direct !== '') return direct
  const path = secret ? env[`${name}_FILE`] : undefined
  if (path === undefined || path === '') return undefined
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    problems.push(`${name}_FILE: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
    return undefined
  }
}

function readConfigFile(path: string, problems: string[]): Partial<Record<string, string>> {
  let parsed: unknown
  try {
    parsed = parseYaml(readFileSync(path, 'utf8'))
  } catch (error) {
    problems.push(`${path}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'cannot be read'}`)
    return {}
  }
  if (parsed === null || parsed === undefined) return {}
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    problems.push(`${path}: expected a map of setting names to values`)
    return {}
  }
  const values: Partial<Record<string, string>> = {}
  for (const [name, value] of Object.entries(parsed)) {
    if (!Object.hasOwn(settings, name)) problems.push(`${path}: unknown setting ${name}`)
    else if (Array.isArray(value)) values[name] = value.map(String).join(',')
    else if (typeof value === 'object' && value !== null) problems.push(`${path}: ${name} is a map, not a value`)
    // `NAME:` with nothing behind it is a setting that is not set.
    else if (value !== null) values[name] = String(value)
  }
  return values
}

const user = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const
const neededFor = {
  none: ['KAFKA_SASL_MECHANISM'],
  plain: user,
  'scram-sha-256': user,
  'scram-sha-512': user,
  oauthbearer: ['KAFKA_OAUTH_TOKEN_URL', 'KAFKA_OAUTH_CLIENT_ID', 'KAFKA_OAUTH_CLIENT_SECRET'],
  'aws-msk-iam': ['AWS_REGION'],
} as const satisfies Record<string, readonly SettingName[]>

function crossChecks(config: Config, problems: string[]): void {
  if (config.KAFKA_SECURITY_PROTOCOL.startsWith('SASL_')) {
    const mechanism = config.KAFKA_SASL_MECHANISM
    const what = mechanism ?? config.KAFKA_SECURITY_PROTOCOL
    for (const name of neededFor[mechanism ?? 'none'])
      if (config[name] === undefined) problems.push(`${name} is needed with ${what}`)
  }
  for (const [cert, key] of [
    ['KAFKA_SSL_CERT_FILE', 'KAFKA_SSL_KEY_FILE'],
    ['SCHEMA_REGISTRY_SSL_CERT_FILE', 'SCHEMA_REGISTRY_SSL_KEY_FILE'],
  ] as const)
    if ((config[cert] === undefined) !== (config[key] === undefined))
      problems.push(`${cert} and ${key} belong together`)
  if (config.SCHEMA_REGISTRY_PASSWORD !== undefined && config.SCHEMA_REGISTRY_USERNAME === undefined)
    problems.push('SCHEMA_REGISTRY_PASSWORD needs SCHEMA_REGISTRY_USERNAME')
  // Two roles on one topic feed a loop its own output; two topics in one group take each other's partitions away.
  distinct(config, ['RAW_TOPIC', 'EVENTS_TOPIC', 'ALERTS_TOPIC', 'STATE_TOPIC', 'REJECTED_TOPIC'], problems)
  distinct(config, ['NORMALIZE_GROUP', 'DETECT_GROUP'], problems)
}

function distinct(config: Config, names: readonly SettingName[], problems: string[]): void {
  for (const [index, name] of names.entries()) {
    const same = names.slice(0, index).find(earlier => config[earlier] === config[name])
    if (same !== undefined) problems.push(`${same} and ${name} are both ${textOf(config[name])}`)
  }
}
