// Rounds of programs on the bench's broker: every round runs each program once, one after the other, beside a calibration
// loop, so that what the machine does to one it does to all. Prints medians with their spread.
import type { LogClient } from '../../src/log/log-client.ts'
import { cloudTrailLines } from '../data.ts'
import { calibration, costOf, spread } from '../measure.ts'
import type { Cost } from '../measure.ts'
import { say } from '../report.ts'
import { costOfWork } from './process-cost.ts'
import type { Sample, Work } from './process-cost.ts'

/** A program that is run once per round. */
export interface Row {
  readonly name: string
  start(): Promise<Work>
}

/** What the rounds of a row came to. */
export interface Result {
  /** CPU-seconds per million records. */
  readonly cpu: Cost
  /** Records per second on the clock. */
  readonly rate: Cost
  /** Most MiB resident in any round. */
  readonly memory: number
}

/** Runs and prints the rounds; `null` for a row that was not among them. */
export async function rounds(
  log: LogClient,
  rows: readonly Row[],
  runs: number,
): Promise<(name: string) => Result | null> {
  const samples = new Map<string, Sample[]>()
  const calibrations: number[] = []
  const calibrate = calibration([...cloudTrailLines(20_000)])
  for (let run = 0; run < runs; run++) {
    calibrations.push(calibrate())
    for (const row of rows) {
      const sample = await costOfWork(log, await row.start())
      samples.set(row.name, [...(samples.get(row.name) ?? []), sample])
      const cost = `${sample.cpu.toFixed(2)} CPU-s per 1M, ${Math.round(sample.rate)}/s`
      console.error(`round ${run + 1}: ${row.name}: ${cost}`)
    }
  }
  const parsing = costOf(calibrations)
  say(`\ncalibration: JSON.parse of the raw records ${spread(parsing)} CPU-s per 1M`)
  say(
    `\n${'program'.padEnd(44)}${'CPU-s per 1M'.padStart(22)}${'x calibration'.padStart(15)}` +
      `${'records/s'.padStart(26)}${'MiB'.padStart(6)}${'foreign'.padStart(9)}`,
  )
  const results = new Map<string, Result>()
  for (const [name, of] of samples) {
    const cpu = costOf(of.map(one => one.cpu))
    const rate = costOf(of.map(one => one.rate))
    const memory = Math.max(...of.map(one => one.memory))
    const foreign = costOf(of.map(one => one.foreign)).median
    results.set(name, { cpu, rate, memory })
    say(
      name.padEnd(44) +
        spread(cpu).padStart(22) +
        (cpu.median / parsing.median).toFixed(2).padStart(15) +
        `${thousands(rate.median)} (${thousands(rate.least)}-${thousands(rate.most)})`.padStart(26) +
        Math.round(memory).toString().padStart(6) +
        foreign.toFixed(2).padStart(9),
    )
  }
  return name => results.get(name) ?? null
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en')
}
