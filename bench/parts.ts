// `npm run bench:parts [-- normalize replay match detect state metrics]`: what one core does with the pure parts, printed as a table.
// Every row stands beside a baseline of the same run (JSON.parse of the same bytes, or decoding and nothing else),
// because this is a shared machine: trust the ratios. CPU-seconds are of this process, medians of `--runs` (default 5).
import { parseArgs } from 'node:util'
import type { CloudTrailEvent } from '../src/normalize/event.ts'
import { EventSorter, sortedSchemaId } from '../src/commands/event-sorter.ts'
import { Engine } from '../src/detect/engine.ts'
import { Normalizing } from '../src/pipeline/normalize-batch.ts'
import { SiftingReader } from '../src/pipeline/sift.ts'
import type { RuleSet } from '../src/rules/rule.ts'
import { fileEnvelopeLimits } from '../src/sources/file-chunks.ts'
import { cloudTrailLines } from './data.ts'
import { detectBench } from './detector.ts'
import { engineOptionsForBench } from './engine-options.ts'
import { decoding, encoded, eventsOf, options, schema } from './events.ts'
import { heading, measure, row } from './measure.ts'
import { metricsBench } from './metrics.ts'
import { normalizer } from './normalize.ts'
import { benchRules, shippedRules } from './rules.ts'
import { stateBench } from './state.ts'

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, records: { type: 'string', default: '100000' } },
  allowPositionals: true,
})
const runs = Number(values.runs)
const count = Number(values.records)
const parts = positionals.length === 0 ? ['normalize', 'replay', 'match', 'detect', 'state', 'metrics'] : positionals

const lines = [...cloudTrailLines(count)].map(text => Buffer.from(text))
const bytes = lines.reduce((sum, line) => sum + line.length, 0)
console.log(`${count} records, ${Math.round(bytes / count)} B of JSON each; node ${process.version}; ${runs} runs`)

if (parts.includes('normalize')) normalizeBench()
if (parts.includes('replay')) replayBench()
if (parts.includes('match')) matchBench()
if (parts.includes('detect')) await detectBench(count, runs, lines)
if (parts.includes('state')) await stateBench(count, runs)
if (parts.includes('metrics')) await metricsBench(count, runs, lines)

function normalizeBench(): void {
  const baseline = measure(runs, count, () => {
    for (const line of lines) JSON.parse(line.toString())
  })
  heading('normalize: raw value to Avro record (no Kafka)', 'JSON.parse of the same bytes')
  row('JSON.parse alone', baseline, baseline)
  for (const [name, fastPaths] of [
    ['normalize, as it runs', true],
    ['normalize, fast paths off', false],
  ] as const) {
    const pass = normalizer(fastPaths)
    let size = 0
    const cost = measure(runs, count, () => {
      size = pass(lines)
    })
    row(name, cost, baseline, `${Math.round(size / count)} B of Avro each`)
  }
}

function replayBench(): void {
  const chunk = 800
  const chunks: Buffer[] = []
  for (let from = 0; from < lines.length; from += chunk)
    chunks.push(Buffer.concat(lines.slice(from, from + chunk).flatMap(line => [line, Buffer.from('\n')])))
  const baseline = measure(runs, count, () => {
    for (const line of lines) JSON.parse(line.toString())
  })
  heading('replay: JSON lines to alerts (no file system)', 'JSON.parse of the same bytes')
  for (const rules of [2, 57, 500]) {
    const set = benchRules(rules)
    let alerts = 0
    const cost = measure(runs, count, () => {
      alerts = replayOnce(set, chunks)
    })
    row(`replay, ${rules} rules`, cost, baseline, `${alerts} alerts`)
  }
}

function replayOnce(rules: RuleSet, chunks: readonly Buffer[]): number {
  const { wants, fields } = rules
  const sorter = new EventSorter(schema, fields)
  const take = (event: CloudTrailEvent) => {
    if (rules.match(event).length > 0) sorter.add(event)
    return null
  }
  const unread = (bytes: Buffer) => {
    sorter.addEncoded(bytes)
    return true
  }
  const normalize = { ...options, limits: fileEnvelopeLimits(options.limits) }
  const sift = { schema, schemaId: sortedSchemaId, wants, fields, pass: () => undefined, unread }
  const sifting = new SiftingReader(normalize, sift)
  const normalizing = new Normalizing(normalize, take, value => sifting.read(value, take))
  for (const part of chunks) normalizing.value(part)
  const engine = new Engine(rules, engineOptionsForBench())
  const transaction = engine.begin()
  for (const event of sorter.drain()) transaction.process(event, null, null)
  transaction.merge()
  return transaction.alerts.length
}

function matchBench(): void {
  const events = eventsOf(lines)
  const baseline = measure(runs, count, decoding(encoded(events), null))
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
    const cost = measure(runs, count, () => {
      matches = 0
      for (const event of events) matches += match(event).length
    })
    row(name, cost, baseline, `${matches} matches, loaded in ${Math.round((load.user + load.system) / 1000)} ms`)
  }
}
