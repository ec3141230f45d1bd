// `trailwarden normalize`: raw topic → events topic until stopped; with paths, files → events topic, or JSON on stdout.
import { eventEncoder } from '../codecs/cloudtrail-event.ts'
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import type { LogClient, OutRecord } from '../log/log-client.ts'
import { twError } from '../errors.ts'
import { createMetrics, requestObserver } from '../metrics/metrics.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { observedRegistry } from '../metrics/observed-registry.ts'
import { eventToJson } from '../normalize/json.ts'
import { startNormalizer } from '../pipeline/normalizer.ts'
import { topicContract } from '../topics.ts'
import type { Command, CommandContext } from './command.ts'
import { normalizeFiles, summaryLine } from './files.ts'
import { namingMissingRights } from './rights.ts'
import { onCluster, runService } from './service.ts'
import { connectionFrom, kafkaOptionsFrom, normalizeOptionsFrom, registryFrom } from './settings.ts'

export const normalize: Command = {
  name: 'normalize',
  usage: '[paths…]',
  summary: 'Normalize CloudTrail: raw topic to events topic, or files to the topic or to JSON.',
  details:
    'Without paths it consumes the raw topic until stopped. With paths (files, folders, `-` for stdin) it reads them once:\n' +
    'to the events topic, or with --json to stdout without any Kafka. Every envelope of the README is understood.',
  examples: [
    'trailwarden normalize --json trail/ | head',
    'trailwarden normalize --kafka-brokers kafka:9092 --raw-topic cloudtrail.raw',
  ],
  options: { json: { type: 'boolean', doc: 'With paths: print events as JSON lines instead of producing them.' } },
  settings: [
    'KAFKA_BROKERS',
    'SCHEMA_REGISTRY_URL',
    'RAW_TOPIC',
    'EVENTS_TOPIC',
    'REJECTED_TOPIC',
    'NORMALIZE_GROUP',
    'KAFKA_GROUP_INSTANCE_ID',
    'SOURCE_IDENTITY',
    'HTTP_HOST',
    'HTTP_PORT',
  ],
  async run(context) {
    if (context.positionals.length > 0) return context.options['json'] === true ? toJson(context) : toTopic(context)
    if (context.options['json'] === true) throw twError('TW_USAGE', 'normalize --json needs files, folders or `-`.')
    return fromTopic(context)
  },
}

async function toJson(context: CommandContext): Promise<number> {
  let lines: string[] = []
  const summary = await normalizeFiles({
    paths: context.positionals,
    normalize: normalizeOptionsFrom(context.config),
    err: context.err,
    stop: context.stop,
    take: event => lines.push(eventToJson(event)),
    after: async () => {
      if (lines.length === 0) return
      const text = `${lines.join('\n')}\n`
      lines = []
      await context.out.write(text)
    },
  })
  await context.err.write(`${summaryLine(summary)}\n`)
  return 0
}

async function toTopic(context: CommandContext): Promise<number> {
  const { config } = context
  const { log, encoder, schemaId } = await connect(context, null)
  try {
    const producer = await log.producer({ retryForMs: config.PRODUCE_RETRY_MS })
    let records: OutRecord[] = []
    let tooLarge = 0
    const summary = await normalizeFiles({
      paths: context.positionals,
      normalize: normalizeOptionsFrom(config),
      err: context.err,
      stop: context.stop,
      take: event => {
        const value = encoder.encode(event, schemaId)
        if (value.length <= config.MAX_RECORD_BYTES) records.push({ key: event.principal.key, value })
        else tooLarge++
      },
      after: async () => {
        if (records.length === 0) return
        const batch = records
        records = []
        await producer.send([{ topic: config.EVENTS_TOPIC, records: batch }])
      },
    })
    await producer.close()
    await context.err.write(`${summaryLine(summary)}${tooLarge > 0 ? `; ${tooLarge} too large to produce` : ''}\n`)
    return tooLarge > 0 ? 1 : 0
  } finally {
    await log.close()
  }
}

async function fromTopic(context: CommandContext): Promise<number> {
  const { config } = context
  const metrics = createMetrics('normalize', context.version)
  return runService(context, metrics, 9464, async () => {
    const { log, encoder, schemaId } = await connect(context, metrics)
    const loop = await startNormalizer({
      log,
      group: config.NORMALIZE_GROUP,
      topics: { raw: config.RAW_TOPIC, events: config.EVENTS_TOPIC, rejected: config.REJECTED_TOPIC },
      encoder,
      schemaId,
      normalize: normalizeOptionsFrom(config),
      fastPaths: config.FAST_PATHS,
      maxRecordBytes: config.MAX_RECORD_BYTES,
      batchMaxRecords: config.BATCH_MAX_RECORDS,
      produceRetryMs: config.PRODUCE_RETRY_MS,
      sessionTimeoutMs: config.SESSION_TIMEOUT_MS,
      outOfRange: config.OFFSET_OUT_OF_RANGE,
      metrics,
      logger: context.log,
    }).catch(async (error: unknown) => {
      await log.close()
      throw error
    })
    const { RAW_TOPIC: topic, NORMALIZE_GROUP: group } = config
    return onCluster(loop, { log, topic, group, metrics, logger: context.log })
  }).catch(namingMissingRights(context, 'normalize'))
}

interface Connected {
  readonly log: LogClient
  readonly encoder: ReturnType<typeof eventEncoder>
  readonly schemaId: number
}

/** `metrics` is null for a single run, which nobody scrapes. */
async function connect(context: CommandContext, metrics: Metrics | null): Promise<Connected> {
  const { config } = context
  const schema = topicContract('EVENTS_TOPIC').schema!
  const client = schemaRegistry(registryFrom(config))
  const schemas = metrics === null ? client : observedRegistry(client, metrics)
  const schemaId = await schemas.idOf(`${config.EVENTS_TOPIC}-value`, schema)
  const observing = metrics === null ? {} : { observer: requestObserver(metrics) }
  const log = await kafkaLog(connectionFrom(config), context.log, { ...kafkaOptionsFrom(config), ...observing })
  return { log, encoder: eventEncoder(schema), schemaId }
}
