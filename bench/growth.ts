// The row growth: whether a record costs the same however many principals there are, however many partitions, and however
// long the stream runs. Partitions are measured on a broker. Principals and stream time are measured in process, from the
// bytes of the events to the records of the transactions: ten percent is less than what a broker beside it makes of noise.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Engine } from '../src/detect/engine.ts'
import type { LogRecord } from '../src/log/log-client.ts'
import { cloudTrailLines } from './data.ts'
import { benchDetector, detectAll, partitionsOf } from './detector.ts'
import { eventsOf } from './events.ts'
import type { BenchCluster, Line } from './kafka/cluster.ts'
import { ours } from './kafka/line.ts'
import { costOfWork } from './kafka/process-cost.ts'
import { rounds } from './kafka/rounds.ts'
import { costOf, heading, row } from './measure.ts'
import { shippedRules } from './rules.ts'
import { loadStates, statesOf } from './state.ts'
import { atMost } from './verdicts.ts'

const day = 86_400_000
const partitions = 6
/** Most records in process: all of them are held as bytes. */
const most = 100_000
const active = 5_000
const population = { small: 10_000, large: 5_000_000 }
/** At rest beside the active ones: one in twenty of the large population has state. */
const atRest = population.large / 20 - active
const tolerance = 1.1

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is compared: the same work twice, with more of something the second time. */
interface Trial {
  readonly name: string
  readonly logs: readonly (readonly LogRecord[])[]
  readonly prepare: (engines: readonly Engine[]) => unknown
}

/** Runs all of it. */
export async function benchGrowth(cluster: BenchCluster, input: Line, count: number, runs: number): Promise<void> {
  await inProcess(Math.min(count, most), runs)
  await onBroker(cluster, input, runs)
}

async function inProcess(count: number, runs: number): Promise<void> {
  const options = benchDetector(shippedRules())
  const states = await statesOf(50_000, options)
  const logsOf = (principals: number) =>
    partitionsOf(eventsOf(cloudTrailLines(count, false, { principals, withState: active })), partitions)
  // Six hours before the day: a detector that has no states yet has none to read, and is cheaper than it will ever be again.
  const spacingMs = day / count
  const stream = partitionsOf(eventsOf(cloudTrailLines(Math.floor((count * 5) / 4), false, { spacingMs })), partitions)
  const upTo = (log: readonly LogRecord[], quarters: number) => Math.floor((log.length * quarters) / 5)
  const before = (quarter: number) => stream.map(log => log.slice(0, upTo(log, quarter)))
  const quarter = (number: number) => stream.map(log => log.slice(upTo(log, number), upTo(log, number + 1)))
  const named = (value: number) => value.toLocaleString('en')
  heading(`growth: from record bytes to the records of a transaction, ${named(count)} records`, 'the row above')
  await compare('10k to 5M principals', runs, [
    { name: `${named(population.small)} principals`, logs: logsOf(population.small), prepare: () => undefined },
    {
      name: `${named(population.large)} principals, ${named(atRest)} at rest`,
      logs: logsOf(population.large),
      prepare: engines => loadStates(engines, states, atRest),
    },
  ])
  await compare('a day of stream time, first to last quarter', runs, [
    { name: 'first quarter of a day', logs: quarter(1), prepare: engines => detectAll(before(1), options, engines) },
    { name: 'last quarter of a day', logs: quarter(4), prepare: engines => detectAll(before(4), options, engines) },
  ])

  async function compare(what: string, times: number, trials: readonly [Trial, Trial]): Promise<void> {
    const costs = new Map(trials.map(trial => [trial, [] as number[]]))
    // Turn about, so that what the machine does to one it does to the other; the first round is to warm up.
    for (let round = 0; round <= times; round++) {
      for (const trial of trials) {
        const engines = trial.logs.map(() => new Engine(options.rules, options.engine))
        await trial.prepare(engines)
        collectGarbage()
        const start = process.cpuUsage()
        await detectAll(trial.logs, options, engines)
        const { user, system } = process.cpuUsage(start)
        const records = trial.logs.reduce((sum, log) => sum + log.length, 0)
        if (round > 0) costs.get(trial)!.push((user + system) / records)
      }
    }
    const [less, more] = trials.map(trial => costs.get(trial)!) as [number[], number[]]
    row(trials[0].name, costOf(less), costOf(less))
    row(trials[1].name, costOf(more), costOf(less))
    const ratio = costOf(more.map((cost, round) => cost / less[round]!)).median
    atMost(tolerance, { row: 'growth', what: `CPU, ${what} (in process)`, value: ratio, unit: ' x' })
  }
}

async function onBroker(cluster: BenchCluster, input: Line, runs: number): Promise<void> {
  const { raw } = input.topics
  const name = (count: number) => `detect, ${count} partition${count === 1 ? '' : 's'}`
  const rows = []
  for (const count of [1, 48]) {
    const filled = await cluster.line({ raw }, count)
    await costOfWork(cluster.log, ours(cluster, 'normalize', filled))
    const { events } = filled.topics
    rows.push({
      name: name(count),
      start: async () => ours(cluster, 'detect', await cluster.line({ raw, events }, count)),
    })
  }
  const found = await rounds(cluster.log, rows, runs)
  const value = found(name(48))!.cpu.median / found(name(1))!.cpu.median
  atMost(tolerance, { row: 'growth', what: 'CPU, 1 to 48 partitions (on a broker)', value, unit: ' x' })
}
