// Detector processes under a supervisor that starts again whatever ends, and the faults that can be done to them.
// Their output goes to one log file per place in the fleet. A watchdog kills them when this process is gone.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../harness/simulator.ts'
import { markedSecret, tellsSecret } from '../harness/marked-secret.ts'
import { startWatchdog } from '../harness/watchdog.ts'

/** What a fleet needs. */
export interface FleetOptions {
  readonly program: string
  readonly env: Readonly<Record<string, string>>
  /** Where the logs go. */
  readonly folder: string
  readonly random: Random
  /** How long a frozen process stays frozen at least: longer than the session. */
  readonly freezeMs: number
  readonly least: number
  readonly most: number
  readonly note: (line: string) => void
}

interface Worker {
  readonly name: string
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
  /** Why it is expected to end. */
  ending: 'kill' | 'term' | 'remove' | null
  frozen: boolean
}

/** Longest time until the supervisor starts again what has ended. */
const restartMs = 2500

export class Fleet {
  readonly counts = { kills: 0, stops: 0, terms: 0, starts: 0 }
  /** Ends that nobody asked for, and stops on SIGTERM that were not clean: name and exit code or signal. */
  readonly unexpected: string[] = []
  /** Who has written its secret, known after `stop`. */
  readonly telltales: string[] = []
  readonly #options: FleetOptions
  readonly #watchdog = startWatchdog()
  readonly #workers = new Map<string, Worker>()
  readonly #waking: Promise<void>[] = []
  readonly #over = new AbortController()
  readonly #names = new Set<string>()

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** A process more, unless there are as many as there may be. */
  add(): void {
    if (this.#workers.size < this.#options.most) this.#start(`worker-${this.#names.size + 1}`)
  }

  /** Stops a process for good, unless there are as few as there may be. */
  remove(): void {
    const worker = this.#workers.size > this.#options.least ? this.#pick() : null
    if (worker !== null) this.#term(worker, 'remove')
  }

  /** Whether every process has joined the group, as its log says. */
  begun(): boolean {
    const { folder } = this.#options
    return [...this.#workers.keys()].every(name =>
      readFileSync(join(folder, `${name}.log`), 'utf8').includes('"Started."'),
    )
  }

  kill(): void {
    const worker = this.#pick()
    if (worker === null) return
    this.counts.kills++
    worker.ending = 'kill'
    this.#options.note(`SIGKILL ${worker.name}`)
    worker.child.kill('SIGKILL')
  }

  term(): void {
    const worker = this.#pick()
    if (worker !== null) this.#term(worker, 'term')
  }

  /** SIGSTOP, and SIGCONT after the group has given its partitions to others. */
  freeze(): void {
    const { freezeMs, random, note } = this.#options
    // Somebody has to be left, or the stall that is measured is ours.
    const worker = this.#able().length > 1 ? this.#pick() : null
    if (worker === null) return
    this.counts.stops++
    worker.frozen = true
    worker.child.kill('SIGSTOP')
    const ms = freezeMs + random.int(500, 4000)
    note(`SIGSTOP ${worker.name} for ${ms} ms`)
    this.#waking.push(
      sleep(ms).then(() => {
        worker.frozen = false
        worker.child.kill('SIGCONT')
        note(`SIGCONT ${worker.name}`)
      }),
    )
  }

  /** Resolves when nobody is frozen any more. */
  async awake(): Promise<void> {
    await Promise.all(this.#waking)
  }

  /** SIGTERM to everybody; whoever needs longer than 15 s is killed, and that is unexpected. */
  async stop(): Promise<void> {
    this.#over.abort()
    const workers = [...this.#workers.values()]
    for (const worker of workers) {
      worker.child.kill('SIGCONT')
      if (worker.ending === null) this.#term(worker, 'remove', false)
    }
    const late = setTimeout(() => workers.forEach(({ child }) => child.kill('SIGKILL')), 15_000)
    await Promise.all(workers.map(({ exited }) => exited))
    clearTimeout(late)
    for (const name of this.#names) {
      const log = readFileSync(join(this.#options.folder, `${name}.log`), 'utf8')
      if (tellsSecret(log)) this.telltales.push(name)
    }
    this.#watchdog.done()
  }

  #able(): Worker[] {
    return [...this.#workers.values()].filter(({ frozen, ending }) => !frozen && ending === null)
  }

  #pick(): Worker | null {
    const able = this.#able()
    return able.length === 0 ? null : this.#options.random.pick(able)
  }

  #term(worker: Worker, ending: 'term' | 'remove', counted = true): void {
    if (counted) this.counts.terms++
    worker.ending = ending
    this.#options.note(`SIGTERM ${worker.name}`)
    worker.child.kill('SIGTERM')
  }

  #start(name: string): void {
    if (this.#over.signal.aborted) return
    const { program, env, folder, note } = this.#options
    const log = join(folder, `${name}.log`)
    const file = openSync(log, 'a')
    const { size } = statSync(log)
    const child = spawn(process.execPath, [program, 'detect'], {
      env: { ...process.env, ...markedSecret, ...env },
      stdio: ['ignore', file, file],
    })
    closeSync(file)
    this.#names.add(name)
    this.counts.starts++
    const { pid = 0 } = child
    this.#watchdog.pid(pid)
    note(`start ${name}, pid ${pid}`)
    const exited = new Promise<void>(resolve => {
      child.once('exit', (code, signal) => {
        this.#watchdog.forget(pid)
        this.#ended(worker, signal ?? `exit ${code}`, statSync(log).size === size)
        resolve()
      })
    })
    const worker: Worker = { name, child, exited, ending: null, frozen: false }
    this.#workers.set(name, worker)
  }

  /** @param silent it ended before it had said anything: then SIGTERM still has its default effect */
  #ended({ name, ending }: Worker, how: string, silent: boolean): void {
    this.#options.note(`${name} ended: ${how}`)
    const expected = ending === 'kill' || how === 'exit 0' || (ending !== null && how === 'SIGTERM' && silent)
    if (!expected) this.unexpected.push(`${name} ${ending ?? 'by itself'}: ${how}`)
    this.#workers.delete(name)
    if (ending === 'remove') return
    const again = sleep(this.#options.random.int(0, restartMs), undefined, { signal: this.#over.signal })
    again.then(() => this.#start(name)).catch(() => undefined)
  }
}
