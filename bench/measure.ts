// How every bench of the pure parts measures and prints: CPU-seconds of this process per million records, beside a
// baseline of the same run, because this is a shared machine: trust the ratios.
import { say } from './report.ts'

/** CPU-seconds per million records: median, least and most of several runs. */
export interface Cost {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** The cost of runs whose CPU-seconds per million records are known. */
export function costOf(times: readonly number[]): Cost {
  const sorted = [...times].sort((a, b) => a - b)
  return { median: sorted[sorted.length >> 1]!, least: sorted[0]!, most: sorted.at(-1)! }
}

/** CPU microseconds of this process while `work` runs. */
export function cpuMicros(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/**
 * The calibration loop of the benches with processes of their own: CPU-seconds per million of JSON.parse over these lines.
 * What a machine does to it from round to round, it does to the rows beside it.
 */
export function calibration(lines: readonly string[]): () => number {
  const once = () => cpuMicros(() => lines.forEach(line => JSON.parse(line))) / lines.length
  once()
  return once
}

/** Median and, in brackets, least and most. */
export function spread({ median, least, most }: Cost): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}-${most.toFixed(2)})`
}

/** Runs `work` once to warm up and then `runs` times; it handles `records` records each time. */
export function measure(runs: number, records: number, work: () => void): Cost {
  work()
  return costOf(Array.from({ length: runs }, () => cpuMicros(work) / records))
}

/** Like {@link measure}, for work that may wait. */
export async function measureAsync(runs: number, records: number, work: () => Promise<void>): Promise<Cost> {
  await work()
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / records)
  }
  return costOf(times)
}

/** Prints one row: cost, rate of one core, and the ratio to the baseline. */
export function row(name: string, cost: Cost, baseline: Cost, note = ''): void {
  const columns = [
    name.padEnd(46),
    spread(cost).padStart(22),
    `${Math.round(1e6 / cost.median).toLocaleString('en')}/s`.padStart(12),
    `${(cost.median / baseline.median).toFixed(2)} x`.padStart(9),
  ]
  say(`${columns.join('  ')}${note === '' ? '' : `  ${note}`}`)
}

/** Prints the head of a table and what its baseline is. */
export function heading(title: string, baseline: string): void {
  say(`\n${title}`)
  say(
    `${''.padEnd(46)}  ${'CPU-s per 1M records'.padStart(22)}  ${'one core'.padStart(12)}  ${'baseline'.padStart(9)}  (baseline: ${baseline})`,
  )
}
