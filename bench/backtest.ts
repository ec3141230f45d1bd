// `npm run bench:backtest [-- --records N] [-- --kafka]`: what a backtest of a million records costs, as a user runs it.
// Writes generated CloudTrail into a temporary folder in the layout of a trail's bucket, runs `replay --json` as a process of
// its own, and prints time, pace and peak memory. With --kafka the same records go through normalize and detect on a real
// broker (found or started as the integration tests do), and the alerts of both are compared.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { agreementOf, alertsFromJson, throughPipeline } from '../test/harness/backtest.ts'
import { kafkaForTests } from '../test/harness/kafka.ts'
import { lineOn } from '../test/harness/line.ts'
import { cloudTrailLines } from './data.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    kafka: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
})
const records = Number(values.records)
/** CloudTrail closes a file after some minutes; a busy region has hundreds of records in it. */
const perFile = 250
const ticksPerSecond = 100

const folder = mkdtempSync(join(tmpdir(), 'trailwarden-bench-'))
try {
  const { files, bytes } = writeTrail(folder)
  console.log(
    `${grouped(records)} records in ${grouped(files)} .json.gz files, ${(bytes / 1e6).toFixed(0)} MB; node ${process.version}`,
  )
  const alerts = await backtest('replay --json', ['replay', '--json', folder])
  if (values.report)
    await backtest('replay --json --report', ['replay', '--json', '--report', join(folder, 'report.html'), folder])
  if (values.kafka) await compareOnKafka(alerts)
} finally {
  rmSync(folder, { recursive: true })
}

/** Files as a trail writes them: by region and day, records of a file in no order but that of their arrival. */
function writeTrail(into: string): { files: number; bytes: number } {
  const open = new Map<string, string[]>()
  let files = 0
  let bytes = 0
  const close = (key: string, lines: readonly string[]) => {
    const [region, day] = key.split(' ') as [string, string]
    const path = join(into, 'AWSLogs', '100000000000', 'CloudTrail', region, ...day.split('-'))
    mkdirSync(path, { recursive: true })
    const content = gzipSync(`{"Records":[${lines.join(',')}]}`, { level: 1 })
    writeFileSync(join(path, `100000000000_CloudTrail_${region}_${String(files++).padStart(7, '0')}.json.gz`), content)
    bytes += content.length
    open.delete(key)
  }
  for (const line of cloudTrailLines(records)) {
    const [, region = ''] = /"awsRegion":"([^"]+)"/.exec(line) ?? []
    const [, day = ''] = /"eventTime":"([^T]+)T/.exec(line) ?? []
    const key = `${region} ${day}`
    const lines = open.get(key) ?? []
    if (lines.push(line) === 1) open.set(key, lines)
    if (lines.length === perFile) close(key, lines)
  }
  for (const [key, lines] of open) close(key, lines)
  return { files, bytes }
}

/** Runs the command line, prints what it took, and returns the lines of its output. */
async function backtest(name: string, args: readonly string[]): Promise<string[]> {
  const started = performance.now()
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'bin', 'trailwarden.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  let notes = ''
  child.stderr.on('data', chunk => (notes += String(chunk)))
  // What the kernel counted last before the process ended; Linux only.
  let peakMb = NaN
  let cpuSeconds = NaN
  const watch = setInterval(() => {
    try {
      // A process that has ended and waits for us has times, but no memory any more.
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
      if (peak !== null) peakMb = Number(peak[1]) / 1024
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      cpuSeconds = (Number(stat[11]) + Number(stat[12])) / ticksPerSecond
    } catch {
      // Ended meanwhile, or no /proc here.
    }
  }, 50)
  const [code] = (await once(child, 'close')) as [number]
  clearInterval(watch)
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${notes}`)
  const seconds = (performance.now() - started) / 1000
  const episodes = lines.filter(line => line.includes('"activity":"CREATE"')).length
  console.log(
    `${name}: ${seconds.toFixed(1)} s, ${grouped(records / seconds)} records/s, ${cpuSeconds.toFixed(1)} CPU-s, ` +
      `peak memory ${peakMb.toFixed(0)} MiB, ${grouped(episodes)} episodes, ${grouped(lines.length)} alerts`,
  )
  console.log(`  ${notes.trim().split('\n').at(-1) ?? ''}`)
  return lines
}

async function compareOnKafka(lines: readonly string[]): Promise<void> {
  const cleaners: (() => Promise<void>)[] = []
  const kafka = await kafkaForTests({}, line => console.log(`  ${line}`))
  try {
    const line = await lineOn(kafka, { after: clean => void cleaners.push(clean) })
    const started = performance.now()
    const produced = await throughPipeline(line, cloudTrailLines(records), 60 * 60_000)
    const seconds = (performance.now() - started) / 1000
    console.log(
      `normalize and detect on Kafka (${kafka.how}): ${seconds.toFixed(1)} s, ${grouped(records / seconds)} records/s`,
    )
    const { episodes, sameKey, differences } = agreementOf(alertsFromJson(lines), produced)
    console.log(
      `${grouped(episodes)} episodes found by both, ${grouped(sameKey)} under the same dedup key; ${differences.length} differences`,
    )
    for (const difference of differences.slice(0, 20)) console.log(`  ${difference}`)
    if (differences.length > 0) process.exitCode = 1
  } finally {
    for (const clean of cleaners) await clean()
    await kafka.stop()
  }
}

function grouped(amount: number): string {
  return Math.round(amount).toLocaleString('en')
}
