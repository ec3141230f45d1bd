// The broker of the Kafka bench with its topics: the raw topic filled with the bench data, the events topic with what
// the normalizer makes of it, and as many empty sets of output topics as rows ask for.
import { randomBytes } from 'node:crypto'
import { kafkaLog } from '../../src/kafka/kafka-log.ts'
import { topicAdmin } from '../../src/kafka/topics.ts'
import { schemaRegistry } from '../../src/kafka/registry.ts'
import { topicDefinitionsFrom } from '../../src/commands/settings.ts'
import { loadConfig } from '../../src/config.ts'
import type { LogClient, OutRecord } from '../../src/log/log-client.ts'
import type { KafkaForTests } from '../../test/harness/cluster.ts'
import { kafkaForTests } from '../../test/harness/kafka.ts'
import { eventEncoder } from '../../src/codecs/cloudtrail-event.ts'
import { cloudTrailLines } from '../data.ts'
import { eventsOf, schema } from '../events.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** Settings of one row: topics and groups of its own where it writes. */
export interface Line {
  readonly env: Readonly<Record<string, string>>
  readonly topics: Readonly<Record<'raw' | 'events' | 'alerts' | 'state' | 'rejected', string>>
  readonly groups: Readonly<Record<'normalize' | 'detect', string>>
}

export class BenchCluster {
  readonly kafka: KafkaForTests
  readonly log: LogClient

  private constructor(kafka: KafkaForTests, log: LogClient) {
    this.kafka = kafka
    this.log = log
  }

  static async start(): Promise<BenchCluster> {
    const kafka = await kafkaForTests({ own: true }, line => console.error(line))
    return new BenchCluster(kafka, await kafkaLog({ brokers: kafka.brokers, clientId: 'bench' }, quiet))
  }

  async stop(): Promise<void> {
    await this.log.close()
    await this.kafka.stop()
  }

  /** Makes the topics of a row; `input` names topics that exist already and are shared between rows. */
  async line(input: Partial<Line['topics']>, partitions: number): Promise<Line> {
    const prefix = `bench${randomBytes(3).toString('hex')}`
    const topic = (name: keyof Line['topics']) => input[name] ?? `${prefix}.${name}`
    const topics = {
      raw: topic('raw'),
      events: topic('events'),
      alerts: topic('alerts'),
      state: topic('state'),
      rejected: topic('rejected'),
    }
    const groups = { normalize: `${prefix}-normalize`, detect: `${prefix}-detect` }
    const env = {
      KAFKA_BROKERS: this.kafka.brokers.join(','),
      SCHEMA_REGISTRY_URL: this.kafka.registryUrl,
      RAW_TOPIC: topics.raw,
      EVENTS_TOPIC: topics.events,
      ALERTS_TOPIC: topics.alerts,
      STATE_TOPIC: topics.state,
      REJECTED_TOPIC: topics.rejected,
      NORMALIZE_GROUP: groups.normalize,
      DETECT_GROUP: groups.detect,
      TOPIC_PARTITIONS: String(partitions),
      HTTP_PORT: '0',
    }
    const admin = await topicAdmin(
      { brokers: this.kafka.brokers, clientId: 'bench' },
      quiet,
      schemaRegistry({ url: this.kafka.registryUrl }),
    )
    await admin.apply([{ name: topics.raw, partitions, replicationFactor: 1, config: {} }])
    await admin.apply(topicDefinitionsFrom(loadConfig({ flags: {}, env })))
    await admin.close()
    return { env, topics, groups }
  }

  /** Writes records to a topic, spread over its partitions; `valueOf` turns a JSON line into what is written. */
  async fill(
    topic: string,
    lines: Iterable<string>,
    valueOf: (line: string) => OutRecord = line => ({ key: null, value: Buffer.from(line) }),
  ): Promise<void> {
    const producer = await this.log.producer()
    let records: OutRecord[] = []
    for (const line of lines) {
      records.push(valueOf(line))
      if (records.length < 4_000) continue
      await producer.send([{ topic, records }])
      records = []
    }
    if (records.length > 0) await producer.send([{ topic, records }])
    await producer.close()
  }

  /** Writes JSON lines to the events topic of a row, as the normalizer would. */
  async fillEvents({ topics }: Line, lines: Iterable<string>): Promise<void> {
    const id = await schemaRegistry({ url: this.kafka.registryUrl }).idOf(`${topics.events}-value`, schema)
    const encoder = eventEncoder(schema)
    await this.fill(topics.events, lines, line => {
      const [event] = eventsOf([line])
      return { key: event!.principal.key, value: Buffer.from(encoder.encode(event!, id)) }
    })
  }

  /** A raw topic with the bench data in it, and nothing on the events topic yet. */
  async input(count: number, partitions: number, names: Partial<Line['topics']> = {}): Promise<Line> {
    const line = await this.line(names, partitions)
    await this.fill(line.topics.raw, cloudTrailLines(count))
    return line
  }
}
