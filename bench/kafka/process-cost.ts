// What a child process costs while it works a topic off: CPU-seconds from its first commit to its last, wall time, memory,
// and what else the machine was doing meanwhile. Read from outside (/proc, group offsets), so that every program, ours or
// a peer's, is measured the same way and pays nothing for it. Linux only.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogClient } from '../../src/log/log-client.ts'
import { startWatchdog } from '../../test/harness/watchdog.ts'

/** A program that consumes a topic in a group until all of it is committed. */
export interface Work {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly group: string
  readonly topic: string
  /** Processes that are part of the bench (brokers): not foreign. */
  readonly known: readonly number[]
}

/** One run. */
export interface Sample {
  /** CPU-seconds per million records, start-up excluded. */
  readonly cpu: number
  /** Records per second on the clock, start-up excluded. */
  readonly rate: number
  /** Largest resident set, MiB. */
  readonly memory: number
  /** Cores that other programs used meanwhile. */
  readonly foreign: number
}

const ticksPerSecond = 100
const pollMs = 50
const giveUpMs = 600_000
/** A program that has committed nothing by then never will. */
const beginMs = 60_000

/** Seconds of CPU that a process has used; 0 where it is gone. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return 0
  }
}

/** Seconds of CPU that all programs have used, idle and waiting left out. */
export function machineSeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + soft) / ticksPerSecond
}

/** Largest resident set so far, MiB. */
export function peakMemory(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Runs the program over the whole topic and ends it (SIGTERM, then SIGKILL). */
export async function costOfWork(log: LogClient, work: Work): Promise<Sample> {
  const total = (await log.offsets(work.topic)).reduce((sum, { begin, end }) => sum + end - begin, 0)
  const watchdog = startWatchdog()
  const child = spawn(work.command, work.args, {
    ...(work.cwd === undefined ? {} : { cwd: work.cwd }),
    env: { ...process.env, ...work.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pid = child.pid!
  watchdog.pid(pid)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + String(chunk)).slice(-4_000)))
  const exited = new Promise(resolve => child.once('exit', resolve))
  try {
    const done = async () =>
      (await log.committed(work.group, work.topic)).reduce<number>((sum, at) => sum + (at ?? 0), 0)
    const mine = () => cpuSeconds(process.pid) + work.known.reduce((sum, one) => sum + cpuSeconds(one), 0)
    let start: { cpu: number; time: number; records: number; machine: number; mine: number } | null = null
    for (const begun = performance.now(); ; await sleep(pollMs)) {
      const records = await done()
      const cpu = cpuSeconds(pid)
      const time = performance.now()
      if (start === null && records > 0) start = { cpu, time, records, machine: machineSeconds(), mine: mine() }
      if (start !== null && records >= total) {
        const seconds = (time - start.time) / 1000
        const worked = total - start.records
        const foreign = machineSeconds() - start.machine - (cpu - start.cpu) - (mine() - start.mine)
        return {
          cpu: ((cpu - start.cpu) * 1e6) / worked,
          rate: worked / seconds,
          memory: peakMemory(pid),
          foreign: Math.max(0, foreign / seconds),
        }
      }
      const isLate = time - begun > (start === null ? beginMs : giveUpMs)
      if (child.exitCode !== null || child.signalCode !== null || isLate)
        throw new Error(`${work.command} ${work.args.join(' ')} stopped at ${records} of ${total}:\n${output}`)
    }
  } finally {
    child.kill('SIGTERM')
    const killed = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await exited
    clearTimeout(killed)
    watchdog.done()
  }
}
