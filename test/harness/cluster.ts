// What a Kafka for tests is, whichever rung of the ladder it came from, and the broker settings that all rungs share.
// Promises that the Docker and JVM rungs run the same configuration, so that a test means the same on both.
import { randomBytes } from 'node:crypto'

/** What a test asks for. */
export interface KafkaOptions {
  /** One broker, or three with replication factor 3 and two in-sync replicas required. Default 1. */
  readonly nodes?: 1 | 3
  /** Also start a schema registry. Default true. */
  readonly registry?: boolean
  /** Broker properties on top of the defaults, in Kafka's own names, for example `log.retention.ms`. */
  readonly config?: Readonly<Record<string, string>>
  /**
   * Listeners of the first broker beside the plain one, by name, with `listener.name.<name>.*` settings in `config`. On the
   * JVM rung only; where they are is told by `listeners`.
   */
  readonly listeners?: Readonly<Record<string, 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT'>>
  /** More arguments for `kafka-storage format`, such as `--add-scram`. JVM rung only. */
  readonly format?: readonly string[]
  /** More arguments for the broker's JVM. JVM rung only. */
  readonly jvm?: readonly string[]
  /** True for a test that stops or kills brokers: it never gets the shared one. Implied by all of these but `registry`. */
  readonly own?: boolean
}

/** A running Kafka. Brokers are numbered from 0 in the order of `brokers`. */
export interface KafkaForTests {
  readonly how: 'env' | 'docker' | 'jvm'
  /** `host:port` of each broker; the addresses survive a restart. */
  readonly brokers: string[]
  /** `host:port` of the further listeners that were asked for, by name. */
  readonly listeners: Readonly<Record<string, string>>
  /** Confluent-compatible API root, or '' when no registry was asked for. */
  readonly registryUrl: string
  /** Log files of the processes; empty for brokers that are not ours. */
  readonly logs: string[]
  /** Process ids of the brokers that run now (JVM rung only), for SIGSTOP and the like. */
  readonly pids: number[]
  /** Milliseconds each step of the start took. */
  readonly timings: Readonly<Record<string, number>>
  /** Ends everything that was started here and removes its data. Safe to call twice. */
  stop(): Promise<void>
  /** Clean shutdown and start on the same address with the same data. */
  restartBroker(index: number): Promise<void>
  /** SIGKILL. The data stays. */
  killBroker(index: number): Promise<void>
  /** Starts a killed broker again; resolves when it answers. */
  startBroker(index: number): Promise<void>
}

/** Whether a test asks for what only the JVM rung can start. */
export function needsJvm({ listeners, format, jvm }: KafkaOptions): boolean {
  return listeners !== undefined || format !== undefined || jvm !== undefined
}

/** Nothing on the ladder worked; `tried` has one line for each rung and its reason. */
export class NoKafkaError extends Error {
  readonly tried: readonly string[]

  constructor(tried: readonly string[]) {
    super(
      'no Kafka for the tests: set KAFKA_BROKERS and SCHEMA_REGISTRY_URL, or start a Docker engine, ' +
        `or install Java 17 or newer and Maven\n${tried.map(reason => `  - ${reason}`).join('\n')}`,
    )
    this.name = 'NoKafkaError'
    this.tried = tried
  }
}

/**
 * Broker properties for a cluster of `nodes`, without identity, listeners and folders.
 * Small internal topics and no initial rebalance delay: the defaults cost seconds in every test.
 */
export function sharedBrokerConfig(
  nodes: 1 | 3,
  overrides: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const replicas = String(nodes)
  const inSync = nodes === 3 ? '2' : '1'
  return {
    'process.roles': 'broker,controller',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '5',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
    // A killed broker may come back only when its old session has ended: 9 s by default.
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '500',
    // 128 MB by default, more than a third of the heap these brokers get.
    'log.cleaner.dedupe.buffer.size': '4194304',
    ...overrides,
  }
}

/**
 * Environment variable by which the apache/kafka image sets a broker property.
 * @see https://github.com/apache/kafka/blob/trunk/docker/examples/README.md
 */
export function imageVariable(property: string): string {
  const escapes: Record<string, string> = { '.': '_', _: '__', '-': '___' }
  return `KAFKA_${property.replaceAll(/[._-]/g, character => escapes[character] ?? '')}`.toUpperCase()
}

/** A cluster id in Kafka's form: 16 bytes in URL-safe base64, and no leading dash, which the format tool reads as a flag. */
export function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A')
}

/** `prefix-` and eight random hex digits: tests share one cluster, so every topic, group and transactional id is its own. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`
}
