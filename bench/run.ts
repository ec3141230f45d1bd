// `npm run bench [-- rows]`: the table of targets, each with what was measured on a real broker and whether it is met. Rows:
// normalize detect worst rules replay restore latency memory growth. --records and --runs make it smaller (targets about a
// size are then not judged), --peers DIR builds the reference programs there and runs them in the same rounds, --rsigma
// FILE runs that program beside replay, --record appends the output to docs/benchmarks.md. Linux only.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchGrowth } from './growth.ts'
import { BenchCluster } from './kafka/cluster.ts'
import { benchLatency } from './kafka/latency.ts'
import { benchLine, lineRows, ours } from './kafka/line.ts'
import { benchMemory } from './kafka/memory.ts'
import { peerRawTopic, preparePeers } from './kafka/peers.ts'
import { costOfWork } from './kafka/process-cost.ts'
import { costOf } from './measure.ts'
import { benchReplay } from './replay.ts'
import { machineLine, recordRun, say } from './report.ts'
import { atMost, printVerdicts } from './verdicts.ts'

const allRows = [...lineRows, 'replay', 'restore', 'latency', 'memory', 'growth']
const restoreEntries = 1_000_000

const { values, positionals } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '5' },
    partitions: { type: 'string', default: '6' },
    peers: { type: 'string' },
    rsigma: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const unknown = positionals.find(name => !allRows.includes(name))
if (unknown !== undefined) {
  console.error(`No row '${unknown}': ${allRows.join(' ')}. Parts without a broker: npm run bench:parts`)
  process.exit(2)
}
const wanted = new Set(positionals.length === 0 ? allRows : positionals)
const [count, runs, partitions] = [values.records, values.runs, values.partitions].map(Number) as [
  number,
  number,
  number,
]

const cluster = await BenchCluster.start()
const folder = mkdtempSync(join(tmpdir(), 'trailwarden-bench-'))
try {
  await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
  await cluster.stop()
}

async function main(): Promise<void> {
  say(machineLine(cluster.kafka.how))
  say(`${count} records, ${partitions} partitions, ${runs} rounds`)
  const { peers: peersFolder } = values
  const wantsLine = lineRows.some(name => wanted.has(name))
  if (wantsLine || wanted.has('memory') || wanted.has('growth')) {
    const input = await cluster.input(count, partitions, peersFolder === undefined ? {} : { raw: peerRawTopic })
    if (wantsLine) {
      // The events topic is what the normalizer itself writes.
      await costOfWork(cluster.log, ours(cluster, 'normalize', input))
      const peers = peersFolder === undefined ? [] : await preparePeers(peersFolder, cluster, count, folder)
      await benchLine(cluster, input, wanted, peers, { runs, partitions, folder })
    }
    if (wanted.has('memory')) await benchMemory(cluster, input, count, partitions)
    if (wanted.has('growth')) await benchGrowth(cluster, input, count, runs)
  }
  if (wanted.has('replay')) await benchReplay(count, runs, folder, values.rsigma ?? null)
  if (wanted.has('restore')) await restoreRow(Math.min(count, restoreEntries))
  if (wanted.has('latency')) await benchLatency(cluster, 100)
  printVerdicts()
  if (values.record) recordRun(['npm run bench --', ...commandLine()].join(' '))
}

/** What was asked for, without paths of this machine. */
function commandLine(): string[] {
  const flags = [`--records ${count}`, `--runs ${runs}`]
  if (values.peers !== undefined) flags.push('--peers DIR')
  if (values.rsigma !== undefined) flags.push('--rsigma FILE')
  return [...positionals, ...flags]
}

/** The program of `npm run bench:restore` on the same broker: every run is a process of its own. */
async function restoreRow(entries: number): Promise<void> {
  const args = [join(import.meta.dirname, 'restore.ts'), '--json', '--entries', String(entries), '--runs', String(runs)]
  const env = { KAFKA_BROKERS: cluster.kafka.brokers.join(','), SCHEMA_REGISTRY_URL: cluster.kafka.registryUrl }
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`The restore ended with ${code}`)
  const { seconds, cpu } = JSON.parse(output) as { readonly seconds: number[]; readonly cpu: number[] }
  const [time, work] = [costOf(seconds), costOf(cpu)]
  const spread = `${time.median.toFixed(1)} s (${time.least.toFixed(1)}-${time.most.toFixed(1)})`
  say(`\nrestore of ${entries.toLocaleString('en')} states: ${spread}, ${work.median.toFixed(1)} CPU-s`)
  const note = entries < restoreEntries ? 'the target is about 1,000,000 states' : ''
  const what = `${entries.toLocaleString('en')} state entries of one partition`
  atMost(8, { row: 'restore', what, value: time.median, unit: ' s', note })
}
