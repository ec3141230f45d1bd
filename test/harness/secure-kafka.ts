// A real broker that lets nobody in without a reason: TLS, mutual TLS, every SASL mechanism and ACLs, with certificates and
// secrets made for the occasion, and listeners whose certificates are not good. JVM rung only.
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { AclEntry, Admin } from 'kafkajs'
import type { Right } from '../../src/kafka/rights.ts'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import { certificateAuthority } from './certificates.ts'
import type { Authority } from './certificates.ts'
import { NoKafkaError } from './cluster.ts'
import type { KafkaForTests } from './cluster.ts'
import { kafkaForTests } from './kafka.ts'
import { reasonOf } from './readiness.ts'
import { startRegistryGate } from './registry-gate.ts'
import type { RegistryGate } from './registry-gate.ts'
import { startTokenEndpoint } from './token-endpoint.ts'
import type { TokenEndpoint } from './token-endpoint.ts'

/** SASL mechanisms of the listener `secure`, in the spelling of KAFKA_SASL_MECHANISM. */
export const mechanisms = ['scram-sha-512', 'scram-sha-256', 'plain'] as const

/** The broker and everything around it. */
export interface SecureKafka {
  readonly kafka: KafkaForTests
  readonly authority: Authority
  /** An authority that nobody trusts. */
  readonly stranger: Authority
  readonly registry: RegistryGate
  readonly tokens: TokenEndpoint
  /** Every secret value in use, wrong ones included. */
  readonly secrets: readonly string[]
  /** The user of all SASL mechanisms, and a password that is not its own. */
  readonly user: string
  readonly wrongPassword: string
  /** Environment for a listener; `secure` with SCRAM-SHA-512 unless said otherwise. Secrets come in files. */
  readonly env: (listener?: 'secure' | 'mutual' | 'expired' | 'elsewhere', mechanism?: string) => Record<string, string>
  /** A file with this secret and a line end behind it, as secrets are mounted. */
  readonly secretFile: (value: string) => string
  grant(principal: string, rights: readonly Right[]): Promise<void>
  revoke(principal: string, rights: readonly Right[]): Promise<void>
}

const user = 'warden'
const secretOf = (what: string) => `${what}-${randomBytes(12).toString('hex')}`

/** A suite on a secured broker of its own; skipped with the reason where it cannot be had, an error with REQUIRE_KAFKA=1. */
export async function describeOnSecureKafka(name: string, body: (secure: SecureKafka) => void): Promise<void> {
  let started: { readonly secure: SecureKafka; stop(): Promise<void> }
  try {
    started = await startSecureKafka()
  } catch (error) {
    if (!(error instanceof NoKafkaError) || process.env['REQUIRE_KAFKA'] === '1') throw error
    test(name, { skip: error.message })
    return
  }
  describe(name, () => {
    after(() => started.stop())
    body(started.secure)
  })
}

async function startSecureKafka(): Promise<{ readonly secure: SecureKafka; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'trailwarden-secure-'))
  let authority: Authority
  let stranger: Authority
  try {
    authority = certificateAuthority(join(folder, 'authority'))
    stranger = certificateAuthority(join(folder, 'stranger'), 'stranger')
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw new NoKafkaError([`certificates for a secured broker: ${reasonOf(error)}`])
  }
  const passwords = Object.fromEntries(mechanisms.map(mechanism => [mechanism, secretOf(mechanism)]))
  const registryPassword = secretOf('registry')
  const clientSecret = secretOf('oauth')
  const wrongPassword = secretOf('wrong')
  // kafkajs renews a session ten seconds before its token ends: here after six seconds.
  const tokens = await startTokenEndpoint({ clientId: user, clientSecret, audience: 'brokers', lifetimeS: 16 })
  const good = authority.issue({ name: 'broker' })
  const scram = (mechanism: string) =>
    `${mechanism.toUpperCase()}=[name=${user},iterations=4096,password=${passwords[mechanism]}]`
  const stopAll: (() => Promise<unknown>)[] = [() => tokens.close()]
  const stop = async () => {
    for (const each of stopAll) await each()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const kafka = await kafkaForTests({
      own: true,
      listeners: { secure: 'SASL_SSL', mutual: 'SSL', expired: 'SSL', elsewhere: 'SSL' },
      format: ['--add-scram', scram('scram-sha-512'), '--add-scram', scram('scram-sha-256')],
      jvm: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${tokens.jwksUrl}`],
      config: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // Whoever comes by the plain listener: the tests' own administration, and the broker itself.
        'super.users': 'User:ANONYMOUS',
        ...storeOf('secure', good.storeFile),
        ...storeOf('mutual', good.storeFile),
        'listener.name.mutual.ssl.client.auth': 'required',
        'listener.name.mutual.ssl.truststore.type': 'PEM',
        'listener.name.mutual.ssl.truststore.location': authority.caFile,
        ...storeOf('expired', authority.issue({ name: 'broker', expired: true }).storeFile),
        ...storeOf('elsewhere', authority.issue({ name: 'elsewhere', hosts: 'DNS:kafka.example.com' }).storeFile),
        'listener.name.secure.sasl.enabled.mechanisms': 'SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER',
        ...loginOf('scram-sha-512', 'scram.ScramLoginModule required;'),
        ...loginOf('scram-sha-256', 'scram.ScramLoginModule required;'),
        ...loginOf('plain', `plain.PlainLoginModule required user_${user}="${passwords['plain']}";`),
        ...loginOf('oauthbearer', 'oauthbearer.OAuthBearerLoginModule required;'),
        'listener.name.secure.oauthbearer.sasl.server.callback.handler.class':
          'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
        'listener.name.secure.oauthbearer.sasl.oauthbearer.jwks.endpoint.url': tokens.jwksUrl,
        'listener.name.secure.oauthbearer.sasl.oauthbearer.expected.audience': 'brokers',
        // Ends sessions with their token; without it a broker lets a connection outlive its token.
        'listener.name.secure.oauthbearer.connections.max.reauth.ms': '60000',
      },
    })
    stopAll.unshift(() => kafka.stop())
    const gateUser = { username: user, password: registryPassword }
    const registry = await startRegistryGate(kafka.registryUrl, authority.issue({ name: 'registry' }), gateUser)
    stopAll.unshift(() => registry.close())
    const admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    stopAll.unshift(() => admin.disconnect())

    mkdirSync(join(folder, 'secrets'))
    let files = 0
    const secretFile = (value: string): string => {
      const path = join(folder, 'secrets', String(files++))
      writeFileSync(path, `${value}\n`)
      return path
    }
    const common = {
      KAFKA_SSL_CA_FILE: authority.caFile,
      SCHEMA_REGISTRY_URL: registry.url,
      SCHEMA_REGISTRY_USERNAME: user,
      SCHEMA_REGISTRY_PASSWORD_FILE: secretFile(registryPassword),
      SCHEMA_REGISTRY_SSL_CA_FILE: authority.caFile,
    }
    const client = authority.issue({ name: user })
    const env: SecureKafka['env'] = (listener = 'secure', mechanism = 'scram-sha-512') => {
      const KAFKA_BROKERS = kafka.listeners[listener] ?? ''
      if (listener === 'mutual') {
        const files = { KAFKA_SSL_CERT_FILE: client.certFile, KAFKA_SSL_KEY_FILE: client.keyFile }
        return { ...common, ...files, KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL: 'SSL' }
      }
      if (listener !== 'secure') return { ...common, KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL: 'SSL' }
      const sasl = { KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_SASL_MECHANISM: mechanism }
      const who: Record<string, string> =
        mechanism === 'oauthbearer'
          ? {
              KAFKA_OAUTH_TOKEN_URL: tokens.tokenUrl,
              KAFKA_OAUTH_CLIENT_ID: user,
              KAFKA_OAUTH_CLIENT_SECRET_FILE: secretFile(clientSecret),
            }
          : { KAFKA_SASL_USERNAME: user, KAFKA_SASL_PASSWORD_FILE: secretFile(passwords[mechanism] ?? '') }
      return { ...common, ...sasl, ...who }
    }
    const keys = [client.keyFile, good.keyFile].map(path => readFileSync(path, 'utf8').split('\n')[1] ?? '')
    return {
      stop,
      secure: {
        ...{ kafka, authority, stranger, registry, tokens, user, wrongPassword, env, secretFile },
        secrets: [...Object.values(passwords), registryPassword, clientSecret, wrongPassword, ...keys],
        grant: async (principal, rights) => {
          await admin.createAcls({ acl: rights.map(right => aclOf(principal, right)) })
        },
        revoke: (principal, rights) => revoke(admin, principal, rights),
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function storeOf(listener: string, storeFile: string): Record<string, string> {
  return {
    [`listener.name.${listener}.ssl.keystore.type`]: 'PEM',
    [`listener.name.${listener}.ssl.keystore.location`]: storeFile,
  }
}

function loginOf(mechanism: string, module: string): Record<string, string> {
  return { [`listener.name.secure.${mechanism}.sasl.jaas.config`]: `org.apache.kafka.common.security.${module}` }
}

function aclOf(principal: string, { operation, resource, name, prefixed }: Right): AclEntry {
  const types = { Topic: 'TOPIC', Group: 'GROUP', TransactionalId: 'TRANSACTIONAL_ID' } as const
  const operations = {
    Read: 'READ',
    Write: 'WRITE',
    Create: 'CREATE',
    Describe: 'DESCRIBE',
    DescribeConfigs: 'DESCRIBE_CONFIGS',
    AlterConfigs: 'ALTER_CONFIGS',
  } as const
  return {
    principal,
    host: '*',
    resourceType: kafkajs.AclResourceTypes[types[resource]],
    resourceName: name,
    resourcePatternType: kafkajs.ResourcePatternTypes[prefixed ? 'PREFIXED' : 'LITERAL'],
    operation: kafkajs.AclOperationTypes[operations[operation]],
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
  }
}

async function revoke(admin: Admin, principal: string, rights: readonly Right[]): Promise<void> {
  const { filterResponses } = await admin.deleteAcls({ filters: rights.map(right => aclOf(principal, right)) })
  const gone = filterResponses.flatMap(({ matchingAcls }) => matchingAcls).length
  if (gone !== rights.length) throw new Error(`${String(gone)} of ${String(rights.length)} rights were there to revoke`)
}
