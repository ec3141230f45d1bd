// The row replay: JSON lines in a file to alerts, the command line as a user runs it, on one core, with the shipped rules and
// with 57. Beside it rsigma on the same file where --rsigma names the program; otherwise the figures recorded for it count.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cloudTrailLines } from './data.ts'
import { program } from './kafka/program.ts'
import { rulesFolder } from './kafka/line.ts'
import { cpuSeconds, machineSeconds, peakMemory } from './kafka/process-cost.ts'
import { calibration, costOf, spread } from './measure.ts'
import { say } from './report.ts'
import { benchRuleFiles, plainSigmaFiles } from './rules.ts'
import { atLeast } from './verdicts.ts'

/** Records per second on one core: rsigma 0.23 with one value_count rule and with SigmaHQ's 57 for CloudTrail. */
const recorded = { one: 53_000, many: 27_000 }
const many = 57
const pollMs = 10
const onOneCore = spawnSync('taskset', ['-c', '0', 'true']).status === 0 ? ['taskset', '-c', '0'] : []

interface Trial {
  readonly name: string
  readonly command: readonly string[]
  /** Put in front of the file's path. */
  readonly prefix?: string
  readonly env?: Readonly<Record<string, string>>
}

/** CPU-seconds, seconds on the clock, MiB at most, and the cores that other programs used. */
interface Run {
  readonly cpu: number
  readonly seconds: number
  readonly memory: number
  readonly foreign: number
}

/** Rounds of all programs over one file of the bench data. */
export async function benchReplay(count: number, runs: number, folder: string, rsigma: string | null): Promise<void> {
  const [one, all] = [fileOf(folder, 1), fileOf(folder, count)]
  const ours = [process.execPath, program, 'replay', '--json']
  const env = { RULES: rulesFolder(folder, benchRuleFiles(many)) }
  const trials: Trial[] = [
    { name: 'replay, shipped rules', command: ours },
    { name: `replay, ${many} rules`, command: ours, env },
  ]
  if (rsigma !== null)
    for (const [name, rules] of [
      ['rsigma, one rule', 1],
      [`rsigma, ${many} rules`, many],
    ] as const) {
      const files = rulesFolder(folder, plainSigmaFiles(rules))
      const flags = ['engine', 'eval', '--no-detections', '--timestamp-field', 'eventTime', '-r', files, '-e']
      trials.push({ name, command: [rsigma, ...flags], prefix: '@' })
    }
  const calibrate = calibration([...cloudTrailLines(20_000)])
  const calibrations: number[] = []
  const found = new Map(trials.map(trial => [trial, [] as Run[]]))
  for (let round = 0; round < runs; round++) {
    calibrations.push(calibrate())
    for (const trial of trials) {
      const start = await runOf(trial, one)
      const whole = await runOf(trial, all)
      const cpu = ((whole.cpu - start.cpu) * 1e6) / count
      found.get(trial)!.push({ ...whole, cpu })
    }
  }
  const rates = print(count, found, calibrations)
  if (rsigma === null)
    say(
      `rsigma was not run; recorded: ${recorded.one}/s with one rule, ${recorded.many}/s with 57; --rsigma FILE runs it`,
    )
  for (const [name, peer, usual, target] of [
    ['shipped rules', 'rsigma, one rule', recorded.one, 3],
    [`${many} rules`, `rsigma, ${many} rules`, recorded.many, 5],
  ] as const) {
    const beside = rates.get(peer)
    const what = `one core, ${name}, against rsigma ${beside === undefined ? 'as recorded' : 'in this run'}`
    atLeast(target, { row: 'replay', what, value: rates.get(`replay, ${name}`)! / (beside ?? usual), unit: ' x' })
  }
}

/** Prints the table; the rate of one core by name. */
function print(
  count: number,
  found: ReadonlyMap<Trial, readonly Run[]>,
  calibrations: readonly number[],
): Map<string, number> {
  const parsing = costOf(calibrations)
  say(
    `\nreplay of a file ${onOneCore.length > 0 ? 'on one core' : 'on all cores'}, ${count} records, start-up left out`,
  )
  say(`calibration: JSON.parse of the raw records ${spread(parsing)} CPU-s per 1M`)
  say(
    `${'program'.padEnd(44)}${'CPU-s per 1M'.padStart(22)}${'x calibration'.padStart(15)}${'one core'.padStart(14)}` +
      `${'on the clock'.padStart(14)}${'MiB'.padStart(6)}${'foreign'.padStart(9)}`,
  )
  const rates = new Map<string, number>()
  for (const [{ name }, of] of found) {
    const cpu = costOf(of.map(run => run.cpu))
    rates.set(name, 1e6 / cpu.median)
    const perSecond = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`
    say(
      name.padEnd(44) +
        spread(cpu).padStart(22) +
        (cpu.median / parsing.median).toFixed(2).padStart(15) +
        perSecond(1e6 / cpu.median).padStart(14) +
        perSecond(count / costOf(of.map(run => run.seconds)).median).padStart(14) +
        String(Math.round(Math.max(...of.map(run => run.memory)))).padStart(6) +
        costOf(of.map(run => run.foreign))
          .median.toFixed(2)
          .padStart(9),
    )
  }
  return rates
}

function fileOf(folder: string, count: number): string {
  const path = join(folder, `replay-${count}.jsonl`)
  let part: string[] = []
  const write = () => {
    appendFileSync(path, part.join(''))
    part = []
  }
  for (const line of cloudTrailLines(count)) if (part.push(`${line}\n`) === 10_000) write()
  write()
  return path
}

/** Runs a program over a file; its CPU is read until it is gone, so that up to 10 ms of it are missed. */
async function runOf({ command, prefix = '', env }: Trial, file: string): Promise<Run> {
  const [first = '', ...args] = [...onOneCore, ...command, `${prefix}${file}`]
  const others = () => machineSeconds() - cpuSeconds(process.pid)
  const before = others()
  const begun = performance.now()
  const child = spawn(first, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  let notes = ''
  child.stderr.on('data', (chunk: Buffer) => (notes = (notes + String(chunk)).slice(-2_000)))
  let ended = false
  const closed = once(child, 'close').finally(() => (ended = true))
  let [cpu, memory] = [0, 0]
  while (!ended) {
    // Both are 0 once it is gone.
    cpu = Math.max(cpu, cpuSeconds(child.pid!))
    memory = Math.max(memory, peakMemory(child.pid!))
    await Promise.race([closed, sleep(pollMs)])
  }
  const seconds = (performance.now() - begun) / 1000
  const [code] = (await closed) as [number | null]
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${notes}`)
  return { cpu, memory, seconds, foreign: Math.max(0, (others() - before - cpu) / seconds) }
}
