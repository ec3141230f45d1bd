// The loops of the pipeline on the in-process log, put together as the commands do, and what a test looks at afterwards.
// Time on the log is a counter, so that the same steps give the same bytes.
import assert from 'node:assert/strict'
import { alertDecoder } from '../../src/codecs/alert.ts'
import type { Alert } from '../../src/alerts/alert.ts'
import { eventEncoder } from '../../src/codecs/cloudtrail-event.ts'
import { StateDecoder } from '../../src/codecs/principal-state.ts'
import { detectorOptions } from '../../src/commands/detector-parts.ts'
import { detectionFrom } from '../../src/commands/rule-set.ts'
import { normalizeOptionsFrom } from '../../src/commands/settings.ts'
import { loadConfig } from '../../src/config.ts'
import { inProcessLog } from '../../src/log/in-process.ts'
import type { InProcessLog, InProcessOptions } from '../../src/log/in-process.ts'
import type { LogClient, LogRecord, OutRecord } from '../../src/log/log-client.ts'
import { localSchemas } from '../../src/log/schema-source.ts'
import type { SchemaSource } from '../../src/log/schema-source.ts'
import { createMetrics } from '../../src/metrics/metrics.ts'
import type { Metrics } from '../../src/metrics/metrics.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import type { DetectorOptions } from '../../src/pipeline/detector-options.ts'
import type { NormalizerOptions } from '../../src/pipeline/normalizer.ts'
import { topicContract } from '../../src/topics.ts'
import { readAll } from './conformance-cluster.ts'

const { FAST_PATHS = 'true' } = process.env
export const config = loadConfig({ flags: {}, env: { FAST_PATHS } })
export const topics = {
  raw: config.RAW_TOPIC,
  events: config.EVENTS_TOPIC,
  alerts: config.ALERTS_TOPIC,
  state: config.STATE_TOPIC,
  rejected: config.REJECTED_TOPIC,
}
export const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
export const eventSchema = topicContract('EVENTS_TOPIC').schema!
export const stateSchema = topicContract('STATE_TOPIC').schema!
const detection = await detectionFrom(config)

/** The five topics on a log of their own. */
export function lineLog(partitions = 1, options: Partial<InProcessOptions> = {}): InProcessLog {
  let time = Date.UTC(2026, 0, 20)
  const log = inProcessLog({ now: () => time++, ...options })
  for (const [role, topic] of Object.entries(topics)) log.createTopic(topic, { partitions, compact: role === 'state' })
  return log
}

export async function append(log: LogClient, topic: string, records: readonly OutRecord[]): Promise<void> {
  const producer = await log.producer()
  await producer.send([{ topic, records }])
  await producer.close()
}

/** Events as records of the events topic. */
export async function eventRecords(events: readonly CloudTrailEvent[], schemas: SchemaSource): Promise<OutRecord[]> {
  const id = await schemas.idOf(`${topics.events}-value`, eventSchema)
  const encoder = eventEncoder(eventSchema)
  return events.map(event => ({ key: event.principal.key, value: encoder.encode(event, id) }))
}

export async function normalizerOptions(
  log: LogClient,
  more: Partial<NormalizerOptions> = {},
): Promise<NormalizerOptions & { readonly metrics: Metrics }> {
  return {
    log,
    group: config.NORMALIZE_GROUP,
    topics,
    encoder: eventEncoder(eventSchema),
    schemaId: await localSchemas().idOf(`${topics.events}-value`, eventSchema),
    normalize: normalizeOptionsFrom(config),
    fastPaths: config.FAST_PATHS,
    maxRecordBytes: config.MAX_RECORD_BYTES,
    batchMaxRecords: config.BATCH_MAX_RECORDS,
    metrics: createMetrics('normalize', '1'),
    logger: quiet,
    ...more,
  }
}

/** What `detect` would hand to its loop, with the shipped rules unless told otherwise. */
export async function detectorParts(
  log: LogClient,
  more: Partial<DetectorOptions> = {},
  schemas: SchemaSource = localSchemas(),
): Promise<DetectorOptions> {
  const options = await detectorOptions(config, detection, log, schemas, createMetrics('detect', '1'), quiet)
  return { ...options, ...more }
}

/** Every committed record of a topic, partition by partition. */
export async function recordsOf(log: LogClient, topic: string): Promise<LogRecord[]> {
  const partitions = (await log.partitions(topic)) ?? 0
  const all: LogRecord[] = []
  for (let partition = 0; partition < partitions; partition++) all.push(...(await readAll(log, topic, partition)))
  return all
}

/** What a consumer of the alerts topic and the next owner of the state see, without offsets. */
export interface Seen {
  readonly alerts: readonly { readonly key: string; readonly headers: unknown; readonly alert: Alert }[]
  readonly state: ReadonlyMap<string, unknown>
  readonly position: readonly (number | null)[]
}

export async function seenOn(log: LogClient): Promise<Seen> {
  const alertSchema = topicContract('ALERTS_TOPIC').schema!
  const decoder = alertDecoder(alertSchema)
  const stateDecoder = new StateDecoder(stateSchema)
  const schemas = localSchemas()
  decoder.learn(await schemas.idOf('', alertSchema), alertSchema)
  stateDecoder.learn(await schemas.idOf('', stateSchema), stateSchema)
  const state = new Map<string, unknown>()
  for (const { key, value } of await recordsOf(log, topics.state)) {
    const name = String(key)
    if (value === null) state.delete(name)
    else state.set(name, key![0] === 0 ? value.toString() : stateDecoder.decode(value))
  }
  return {
    alerts: (await recordsOf(log, topics.alerts)).map(({ key, value, headers }) => {
      const alert = decoder.decode(value!)
      assert.ok('dedupKey' in alert, JSON.stringify(alert))
      return { key: String(key), headers: plain(textOf(headers)), alert: plain(alert) as Alert }
    }),
    state: new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, plain(value)])),
    position: await log.committed(config.DETECT_GROUP, topics.events),
  }
}

/** Headers as text. */
export function textOf(headers: LogRecord['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** The values of a counter by the value of its only label besides the process, zeros left out. */
export async function countsOf(counter: {
  get(): Promise<{ values: { value: number; labels: object }[] }>
}): Promise<Record<string, number>> {
  const { values } = await counter.get()
  return Object.fromEntries(
    values.filter(({ value }) => value > 0).map(({ value, labels }) => [Object.values(labels).join(' '), value]),
  )
}

/** The series of one metric as a scrape shows them: labels (without `process`) to value. */
export async function seriesOf({ registry }: Pick<Metrics, 'registry'>, name: string): Promise<Record<string, number>> {
  const series: Record<string, number> = {}
  for (const line of (await registry.metrics()).split('\n')) {
    const [, found, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (found === name) series[labels.replace(/process="[a-z]+",?/, '').replace(/,$/, '')] = Number(value)
  }
  return series
}

/** avsc's records have their own prototypes, a map in one has none that assert compares. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => (inner instanceof Map ? Object.fromEntries(inner) : inner)),
  )
}
