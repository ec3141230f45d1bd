// Runs the commands of README and docs with an installed package: those that need no cluster in a folder that holds what
// the pages speak of, those that need one in the order of a page, long-running ones until they have done what they are for.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { demoLines } from '../../src/commands/demo-scenario.ts'
import { root } from './documentation.ts'
import type { Home } from './documentation.ts'
import { markedSecret, tellsSecret } from './marked-secret.ts'

/** What a command left. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How a command is run: where, with which PATH in front and which settings, and whether `npx` is part of it. */
export interface Place {
  readonly folder: string
  readonly path: string
  readonly env?: Readonly<Record<string, string>>
  readonly npx?: boolean
}

/** Lays out what the pages speak of: a trail as CloudTrail writes it, the rule of docs/rules.md, old and new rules. */
export function layOut(folder: string): void {
  const day = join(folder, 'trail', 'AWSLogs', '111122223333', 'CloudTrail', 'us-east-1', '2026', '01', '15')
  mkdirSync(day, { recursive: true })
  const records = demoLines().trimEnd().split('\n')
  for (let at = 0; at < records.length; at += 500)
    writeFileSync(join(day, `${at}.json.gz`), gzipSync(`{"Records":[${records.slice(at, at + 500).join(',')}]}`))
  mkdirSync(join(folder, 'path', 'to'), { recursive: true })
  cpSync(join(folder, 'trail'), join(folder, 'path', 'to', 'trail'), { recursive: true })
  const [, rule = ''] =
    /^ {3}```yaml\n([^]*?)^ {3}```$/m.exec(readFileSync(join(root, 'docs', 'rules.md'), 'utf8')) ?? []
  mkdirSync(join(folder, 'my-rules'))
  writeFileSync(join(folder, 'my-rules', 'log-groups-deleted.yml'), rule.replaceAll(/^ {3}/gm, ''))
  for (const name of ['old-rules', 'new-rules']) cpSync(join(root, 'rules'), join(folder, name), { recursive: true })
  // The old rules are blind to the attack of the demo, so that the new ones have something to tell.
  const changed = join(folder, 'old-rules', 'secretsmanager-multi-region.yml')
  writeFileSync(changed, readFileSync(changed, 'utf8').replace('gte: 5', 'gte: 8'))
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ran>
  stdout(): string
  stderr(): string
}

function start(text: string, { folder, path, env = {}, npx = false }: Place): Running {
  // exec: a signal reaches the program and not a shell before it.
  const line = npx ? text.replace(/^trailwarden /, 'npx --no-install trailwarden ') : text
  const single = !/[|;&]/.test(line) && !line.startsWith('export ')
  const child = spawn('bash', ['-o', 'pipefail', '-c', single ? `exec ${line}` : line], {
    cwd: folder,
    env: { ...process.env, ...markedSecret, ...env, PATH: `${path}:${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => (stdout += String(chunk)))
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  const ended = once(child, 'close').then(([code]) => {
    if (tellsSecret(stdout + stderr)) throw new Error(`\`${text}\` wrote the password of the registry`)
    return { code: code as number | null, stdout, stderr }
  })
  return { child, ended, stdout: () => stdout, stderr: () => stderr }
}

/** Runs a command to its end. */
export async function runToEnd(text: string, place: Place): Promise<Ran> {
  return start(text, place).ended
}

/** Cluster commands of a page, one after the other. Services run on until `stop`. */
export class ClusterSession {
  readonly #place: Place
  readonly #services = new Map<string, Running>()

  constructor(place: Place) {
    this.#place = place
  }

  /** Runs one command as its home says; the output of a service is what it wrote until it was ready. */
  async run(text: string, home: Extract<Home, { kind: 'cluster' }>): Promise<Ran> {
    if (home.until === undefined) return runToEnd(text, this.#place)
    const known = this.#services.get(text)
    // Not through npx: a terminal signals the whole group, we signal one process, and npx passes nothing on.
    const running = known ?? start(text, { ...this.#place, npx: false })
    if (home.until === 'ready') {
      this.#services.set(text, running)
      await this.#until(running, async () => {
        const port = /"port":(\d+)/.exec(running.stderr())?.[1]
        if (port === undefined) return false
        return fetch(`http://127.0.0.1:${port}/readyz`).then(
          ({ status }) => status === 200,
          () => false,
        )
      })
      return { code: 0, stdout: running.stdout(), stderr: running.stderr() }
    }
    const shows = home.shows ?? /\n/
    await this.#until(running, async () => shows.test(running.stdout()))
    running.child.kill('SIGINT')
    return running.ended
  }

  async #until(running: Running, met: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 120_000
    while (!(await met())) {
      if (running.child.exitCode !== null || Date.now() > deadline) {
        running.child.kill('SIGKILL')
        throw new Error(`It did not get there:\n${running.stdout()}\n${running.stderr()}`)
      }
      await sleep(100)
    }
  }

  /** Ends the services as a supervisor does; their exit codes by command. */
  async stop(): Promise<Map<string, number | null>> {
    const codes = new Map<string, number | null>()
    for (const [text, { child, ended }] of this.#services) {
      child.kill('SIGTERM')
      codes.set(text, (await ended).code)
    }
    this.#services.clear()
    return codes
  }
}
