// `npm run bench [-- normalize replay match detect]`: what one core does with the pure parts, printed as a table.
// Every row stands beside a baseline of the same run (JSON.parse of the same bytes, or decoding and nothing else),
// because this is a shared machine: trust the ratios. CPU-seconds are of this process, medians of `--runs` (default 5).
import { parseArgs } from 'node:util'
import { eventDecoder, eventEncoder, projectEvent } from '../src/codecs/cloudtrail-event.ts'
import { StateEncoder } from '../src/codecs/principal-state.ts'
import { engineOptionsForBench } from './engine-options.ts'
import { EventSorter } from '../src/commands/event-sorter.ts'
import { Engine } from '../src/detect/engine.ts'
import type { OutRecord } from '../src/log/log-client.ts'
import type { CloudTrailEvent } from '../src/normalize/event.ts'
import { normalizeBytes } from '../src/normalize/raw-value.ts'
import type { NormalizeOptions } from '../src/normalize/raw-value.ts'
import { eventRecords, Normalizing } from '../src/pipeline/normalize-batch.ts'
import type { RuleSet } from '../src/rules/rule.ts'
import { defaultEnvelopeLimits } from '../src/sources/envelope.ts'
import { fileEnvelopeLimits } from '../src/sources/file-chunks.ts'
import { topicContract } from '../src/topics.ts'
import { cloudTrailLines } from './data.ts'
import { benchRules, shippedRules } from './rules.ts'

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, records: { type: 'string', default: '100000' } },
  allowPositionals: true,
})
const runs = Number(values.runs)
const count = Number(values.records)
const parts = positionals.length === 0 ? ['normalize', 'replay', 'match', 'detect'] : positionals

const options: NormalizeOptions = {
  keepRequestParameters: true,
  keepResponseElements: true,
  keepAdditionalEventData: true,
  sourceIdentity: 'trust',
  limits: defaultEnvelopeLimits,
}
const schema = topicContract('EVENTS_TOPIC').schema!

/** CPU-seconds per million records: median, least and most of several runs, after one to warm up. */
function measure(records: number, work: () => void): { median: number; least: number; most: number } {
  work()
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / records)
  }
  times.sort((a, b) => a - b)
  return { median: times[times.length >> 1]!, least: times[0]!, most: times.at(-1)! }
}

function row(name: string, cost: ReturnType<typeof measure>, baseline: ReturnType<typeof measure>, note = ''): void {
  const columns = [
    name.padEnd(46),
    `${cost.median.toFixed(2)} (${cost.least.toFixed(2)}-${cost.most.toFixed(2)})`.padStart(22),
    `${Math.round(1e6 / cost.median).toLocaleString('en')}/s`.padStart(12),
    `${(cost.median / baseline.median).toFixed(2)} x`.padStart(9),
  ]
  console.log(`${columns.join('  ')}${note === '' ? '' : `  ${note}`}`)
}

function heading(title: string, baseline: string): void {
  console.log(`\n${title}`)
  console.log(
    `${''.padEnd(46)}  ${'CPU-s per 1M records'.padStart(22)}  ${'one core'.padStart(12)}  ${'baseline'.padStart(9)}  (baseline: ${baseline})`,
  )
}

function eventsOf(lines: readonly Buffer[]): CloudTrailEvent[] {
  const events: CloudTrailEvent[] = []
  for (const line of lines)
    normalizeBytes(line, options, {
      event: event => events.push(event),
      skipped: () => undefined,
      rejected: r => fail(r),
    })
  return events
}

function fail(reason: unknown): never {
  throw new Error(JSON.stringify(reason))
}

const lines = [...cloudTrailLines(count)].map(text => Buffer.from(text))
const bytes = lines.reduce((sum, line) => sum + line.length, 0)
console.log(`${count} records, ${Math.round(bytes / count)} B of JSON each; node ${process.version}; ${runs} runs`)

if (parts.includes('normalize')) normalizeBench()
if (parts.includes('replay')) replayBench()
if (parts.includes('match')) matchBench()
if (parts.includes('detect')) detectBench()

function normalizeBench(): void {
  const encoder = eventEncoder(schema)
  const baseline = measure(count, () => {
    for (const line of lines) JSON.parse(line.toString())
  })
  let size = 0
  const full = measure(count, () => {
    let records: OutRecord[] = []
    const normalizing = new Normalizing(options, event => eventRecords(encoder, 1, 900_000, records)(event))
    size = 0
    for (const [index, line] of lines.entries()) {
      normalizing.value(line)
      if (index % 2000 === 1999) {
        for (const record of records) size += record.value!.length
        records = []
      }
    }
    if (normalizing.counts.events !== count) fail(normalizing.counts)
  })
  heading('normalize: raw value to Avro record (no Kafka)', 'JSON.parse of the same bytes')
  row('JSON.parse alone', baseline, baseline)
  row('normalize, full CloudTrailEvent', full, baseline, `${Math.round(size / count)} B of Avro each`)
}

function replayBench(): void {
  const chunk = 800
  const chunks: Buffer[] = []
  for (let from = 0; from < lines.length; from += chunk)
    chunks.push(Buffer.concat(lines.slice(from, from + chunk).flatMap(line => [line, Buffer.from('\n')])))
  const baseline = measure(count, () => {
    for (const line of lines) JSON.parse(line.toString())
  })
  heading('replay: JSON lines to alerts (no file system)', 'JSON.parse of the same bytes')
  for (const rules of [2, 57, 500]) {
    const set = benchRules(rules)
    let alerts = 0
    const cost = measure(count, () => {
      alerts = replayOnce(set, chunks)
    })
    row(`replay, ${rules} rules`, cost, baseline, `${alerts} alerts`)
  }
}

function replayOnce(rules: RuleSet, chunks: readonly Buffer[]): number {
  const sorter = new EventSorter(eventEncoder(schema), eventDecoder(schema), schema)
  const normalizing = new Normalizing({ ...options, limits: fileEnvelopeLimits(options.limits) }, event => {
    if (rules.match(event).length > 0) sorter.add(event)
    return null
  })
  for (const part of chunks) normalizing.value(part)
  const engine = new Engine(rules, engineOptionsForBench())
  const transaction = engine.begin()
  for (const event of sorter.drain()) transaction.process(event, null, null)
  transaction.merge()
  return transaction.alerts.length
}

/** Decodes every record, the members only that the rules read. */
function decoding(records: readonly Buffer[], fields: RuleSet['fields']): () => void {
  const decoder = eventDecoder(projectEvent(schema, fields))
  decoder.learn(1, schema)
  return () => {
    for (const record of records) decoder.decode(record)
  }
}

function encoded(events: readonly CloudTrailEvent[]): Buffer[] {
  const encoder = eventEncoder(schema)
  return events.map(event => Buffer.from(encoder.encode(event, 1)))
}

function matchBench(): void {
  const events = eventsOf(lines)
  const baseline = measure(count, decoding(encoded(events), null))
  heading('match: which detection rules an event matches, no state', 'decoding the whole Avro records')
  for (const [name, make] of [
    ['2 rules', () => benchRules(2)],
    ['all shipped rules', shippedRules],
    ['57 rules', () => benchRules(57)],
    ['500 rules', () => benchRules(500)],
    ['57 rules and 20 that name no call', () => benchRules(57, 20)],
  ] as const) {
    const before = process.cpuUsage()
    const { match } = make()
    const load = process.cpuUsage(before)
    let matches = 0
    const cost = measure(count, () => {
      matches = 0
      for (const event of events) matches += match(event).length
    })
    row(name, cost, baseline, `${matches} matches, loaded in ${Math.round((load.user + load.system) / 1000)} ms`)
  }
}

function detectBench(): void {
  const events = eventsOf(lines)
  const records = encoded(events)
  const worst = eventsOf([...cloudTrailLines(count, true)].map(text => Buffer.from(text)))
  const baseline = measure(count, decoding(records, null))
  heading('detect: decoding, then the engine alone in transactions of 5000 events (no Kafka)', 'decoding whole records')
  row('decode whole records', baseline, baseline)
  for (const rules of [2, 57, 500])
    row(`decode what ${rules} rules read`, measure(count, decoding(records, benchRules(rules).fields)), baseline)
  const engineRun = (set: RuleSet, input: readonly CloudTrailEvent[]) => {
    const engine = new Engine(set, engineOptionsForBench())
    let written = 0
    for (let from = 0; from < input.length; from += 5000) {
      const transaction = engine.begin()
      const to = Math.min(input.length, from + 5000)
      for (let index = from; index < to; index++) transaction.process(input[index]!, null, input[index]!.eventTime)
      for (const [, record] of transaction.changes()) if (record !== null) written++
      transaction.merge()
    }
    return { engine, written }
  }
  for (const rules of [2, 57, 500]) {
    const set = benchRules(rules)
    row(
      `engine, ${rules} rules, 12 % of events match the two`,
      measure(count, () => void engineRun(set, events)),
      baseline,
    )
  }
  const two = benchRules(2)
  row(
    'engine, 2 rules, every event a denied read',
    measure(count, () => void engineRun(two, worst)),
    baseline,
  )
  // The worst case for copying state at the start of every transaction.
  const one = worst.map(event => ({ ...event, principal: worst[0]!.principal }))
  row(
    'engine, 2 rules, all of it by one principal',
    measure(count, () => void engineRun(two, one)),
    baseline,
  )

  const stateEncoder = new StateEncoder(topicContract('STATE_TOPIC').schema!)
  for (const [name, input] of [
    ['12 % match', events],
    ['every event a denied read', worst],
  ] as const) {
    const { engine } = engineRun(two, input)
    const sizes: number[] = []
    for (const key of new Set(input.map(event => event.principal.key))) {
      const state = engine.state(key)
      if (state !== null) sizes.push(stateEncoder.encode(state, 1).length)
    }
    sizes.sort((a, b) => a - b)
    const mean = sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length)
    console.log(
      `state, ${name}: ${sizes.length} principals, ${Math.round(mean)} B of Avro each on average, p50 ${sizes[sizes.length >> 1]}, most ${sizes.at(-1)}`,
    )
  }
}
