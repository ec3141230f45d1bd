// A real Prometheus for tests: Debian's, in a folder of its own, scraping what it is told every second with the rules that ship.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { DebianPackage } from './debian-package.ts'
import { freePorts } from './ports.ts'
import { httpReady } from './readiness.ts'

/** One series of an instant query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

export interface PrometheusForTests {
  /** Runs an instant query. Rejects with Prometheus' own message when it does not take the expression. */
  query(expression: string): Promise<readonly Sample[]>
  /** Value of a query with one series; NaN for none. */
  value(expression: string): Promise<number>
  stop(): Promise<void>
}

/** Starts it on free ports; `targets` are host:port of one job. */
export async function startPrometheus(
  debian: DebianPackage,
  targets: readonly string[],
  rules: string,
): Promise<PrometheusForTests> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
  const [port] = await freePorts(1)
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'trailwarden', static_configs: [{ targets }] }],
  }
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config))
  const child = spawn(
    join(debian.root, 'usr/bin/prometheus'),
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${String(port)}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...debian.env } },
  )
  let said = ''
  child.stderr.on('data', chunk => (said += String(chunk)))
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  const stop = async () => {
    child.kill('SIGTERM')
    const hard = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await closed
    clearTimeout(hard)
    rmSync(folder, { recursive: true, force: true })
  }
  const base = `http://127.0.0.1:${String(port)}`
  try {
    await httpReady(`${base}/-/ready`, 60_000, () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${said}`)
    })
  } catch (error) {
    await stop()
    throw error
  }
  const query = async (expression: string): Promise<readonly Sample[]> => {
    const answer = await fetch(`${base}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`)
    const body = (await answer.json()) as { status: string; error?: string; data?: { result: Sample[] } }
    if (body.status !== 'success' || body.data === undefined)
      throw new Error(`${expression}: ${body.error ?? 'refused'}`)
    return body.data.result
  }
  return {
    query,
    value: async expression => Number((await query(expression))[0]?.value[1] ?? NaN),
    stop,
  }
}
