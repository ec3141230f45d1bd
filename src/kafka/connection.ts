// From connection settings to the one kafkajs client of a process, with kafkajs' log brought down to what an operator
// should see. One client per process, because kafkajs shares committed offsets between producer and consumer through it.
// Passwords and keys go into the client and nowhere else.

import type { Kafka, KafkaConfig, LogEntry, OauthbearerProviderResponse, SASLOptions } from 'kafkajs'
import { twError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { readingInPlace } from './corrections/whole-responses.ts'
import { kafkajs } from './kafkajs.ts'

/** A user with a password; the mechanism decides how it travels. */
export interface SaslUser {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** A user by token (OAUTHBEARER; MSK IAM is one too). `token` is asked at every (re)authentication and reuses its own. */
export interface SaslToken {
  readonly mechanism: 'oauthbearer'
  readonly token: () => Promise<string>
  /** SASL extensions (RFC 7628), as some services want them to find the cluster. */
  readonly extensions?: Readonly<Record<string, string>>
}

/** PEM texts (or bytes) for TLS; `true` alone means TLS with the system's authorities. */
export interface TlsFiles {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly servername?: string
}

/** How to reach the cluster. `brokers` are `host:port`. */
export interface KafkaConnection {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly ssl?: TlsFiles | boolean
  readonly sasl?: SaslUser | SaslToken
}

/** The client. Does not connect; throws TW_CONFIG_INVALID without brokers. */
export function connectionOf(connection: KafkaConnection, logger: Logger): Kafka {
  if (connection.brokers.length === 0) throw twError('TW_CONFIG_INVALID', 'No Kafka brokers are configured.')
  const config: KafkaConfig = {
    brokers: [...connection.brokers],
    clientId: connection.clientId,
    connectionTimeout: 3_000,
    authenticationTimeout: 10_000,
    requestTimeout: 30_000,
    socketFactory: readingInPlace,
    // For connecting and finding coordinators. Five retries (the default) end a consumer in an ordinary broker restart.
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 10 },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => entry => {
      forward(entry, logger)
    },
  }
  if (connection.ssl !== undefined) config.ssl = connection.ssl
  if (connection.sasl) config.sasl = saslOf(connection.sasl)
  return new kafkajs.Kafka(config)
}

function saslOf(sasl: SaslUser | SaslToken): SASLOptions {
  if (sasl.mechanism !== 'oauthbearer') return { ...sasl }
  const { token, extensions } = sasl
  const oauthBearerProvider = async (): Promise<OauthbearerProviderResponse> => ({
    value: await token(),
    // kafkajs writes them into its request; its published types leave them out.
    ...(extensions === undefined ? {} : { extensions }),
  })
  return { mechanism: 'oauthbearer', oauthBearerProvider }
}

// Fields of kafkajs' entries that are safe and useful; everything else stays out (requests, payloads, stacks, members).
const kept = ['error', 'broker', 'groupId', 'topic', 'partition', 'retryCount', 'groupProtocol', 'isLeader'] as const

// kafkajs reports as ERROR what it retries itself, and what its caller handles: a transaction that is still being ended,
// a coordinator that moves, a leader election, a rebalance.
const routine =
  /concurrent|coordinator|rebalanc|re-joining|leader|metadata|retry|connection|closed|generation|topic-partition/i

/** Passes one kafkajs log entry on: errors it retries become debug, other errors warn, information debug. */
export function forward(entry: Pick<LogEntry, 'namespace' | 'level' | 'log'>, logger: Logger): void {
  const { log, namespace, level } = entry
  const fields: Record<string, unknown> = { component: `kafkajs/${namespace}` }
  for (const name of kept) if (log[name] !== undefined) fields[name] = log[name]
  const sentence = String(log.message)
  const loud = level === kafkajs.logLevel.ERROR || level === kafkajs.logLevel.WARN
  if (loud && !routine.test(`${sentence} ${String(log['error'] ?? '')}`)) logger.warn(fields, sentence)
  else logger.debug(fields, sentence)
}
