// `trailwarden demo`: a generated attack through the whole line: raw topic, normalizer, events topic, detector, alerts.
// In process by default, with the same loops on the in-process log; with --kafka on a real broker and registry.
import { setTimeout as sleep } from 'node:timers/promises'
import { writeFile } from 'node:fs/promises'
import { alertToJson } from '../alerts/json.ts'
import type { Alert } from '../alerts/alert.ts'
import { counted } from '../alerts/wording.ts'
import { alertDecoder } from '../codecs/alert.ts'
import { eventEncoder } from '../codecs/cloudtrail-event.ts'
import type { Config } from '../config.ts'
import { twError } from '../errors.ts'
import { inProcessLog } from '../log/in-process.ts'
import type { LogClient } from '../log/log-client.ts'
import { localSchemas } from '../log/schema-source.ts'
import type { SchemaSource } from '../log/schema-source.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { startDetector } from '../pipeline/detector.ts'
import { startNormalizer } from '../pipeline/normalizer.ts'
import { topicContract } from '../topics.ts'
import type { Command, CommandContext } from './command.ts'
import { textOption } from './command.ts'
import { demoCluster } from './demo-cluster.ts'
import { demoLines, demoScenario } from './demo-scenario.ts'
import { detectorOptions } from './detector-parts.ts'
import { detectionFrom } from './rule-set.ts'
import { normalizeOptionsFrom } from './settings.ts'

export const demo: Command = {
  name: 'demo',
  usage: '',
  summary: 'Send a generated attack through the whole line and show what is seen.',
  details:
    'Invented traffic of a small company with an attack inside, duplicates and disorder included, goes through the raw topic,\n' +
    'the normalizer, the events topic and the detector. In process by default: no Docker, no Java, no Kafka.\n' +
    'With --kafka it runs on KAFKA_BROKERS and SCHEMA_REGISTRY_URL where set, else on a broker that it finds or starts.',
  examples: ['trailwarden demo', 'trailwarden demo --write demo.jsonl && trailwarden replay demo.jsonl'],
  options: {
    kafka: { type: 'boolean', doc: 'Run on a real Kafka and schema registry.' },
    json: { type: 'boolean', doc: 'Print the alerts as JSON lines and nothing else on stdout.' },
    write: { type: 'string', value: '<file>', doc: 'Only write the scenario as JSON lines of CloudTrail records.' },
  },
  settings: ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'RULES', 'SUPPRESSIONS'],
  async run(context) {
    const path = textOption(context, 'write')
    if (path !== undefined) {
      await writeFile(path, demoLines()).catch((error: unknown) => {
        throw twError('TW_USAGE', `Cannot write ${path} (${(error as NodeJS.ErrnoException).code}).`, error)
      })
      return 0
    }
    if (context.options['kafka'] !== true) return inProcess(context)
    const cluster = await demoCluster(context)
    try {
      return await runLine(context, cluster.config, cluster.log, cluster.schemas, `on Kafka (${cluster.how})`, () =>
        drained(cluster.log, cluster.config, context.stop),
      )
    } finally {
      await cluster.close()
    }
  },
}

async function inProcess(context: CommandContext): Promise<number> {
  const { config } = context
  const log = inProcessLog({ now: Date.now })
  log.createTopic(config.RAW_TOPIC, { partitions: 3 })
  for (const setting of ['EVENTS_TOPIC', 'ALERTS_TOPIC', 'STATE_TOPIC', 'REJECTED_TOPIC'] as const)
    log.createTopic(config[setting], {
      partitions: topicContract(setting).partitions,
      compact: setting === 'STATE_TOPIC',
    })
  return runLine(context, config, log, localSchemas(), 'in process, no broker', () => log.idle())
}

async function runLine(
  context: CommandContext,
  config: Config,
  log: LogClient,
  schemas: SchemaSource,
  where: string,
  quiet: () => Promise<void>,
): Promise<number> {
  const started = performance.now()
  const scenario = demoScenario()
  const detection = await detectionFrom(config)
  const metrics = {
    normalize: createMetrics('normalize', context.version),
    detect: createMetrics('detect', context.version),
  }
  const eventSchema = topicContract('EVENTS_TOPIC').schema!

  const producer = await log.producer()
  const records = scenario.values.map(({ key, value }) => ({ key, value }))
  await producer.send([{ topic: config.RAW_TOPIC, records }])
  await producer.close()

  const normalizer = await startNormalizer({
    log,
    group: config.NORMALIZE_GROUP,
    topics: { raw: config.RAW_TOPIC, events: config.EVENTS_TOPIC, rejected: config.REJECTED_TOPIC },
    encoder: eventEncoder(eventSchema),
    schemaId: await schemas.idOf(`${config.EVENTS_TOPIC}-value`, eventSchema),
    normalize: normalizeOptionsFrom(config),
    maxRecordBytes: config.MAX_RECORD_BYTES,
    batchMaxRecords: config.BATCH_MAX_RECORDS,
    metrics: metrics.normalize,
    logger: quietLogger(context),
  })
  const detector = await startDetector(
    await detectorOptions(config, detection, log, schemas, metrics.detect, quietLogger(context)),
  )
  try {
    await Promise.race([quiet(), normalizer.done, detector.done])
  } finally {
    await Promise.all([normalizer.stop(), detector.stop()])
  }
  const alerts = await readAlerts(log, config)
  if (context.options['json'] === true) {
    for (const alert of alerts) await context.out.write(`${alertToJson(alert)}\n`)
    return 0
  }
  await context.out.write(`trailwarden demo: a generated scenario, nothing in it is real (${where})\n\n`)
  await context.out.write(await seen(metrics, scenario))
  const episodes = Map.groupBy(alerts, alert => alert.dedupKey)
  for (const episode of episodes.values()) await context.out.write(episodeText(episode))
  const principals = new Set(alerts.map(alert => alert.principal.key))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  await context.out.write(
    `${counted(alerts.length, 'alert record')} about ${counted(episodes.size, 'episode')} of ${counted(principals.size, 'principal')}, in ${seconds} s. \`trailwarden replay\` runs the same rules over your own files.\n`,
  )
  return 0
}

function quietLogger(context: CommandContext): CommandContext['log'] {
  // The demo's own text says what happens; the loops' everyday news would only stand between its lines.
  return {
    ...context.log,
    debug: () => undefined,
    info: () => undefined,
    warn: context.log.warn.bind(context.log),
    error: context.log.error.bind(context.log),
  }
}

type LineMetrics = Readonly<Record<'normalize' | 'detect', ReturnType<typeof createMetrics>>>

async function seen(metrics: LineMetrics, scenario: ReturnType<typeof demoScenario>): Promise<string> {
  const rows = async (counter: { get(): Promise<{ values: { value: number; labels: object }[] }> }) =>
    (await counter.get()).values
      .filter(({ value }) => value > 0)
      .map(({ value, labels }) => ({ value, label: Object.values(labels).join(' ') }))
  const list = (entries: { value: number; label: string }[]) =>
    entries.map(({ value, label }) => `${label} ${value}`).join(', ')
  const sum = (entries: { value: number }[]) => entries.reduce((total, { value }) => total + value, 0)
  const envelopes = await rows(metrics.normalize.envelopes)
  const skipped = await rows(metrics.normalize.skipped)
  const rejected = await rows(metrics.normalize.rejected)
  const duplicates = await rows(metrics.detect.duplicates)
  return [
    `sent        ${scenario.values.length} raw records holding ${scenario.records} CloudTrail records of ${scenario.principals} principals, ${scenario.copies} of them copies, out of order`,
    `normalized  ${sum(envelopes)} events: ${list(envelopes)}`,
    `skipped     ${sum(skipped)}: ${list(skipped)}`,
    `rejected    ${sum(rejected)} to the dead-letter topic: ${list(rejected)}`,
    `duplicates  ${sum(duplicates)} of the events that rules look at were copies and changed nothing`,
    '',
    '',
  ].join('\n')
}

/** An episode as it ended: what the consumer of the topic holds after the last update. */
function episodeText(episode: readonly Alert[]): string {
  const last = episode.at(-1)!
  const updates = episode.length - 1
  const told = `CREATE${updates === 0 ? '' : ` and ${updates} ${updates === 1 ? 'UPDATE' : 'UPDATEs'}`}`
  return (
    `ALERT  ${last.ruleId}  ${last.severity}  ${told}\n` + `  ${last.explanation}\n  dedup key ${last.dedupKey}\n\n`
  )
}

async function readAlerts(log: LogClient, config: Config): Promise<Alert[]> {
  const schema = topicContract('ALERTS_TOPIC').schema!
  const decoder = alertDecoder(schema)
  const alerts: Alert[] = []
  const partitions = (await log.partitions(config.ALERTS_TOPIC)) ?? 0
  for (let partition = 0; partition < partitions; partition++)
    for await (const batch of log.read(config.ALERTS_TOPIC, partition))
      for (const { value } of batch.records) {
        let alert = value === null ? null : decoder.decode(value)
        if (alert !== null && 'unknownSchema' in alert) {
          decoder.learn(alert.unknownSchema, schema)
          alert = decoder.decode(value!)
        }
        if (alert !== null && 'dedupKey' in alert) alerts.push(alert)
      }
  return alerts.sort((a, b) => a.lastSeen - b.lastSeen || a.sequence - b.sequence)
}

/** Waits until both groups have committed everything there is. */
async function drained(log: LogClient, config: Config, stop: AbortSignal): Promise<void> {
  const isDone = async (group: string, topic: string) => {
    const [ends, committed] = [await log.offsets(topic), await log.committed(group, topic)]
    return ends.every(({ begin, end }, partition) => end === begin || (committed[partition] ?? 0) >= end)
  }
  const deadline = performance.now() + 60_000
  while (!stop.aborted) {
    if (
      (await isDone(config.NORMALIZE_GROUP, config.RAW_TOPIC)) &&
      (await isDone(config.DETECT_GROUP, config.EVENTS_TOPIC))
    )
      return
    if (performance.now() > deadline) throw twError('TW_INTERNAL', 'The demo did not work its input off within 60 s.')
    await sleep(100)
  }
}
