// The detector's state at scale, for `npm run bench:parts -- state`: restoring it and what it takes in memory at rest, without
// Kafka. `npm run bench -- growth` asks whether a record costs the same beside it.
import { partitionFor } from '../src/log/murmur2.ts'
import { Engine } from '../src/detect/engine.ts'
import type { DetectorOptions } from '../src/pipeline/detector-options.ts'
import { cloudTrailLines } from './data.ts'
import { benchDetector, detectAll, partitionsOf } from './detector.ts'
import { encoded, eventsOf, decoding } from './events.ts'
import { costOf, cpuMicros, heading, measure, row } from './measure.ts'
import { benchRules } from './rules.ts'

const partitions = 6
const mib = 1 << 20

/** The states that the mixed data leave, as values of the changelog: templates for as many principals as a row asks for. */
export async function statesOf(count: number, options: DetectorOptions): Promise<Buffer[]> {
  const logs = partitionsOf(eventsOf(cloudTrailLines(count)), 1)
  const engine = new Engine(options.rules, options.engine)
  await detectAll(logs, options, [engine])
  const keys = new Set(logs.flatMap(log => log.map(({ key }) => String(key))))
  return [...keys].flatMap(key => {
    const state = engine.state(key)
    return state === null ? [] : [Buffer.from(options.state.encoder.write(state, 2))]
  })
}

function keyOf(index: number): string {
  return `${100_000_000_000 + (index % 50) * 7919}/role/AROA${String(index).padStart(16, 'R')}`
}

/** Takes `count` states in as a restore does, in the partition of their key; no principal of the bench data is among them. */
export function loadStates(engines: readonly Engine[], states: readonly Buffer[], count: number): void {
  for (let index = 0; index < count; index++) {
    const key = keyOf(index)
    const owner = engines[partitionFor(Buffer.from(key), engines.length)]!
    owner.load(key, states[index % states.length]!)
  }
}

/** Prints the rows. `count` records for the baseline. */
export async function stateBench(count: number, runs: number): Promise<void> {
  const options = benchDetector(benchRules(2))
  const states = await statesOf(50_000, options)
  const engines = () => Array.from({ length: partitions }, () => new Engine(options.rules, options.engine))
  const baseline = measure(runs, count, decoding(encoded(eventsOf(cloudTrailLines(count))), null))
  const mean = Math.round(states.reduce((sum, { length }) => sum + length, 0) / states.length)

  heading('restore: changelog values to an engine (no Kafka)', 'decoding whole events')
  for (const entries of [100_000, 1_000_000]) {
    const load = () => loadStates(engines(), states, entries)
    const cost = costOf(Array.from({ length: runs }, () => cpuMicros(load) / entries))
    row(`${entries.toLocaleString('en')} states`, cost, baseline, `of ${mean} B`)
  }
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  const resting = engines()
  loadStates(resting, states, 50_000)
  globalThis.gc?.()
  console.log(`50,000 states at rest: ${Math.round((process.memoryUsage.rss() - before) / mib)} MiB more`)
}
