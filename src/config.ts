// Configuration: the settings of config-table.ts, read from flags, environment, file and defaults (in that order of precedence)
// into a frozen Config. Every problem is reported at once. The table is also what `--help` and the documentation print.
import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import type { z } from 'zod'
import { settings } from './config-table.ts'
import type { Setting } from './config-table.ts'
import { twError } from './errors.ts'

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
