// The metrics' rows of `npm run bench:parts`: the whole line in process (raw bytes to alerts, both loops, no broker) with metrics and
// with metrics that do nothing, turn and turn about, and what a scrape costs.
import { eventEncoder } from '../src/codecs/cloudtrail-event.ts'
import { inProcessLog } from '../src/log/in-process.ts'
import { localSchemas } from '../src/log/schema-source.ts'
import { createMetrics, startRulesAtZero } from '../src/metrics/metrics.ts'
import type { Metrics } from '../src/metrics/metrics.ts'
import { startDetector } from '../src/pipeline/detector.ts'
import { startNormalizer } from '../src/pipeline/normalizer.ts'
import { benchDetector } from './detector.ts'
import { fail, options, schema } from './events.ts'
import { costOf, heading, row } from './measure.ts'
import { shippedRules } from './rules.ts'

const partitions = 6
const topics = { raw: 'raw', events: 'events', alerts: 'alerts', state: 'state', rejected: 'rejected' }
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** Metrics that take everything and keep nothing: every property is a function, every call returns the same again. */
const nothing: Metrics = new Proxy(() => undefined, { get: () => nothing, apply: () => nothing }) as unknown as Metrics

/** One pass of all lines through both loops; returns the CPU-microseconds of the loops. */
async function line(lines: readonly Buffer[], normalize: Metrics, detect: Metrics): Promise<number> {
  let time = Date.UTC(2026, 0, 2)
  const log = inProcessLog({ now: () => time++, maxBatchRecords: 5000 })
  for (const [role, topic] of Object.entries(topics)) log.createTopic(topic, { partitions, compact: role === 'state' })
  const producer = await log.producer()
  await producer.send([
    { topic: topics.raw, records: lines.map((value, at) => ({ key: null, value, partition: at % partitions })) },
  ])
  const schemas = localSchemas()
  const schemaId = await schemas.idOf('events', schema)
  const before = process.cpuUsage()
  const loops = [
    await startNormalizer({
      ...{ log, group: 'normalize', topics, encoder: eventEncoder(schema), schemaId, normalize: options },
      ...{ maxRecordBytes: 900_000, batchMaxRecords: 5000, metrics: normalize, logger: silent },
    }),
    await startDetector({ ...benchDetector(shippedRules()), log, schemas, metrics: detect }),
  ]
  await log.idle()
  const { user, system } = process.cpuUsage(before)
  for (const loop of loops) await loop.stop()
  const written = (await log.offsets(topics.events)).reduce((sum, { end }) => sum + end, 0)
  if (written !== lines.length) fail({ written })
  return user + system
}

/** Prints the rows. */
export async function metricsBench(count: number, runs: number, lines: readonly Buffer[]): Promise<void> {
  const measured = [createMetrics('normalize', 'bench'), createMetrics('detect', 'bench')] as const
  startRulesAtZero(measured[1], shippedRules().rules)
  const [on, off]: [number[], number[]] = [[], []]
  await line(lines, nothing, nothing)
  await line(lines, ...measured)
  for (let run = 0; run < runs; run++) {
    off.push((await line(lines, nothing, nothing)) / count)
    on.push((await line(lines, ...measured)) / count)
  }
  heading('metrics: raw bytes to alerts in process, both loops (no Kafka)', 'the same line without metrics')
  row('without metrics', costOf(off), costOf(off))
  row('with metrics', costOf(on), costOf(off))
  const scrapes = 20
  const before = process.cpuUsage()
  let bytes = 0
  for (let scrape = 0; scrape < scrapes; scrape++)
    for (const { registry } of measured) bytes += (await registry.metrics()).length
  const { user, system } = process.cpuUsage(before)
  const each = (user + system) / 1000 / scrapes / measured.length
  console.log(`a scrape: ${each.toFixed(1)} ms, ${Math.round(bytes / scrapes / measured.length / 1024)} kB`)
}
