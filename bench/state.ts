// The detector's state at scale, for `npm run bench -- state`: restoring it, what it takes in memory, and whether a record
// costs the same however many principals there are, however many partitions and however long the stream runs.
import { partitionFor } from '../src/log/murmur2.ts'
import { Engine } from '../src/detect/engine.ts'
import type { LogRecord } from '../src/log/log-client.ts'
import type { DetectorOptions } from '../src/pipeline/detector-options.ts'
import { cloudTrailLines } from './data.ts'
import { benchDetector, detectAll, partitionsOf } from './detector.ts'
import { encoded, eventsOf, decoding } from './events.ts'
import { costOf, cpuMicros, heading, measure, row } from './measure.ts'
import type { Cost } from './measure.ts'
import { benchRules } from './rules.ts'

const partitions = 6
const mib = 1 << 20
const day = 86_400_000

/** The states that the mixed data leave, as values of the changelog: templates for as many principals as a row asks for. */
async function statesOf(count: number): Promise<Buffer[]> {
  const options = benchDetector(benchRules(2))
  const logs = partitionsOf(eventsOf(cloudTrailLines(count)), 1)
  const engine = new Engine(options.rules, options.engine)
  await detectAll(logs, options, [engine])
  const keys = new Set(logs.flatMap(log => log.map(({ key }) => String(key))))
  return [...keys].flatMap(key => {
    const state = engine.state(key)
    return state === null ? [] : [Buffer.from(options.state.encoder.encode(state, 2))]
  })
}

function keyOf(index: number): string {
  return `${100_000_000_000 + (index % 50) * 7919}/role/AROA${String(index).padStart(16, 'Q')}`
}

/** Takes `count` states in as a restore does, in the partition of their key. */
function load(engines: readonly Engine[], states: readonly Buffer[], count: number): void {
  const { engine } = benchDetector(benchRules(2))
  for (let index = 0; index < count; index++) {
    const key = keyOf(index)
    const owner = engines[partitionFor(Buffer.from(key), engines.length)]!
    owner.load(key, engine.stored!.store(states[index % states.length]!))
  }
}

/** Prints the rows. `count` records a run. */
export async function stateBench(count: number, runs: number): Promise<void> {
  const options = benchDetector(benchRules(2))
  const states = await statesOf(50_000)
  const engines = (of = partitions) => Array.from({ length: of }, () => new Engine(options.rules, options.engine))
  const lines = [...cloudTrailLines(count)]
  const events = eventsOf(lines)
  const baseline = measure(runs, count, decoding(encoded(events), null))
  const mean = Math.round(states.reduce((sum, { length }) => sum + length, 0) / states.length)

  heading('restore: changelog values to an engine (no Kafka)', 'decoding whole events')
  for (const entries of [100_000, 1_000_000]) {
    const cost = costOf(Array.from({ length: runs }, () => cpuMicros(() => load(engines(), states, entries)) / entries))
    row(`${entries.toLocaleString('en')} states`, cost, baseline, `of ${mean} B`)
  }
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  const resting = engines()
  load(resting, states, 50_000)
  globalThis.gc?.()
  console.log(`50,000 states at rest: ${Math.round((process.memoryUsage.rss() - before) / mib)} MiB more`)

  heading('growth: from record bytes to the records of a transaction, 12 % of events match', 'decoding whole records')
  const logs = partitionsOf(events, partitions)
  for (const loaded of [0, 50_000, 250_000]) {
    const fill = (made: readonly Engine[]) => load(made, states, loaded)
    row(`${loaded.toLocaleString('en')} other principals with state`, await cost(logs, options, runs, fill), baseline)
  }
  for (const number of [1, 6, 48])
    row(`${number} partitions`, await cost(partitionsOf(events, number), options, runs), baseline)
  const stretched = partitionsOf(
    eventsOf(cloudTrailLines(count, false, { spacingMs: Math.ceil(day / count) })),
    partitions,
  )
  for (const [name, from, to] of [
    ['first quarter of a day of stream time', 0, 0.25],
    ['last quarter', 0.75, 1],
  ] as const) {
    const [earlier, timed] = [
      [0, from],
      [from, to],
    ].map(([begin = 0, end = 0]) =>
      stretched.map(log => log.slice(Math.floor(log.length * begin), Math.floor(log.length * end))),
    )
    row(name, await cost(timed!, options, runs, made => detectAll(earlier!, options, made)), baseline)
  }
}

/** CPU-seconds per million records of `logs`; what `prepare` does to the engines first is not counted. */
async function cost(
  logs: readonly (readonly LogRecord[])[],
  options: DetectorOptions,
  runs: number,
  prepare: (engines: readonly Engine[]) => unknown = () => undefined,
): Promise<Cost> {
  const records = logs.reduce((sum, log) => sum + log.length, 0)
  const times: number[] = []
  for (let run = 0; run <= runs; run++) {
    const engines = logs.map(() => new Engine(options.rules, options.engine))
    await prepare(engines)
    const before = process.cpuUsage()
    await detectAll(logs, options, engines)
    const { user, system } = process.cpuUsage(before)
    if (run > 0) times.push((user + system) / records)
  }
  return costOf(times)
}
