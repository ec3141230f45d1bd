// From settings to certificates, users and tokens: files are read and tried once, so that a wrong file or password of a
// key is an error of the configuration, not a connection that fails for ever. Nothing read here goes into an error.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Config } from '../config.ts'
import { twError } from '../errors.ts'
import { mskToken, reusingToken, tokenFrom } from '../kafka/bearer-token.ts'
import type { KafkaConnection, TlsFiles } from '../kafka/connection.ts'

type FileSetting = Extract<keyof Config, `${string}_${'CA' | 'CERT' | 'KEY'}_FILE`>
type PasswordSetting = Extract<keyof Config, `${string}_KEY_PASSWORD`>

interface TlsSettings {
  readonly ca: FileSetting
  readonly cert?: FileSetting
  readonly key?: FileSetting
  readonly password?: PasswordSetting
}

const kafka = {
  ca: 'KAFKA_SSL_CA_FILE',
  cert: 'KAFKA_SSL_CERT_FILE',
  key: 'KAFKA_SSL_KEY_FILE',
  password: 'KAFKA_SSL_KEY_PASSWORD',
} as const satisfies TlsSettings
const registry = {
  ca: 'SCHEMA_REGISTRY_SSL_CA_FILE',
  cert: 'SCHEMA_REGISTRY_SSL_CERT_FILE',
  key: 'SCHEMA_REGISTRY_SSL_KEY_FILE',
  password: 'SCHEMA_REGISTRY_SSL_KEY_PASSWORD',
} as const satisfies TlsSettings

/** TLS and SASL of the brokers. @throws TW_CONFIG_INVALID when a certificate or key cannot be read or used */
export function brokerCredentials(config: Config): Pick<KafkaConnection, 'ssl' | 'sasl'> {
  const protocol = config.KAFKA_SECURITY_PROTOCOL
  const sasl = protocol.startsWith('SASL_') ? saslFrom(config) : undefined
  const tls = protocol.endsWith('SSL') ? (tlsFrom(config, kafka) ?? true) : undefined
  return { ...(tls === undefined ? {} : { ssl: tls }), ...(sasl ? { sasl } : {}) }
}

/** TLS of the registry; undefined where the system's authorities do. @throws TW_CONFIG_INVALID as above */
export function registryTls(config: Config): TlsFiles | undefined {
  return tlsFrom(config, registry)
}

function tlsFrom(config: Config, names: TlsSettings): TlsFiles | undefined {
  const read = (name: FileSetting | undefined) => {
    const path = name === undefined ? undefined : config[name]
    if (name === undefined || path === undefined) return undefined
    try {
      return { name, text: readFileSync(path, 'utf8') }
    } catch (error) {
      throw twError('TW_CONFIG_INVALID', `${name} cannot be read.`, error)
    }
  }
  const [ca, cert, key] = [read(names.ca), read(names.cert), read(names.key)]
  const passphrase = names.password === undefined ? undefined : config[names.password]
  const files: TlsFiles = {
    ...(ca ? { ca: ca.text } : {}),
    ...(cert ? { cert: cert.text } : {}),
    ...(key ? { key: key.text } : {}),
    ...(key && passphrase !== undefined ? { passphrase } : {}),
  }
  const used = [ca, cert, key].filter(file => file !== undefined)
  if (used.length === 0) return undefined
  // Node takes a CA file that it cannot read for an empty list, and then trusts nobody.
  for (const file of [ca, cert])
    try {
      if (file) new X509Certificate(file.text)
    } catch (error) {
      throw twError('TW_CONFIG_INVALID', `${file?.name} holds no valid PEM certificate.`, error)
    }
  try {
    createSecureContext(files)
  } catch (error) {
    const names = used.map(({ name }) => name).join(', ')
    const reason = (error as NodeJS.ErrnoException).code ?? 'not valid'
    throw twError('TW_CONFIG_INVALID', `${names} cannot be used together: ${reason}.`, error)
  }
  return files
}

function saslFrom(config: Config): KafkaConnection['sasl'] {
  const mechanism = config.KAFKA_SASL_MECHANISM
  switch (mechanism) {
    case undefined:
      return undefined
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { mechanism, username: config.KAFKA_SASL_USERNAME ?? '', password: config.KAFKA_SASL_PASSWORD ?? '' }
    case 'aws-msk-iam':
      return { mechanism: 'oauthbearer', token: reusingToken(() => mskToken(config.AWS_REGION ?? '')) }
    case 'oauthbearer': {
      const tls = tlsFrom(config, { ca: 'KAFKA_OAUTH_CA_FILE' })
      const endpoint = {
        url: config.KAFKA_OAUTH_TOKEN_URL ?? '',
        clientId: config.KAFKA_OAUTH_CLIENT_ID ?? '',
        clientSecret: config.KAFKA_OAUTH_CLIENT_SECRET ?? '',
        ...(config.KAFKA_OAUTH_SCOPE === undefined ? {} : { scope: config.KAFKA_OAUTH_SCOPE }),
        ...(config.KAFKA_OAUTH_AUDIENCE === undefined ? {} : { audience: config.KAFKA_OAUTH_AUDIENCE }),
        ...(tls ? { tls } : {}),
      }
      const extensions = config.KAFKA_OAUTH_EXTENSIONS
      return {
        mechanism: 'oauthbearer',
        token: reusingToken(() => tokenFrom(endpoint)),
        ...(extensions === undefined ? {} : { extensions }),
      }
    }
  }
}
