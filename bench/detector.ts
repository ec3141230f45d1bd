// The detector's rows of `npm run bench:parts`: the engine alone, and everything between a record's bytes and the records of a
// transaction (decoding, engine, prose, state and alerts in Avro), six partitions in transactions of 5000 records.
import { alertEncoder } from '../src/codecs/alert.ts'
import { eventDecoder } from '../src/codecs/cloudtrail-event.ts'
import { EventDispatch } from '../src/codecs/event-dispatch.ts'
import { StateDecoder, StateEncoder } from '../src/codecs/principal-state.ts'
import { Engine } from '../src/detect/engine.ts'
import type { LogClient, LogRecord } from '../src/log/log-client.ts'
import { partitionFor } from '../src/log/murmur2.ts'
import { StoredRecord } from '../src/log/stored-record.ts'
import { createMetrics } from '../src/metrics/metrics.ts'
import type { CloudTrailEvent } from '../src/normalize/event.ts'
import { detectChunk } from '../src/pipeline/detect-chunk.ts'
import type { DetectorOptions } from '../src/pipeline/detector-options.ts'
import { noExpiryYet } from '../src/pipeline/state-expiry.ts'
import { Pace } from '../src/pipeline/wanted-records.ts'
import type { RuleSet } from '../src/rules/rule.ts'
import { topicContract } from '../src/topics.ts'
import { cloudTrailLines } from './data.ts'
import { engineOptionsForBench } from './engine-options.ts'
import { decoding, encoded, eventsOf, fail, schema } from './events.ts'
import { heading, measure, measureAsync, row } from './measure.ts'
import { benchRules, everyCallRules, shippedRules } from './rules.ts'

const perTransaction = 5000
const stateSchema = topicContract('STATE_TOPIC').schema!
const alertSchema = topicContract('ALERTS_TOPIC').schema!
const metrics = createMetrics('detect', 'bench')
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** Options of a detector that meets no log: detectChunk asks for none. */
export function benchDetector(rules: RuleSet, fast = true): DetectorOptions {
  const decoder = new StateDecoder(stateSchema, undefined, fast)
  decoder.learn(2, stateSchema)
  const state = { decoder, encoder: new StateEncoder(stateSchema, fast), schemaId: 2 }
  const alerts = alertEncoder(alertSchema)
  return {
    log: undefined as unknown as LogClient,
    schemas: { idOf: async () => 2, schemaById: async id => (id === 1 ? schema : id === 2 ? stateSchema : null) },
    group: 'bench',
    topics: { events: 'events', alerts: 'alerts', state: 'state', rejected: 'rejected' },
    rules,
    engine: { ...engineOptionsForBench(), ...(fast ? { stored: decoder } : {}) },
    events: fast ? new EventDispatch(schema, rules) : eventDecoder(schema),
    alerts: { write: alert => alerts.encode(alert, 3), contentType: 'application/avro' },
    state,
    batchMaxRecords: perTransaction,
    batchMaxMs: 60_000,
    metrics,
    logger: silent,
  }
}

/** Events as the partitions of the events topic. */
export function partitionsOf(events: readonly CloudTrailEvent[], partitions: number): LogRecord[][] {
  const logs = Array.from({ length: partitions }, (): LogRecord[] => [])
  const values = encoded(events)
  for (const [index, event] of events.entries()) {
    const key = Buffer.from(event.principal.key)
    const log = logs[partitionFor(key, partitions)]!
    const [offset, timestamp, value] = [log.length, event.eventTime, values[index]!]
    log.push(StoredRecord.of({ offset, timestamp, key, value, headers: {} })!)
  }
  return logs
}

/** What a run wrote. */
export interface Written {
  states: number
  stateBytes: number
  alerts: number
}

/** One pass over all partitions, transaction by transaction, as the detector's task makes it. */
export async function detectAll(
  logs: readonly (readonly LogRecord[])[],
  options: DetectorOptions,
  engines: readonly Engine[] = logs.map(() => new Engine(options.rules, options.engine)),
): Promise<Written> {
  const written: Written = { states: 0, stateBytes: 0, alerts: 0 }
  const watch = { wanted: () => true, alive: async () => undefined }
  const cursors = logs.map(() => 0)
  let expiry = logs.map(() => noExpiryYet)
  const pace = new Pace()
  for (let busy = true; busy;) {
    busy = false
    for (const [partition, log] of logs.entries()) {
      const from = cursors[partition]!
      const engine = engines[partition]!
      if (from >= log.length) continue
      busy = true
      const records = log.slice(from, from + perTransaction)
      const transaction = engine.begin()
      const position = { topic: 'events', partition, end: from + records.length, expiry: expiry[partition]!, pace }
      const output = await detectChunk(records, position, engine, transaction, options, watch)
      if (output === null || output.rejected.size > 0) return fail({ rejected: [...(output?.rejected ?? [])] })
      transaction.merge()
      expiry = expiry.with(partition, output.expiry)
      cursors[partition] = from + output.taken
      for (const part of output.send) {
        if (part.topic === 'alerts') written.alerts += part.records.length
        if (part.topic !== 'state') continue
        // The last record is the stored position.
        written.states += part.records.length - 1
        for (const { value } of part.records.slice(0, -1)) written.stateBytes += value?.length ?? 0
      }
    }
  }
  return written
}

/** Prints the rows. `lines` are the mixed data: 12 % calls of Secrets Manager. */
export async function detectBench(count: number, runs: number, lines: readonly Buffer[]): Promise<void> {
  const events = eventsOf(lines)
  const records = encoded(events)
  const worst = eventsOf(cloudTrailLines(count, true))
  const baseline = measure(runs, count, decoding(records, null))
  heading('detect: decoding and the engine alone in transactions of 5000 events (no Kafka)', 'decoding whole records')
  row('decode whole records', baseline, baseline)
  for (const rules of [2, 57, 500])
    row(`decode what ${rules} rules read`, measure(runs, count, decoding(records, benchRules(rules).fields)), baseline)
  const [two, everyCall] = [benchRules(2), everyCallRules()]
  for (const [name, set, input] of [
    ['engine, 2 rules, 12 % of events match the two', two, events],
    ['engine, 57 rules, 12 % of events match the two', benchRules(57), events],
    ['engine, 500 rules, 12 % of events match the two', benchRules(500), events],
    ['engine, every event changes state', everyCall, events],
    ['engine, every event a denied read', two, worst],
    // The worst case for copying state at the start of every transaction.
    [
      'engine, every event a denied read by one',
      two,
      worst.map(event => ({ ...event, principal: worst[0]!.principal })),
    ],
  ] as const)
    row(
      name,
      measure(runs, count, () => engineRun(set, input)),
      baseline,
    )

  heading('detect: from record bytes to the records of a transaction (no Kafka)', 'decoding whole records')
  row('decode whole records', baseline, baseline)
  for (const [name, rules, input, fast = true] of [
    ['2 rules, 12 % of events match', two, events],
    ['2 rules, fast paths off', two, events, false],
    ['shipped rules', shippedRules(), events],
    ['57 rules', benchRules(57), events],
    ['500 rules', benchRules(500), events],
    ['every event changes state', everyCall, events],
    ['every event a denied read', two, worst],
  ] as const) {
    const logs = partitionsOf(input, 6)
    const options = benchDetector(rules, fast)
    let written: Written | null = null
    const cost = await measureAsync(runs, count, async () => {
      written = await detectAll(logs, options)
    })
    row(name, cost, baseline, noteOf(written!))
  }
  stateSizes('12 % match', two, events)
  stateSizes('every event changes state', everyCall, events)
  stateSizes('every event a denied read', two, worst)
}

function noteOf({ states, stateBytes, alerts }: Written): string {
  return `${states} states of ${Math.round(stateBytes / Math.max(1, states))} B, ${alerts} alerts`
}

function engineRun(set: RuleSet, input: readonly CloudTrailEvent[]): Engine {
  const engine = new Engine(set, engineOptionsForBench())
  for (let from = 0; from < input.length; from += perTransaction) {
    const transaction = engine.begin()
    const to = Math.min(input.length, from + perTransaction)
    for (let index = from; index < to; index++) transaction.process(input[index]!, null, input[index]!.eventTime)
    transaction.merge()
  }
  return engine
}

function stateSizes(name: string, set: RuleSet, input: readonly CloudTrailEvent[]): void {
  const engine = engineRun(set, input)
  const encoder = new StateEncoder(stateSchema)
  const sizes: number[] = []
  for (const key of new Set(input.map(event => event.principal.key))) {
    const state = engine.state(key)
    if (state !== null) sizes.push(encoder.encode(state, 2).length)
  }
  sizes.sort((a, b) => a - b)
  const mean = sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length)
  console.log(
    `state, ${name}: ${sizes.length} principals, ${Math.round(mean)} B of Avro each on average, p50 ${sizes[sizes.length >> 1]}, most ${sizes.at(-1)}`,
  )
}
