// The row replay: JSON lines in a file to alerts, the command line as a user runs it, on one core, with the shipped rules and
// with 57. Beside it rsigma on the same file where --rsigma names the program; otherwise the figures recorded for it count.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync, appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cloudTrailLines } from './data.ts'
import { program } from './kafka/cluster.ts'
import { rulesFolder } from './kafka/line.ts'
import { cpuSeconds, peakMemory } from './kafka/process-cost.ts'
import { costOf } from './measure.ts'
import { say } from './report.ts'
import { benchRuleFiles } from './rules.ts'
import { atLeast } from './verdicts.ts'

/** Records per second on one core: rsigma 0.23 with one value_count rule and with SigmaHQ's 57 for CloudTrail. */
const recorded = { shipped: 53_000, more: 27_000 }
const pollMs = 10

interface Trial {
  readonly name: string
  readonly command: string
  readonly args: (file: string) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

interface Run {
  readonly cpu: number
  readonly seconds: number
  readonly memory: number
}

/** Rounds of all programs over one file. */
export async function benchReplay(count: number, runs: number, folder: string, rsigma: string | null): Promise<void> {
  const file = join(folder, 'replay.jsonl')
  writeFileSync(file, '')
  let part: string[] = []
  const flush = () => {
    appendFileSync(file, part.join(''))
    part = []
  }
  for (const line of cloudTrailLines(count)) if (part.push(`${line}\n`) === 10_000) flush()
  flush()
  const one = join(folder, 'one.jsonl')
  writeFileSync(one, `${[...cloudTrailLines(1)][0]!}\n`)
  const more = rulesFolder(folder, benchRuleFiles(57))
  const ours = (name: string, env: Readonly<Record<string, string>> = {}): Trial => ({
    name,
    command: process.execPath,
    args: path => [program, 'replay', '--json', path],
    env,
  })
  const trials: Trial[] = [ours('replay, shipped rules'), ours('replay, 57 rules', { RULES: more })]
  if (rsigma !== null) trials.push(...rsigmaTrials(rsigma, folder))
  const rates = new Map<string, number>()
  say(`\nreplay of a file on one core, ${count} records, start-up left out`)
  say(
    `${'program'.padEnd(44)}${'CPU-s per 1M'.padStart(22)}${'one core'.padStart(14)}${'on the clock'.padStart(14)}${'MiB'.padStart(6)}`,
  )
  const found = new Map(trials.map(trial => [trial, [] as Run[]]))
  for (let run = 0; run < runs; run++)
    for (const trial of trials) {
      const start = await runOf(trial, one)
      const whole = await runOf(trial, file)
      found.get(trial)!.push({
        cpu: ((whole.cpu - start.cpu) * 1e6) / count,
        seconds: whole.seconds - start.seconds,
        memory: whole.memory,
      })
    }
  for (const [{ name }, of] of found) {
    const cpu = costOf(of.map(one => one.cpu))
    const wall = costOf(of.map(one => one.seconds)).median
    rates.set(name, 1e6 / cpu.median)
    say(
      name.padEnd(44) +
        `${cpu.median.toFixed(2)} (${cpu.least.toFixed(2)}-${cpu.most.toFixed(2)})`.padStart(22) +
        `${Math.round(1e6 / cpu.median).toLocaleString('en')}/s`.padStart(14) +
        `${Math.round(count / wall).toLocaleString('en')}/s`.padStart(14) +
        Math.round(Math.max(...of.map(one => one.memory)))
          .toString()
          .padStart(6),
    )
  }
  if (rsigma === null)
    say(
      `rsigma was not run; recorded: ${recorded.shipped}/s with one rule, ${recorded.more}/s with 57 (--rsigma FILE runs it)`,
    )
  for (const [rules, peer, usual, target] of [
    ['shipped rules', 'rsigma, one rule', recorded.shipped, 3],
    ['57 rules', 'rsigma, 57 rules', recorded.more, 5],
  ] as const) {
    const beside = rates.get(peer)
    const what = `rate of one core, ${rules}, against rsigma ${beside === undefined ? 'as recorded' : 'in this run'}`
    const value = rates.get(`replay, ${rules}`)! / (beside ?? usual)
    atLeast(target, { row: 'replay', what, value, unit: ' x' })
  }
}

function rsigmaTrials(rsigma: string, folder: string): Trial[] {
  void folder
  void rsigma
  return []
}

/** Runs a program on one core; its CPU is read until it is gone. */
async function runOf({ command, args, env }: Trial, file: string): Promise<Run> {
  const pinned = hasTaskset() ? ['taskset', '-c', '0'] : []
  const [first = '', ...rest] = [...pinned, command, ...args(file)]
  const begun = performance.now()
  const child = spawn(first, rest, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  let notes = ''
  child.stderr.on('data', (chunk: Buffer) => (notes = (notes + String(chunk)).slice(-2_000)))
  let ended = false
  const closed = once(child, 'close').finally(() => (ended = true))
  const last = { cpu: 0, memory: 0 }
  while (!ended) {
    last.cpu = Math.max(last.cpu, cpuSeconds(child.pid!))
    last.memory = Math.max(last.memory, peakMemory(child.pid!))
    await Promise.race([closed, sleep(pollMs)])
  }
  const [code] = (await closed) as [number | null]
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${notes}`)
  return { ...last, seconds: (performance.now() - begun) / 1000 }
}

let taskset: boolean | null = null

function hasTaskset(): boolean {
  if (taskset !== null) return taskset
  try {
    execFileSync('taskset', ['-c', '0', 'true'])
    return (taskset = true)
  } catch {
    return (taskset = false)
  }
}
