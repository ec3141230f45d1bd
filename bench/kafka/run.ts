// `npm run bench:kafka [-- rows]`: the line on a real broker, each row with its target and whether it is met. Rows:
// normalize, detect, worst, rules, latency. Every round runs each row once, one after the other, beside a consumer
// that does nothing and a calibration loop, so that what the machine does to one it does to all. With --peers DIR the
// reference programs there are built and run in the same rounds. Medians; `foreign` is what other programs used.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cloudTrailLines } from '../data.ts'
import { costOf, cpuMicros } from '../measure.ts'
import { benchRuleFiles, everyCallFile } from '../rules.ts'
import { BenchCluster, program } from './cluster.ts'
import type { Line } from './cluster.ts'
import { latencies, percentile } from './latency.ts'
import { peerRawTopic, preparePeers } from './peers.ts'
import type { Peer } from './peers.ts'
import { costOfWork } from './process-cost.ts'
import type { Sample, Work } from './process-cost.ts'

const { values, positionals } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '5' },
    partitions: { type: 'string', default: '6' },
    peers: { type: 'string' },
  },
  allowPositionals: true,
})
const count = Number(values.records)
const runs = Number(values.runs)
const partitions = Number(values.partitions)
const wanted = positionals.length === 0 ? ['normalize', 'detect', 'worst', 'rules', 'latency'] : positionals

/** A program that is run once per round. */
interface Row {
  readonly name: string
  start(): Promise<Work>
}

const cluster = await BenchCluster.start()
const folder = mkdtempSync(join(tmpdir(), 'trailwarden-bench-'))
try {
  await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
  await cluster.stop()
}

async function main(): Promise<void> {
  const model = cpus()[0]?.model ?? 'unknown processor'
  console.log(
    `${count} records on ${partitions} partitions, ${runs} rounds; node ${process.version}; ${cpus().length} x ${model}`,
  )
  const input = await cluster.input(count, partitions, values.peers === undefined ? {} : { raw: peerRawTopic })
  // The events topic is what the normalizer itself writes.
  await costOfWork(cluster.log, ours('normalize', input, {}))
  const peers = values.peers === undefined ? [] : await preparePeers(values.peers, cluster, count, folder)
  const rows = [...rowsOf(input), ...peers.map(peer => peerRow(peer))]
  if (rows.length > 1) await rounds(rows)
  if (wanted.includes('latency')) await latencyRow()
}

function ours(verb: 'normalize' | 'detect', line: Line, env: Readonly<Record<string, string>>): Work {
  return {
    command: process.execPath,
    args: [program, verb],
    env: { ...line.env, ...env },
    group: line.groups[verb],
    topic: verb === 'normalize' ? line.topics.raw : line.topics.events,
    known: cluster.kafka.pids,
  }
}

function rowsOf(input: Line): Row[] {
  const { raw, events } = input.topics
  const noop = (topic: string): Row => ({
    name: `consumer that does nothing, ${topic === raw ? 'raw' : 'events'} topic`,
    async start() {
      const { env, groups } = await cluster.line({ raw, events }, partitions)
      const args = [join(import.meta.dirname, 'noop.ts'), groups.detect, topic]
      return { command: process.execPath, args, env, group: groups.detect, topic, known: cluster.kafka.pids }
    },
  })
  const detect = (name: string, env: Readonly<Record<string, string>> = {}): Row => ({
    name,
    start: async () => ours('detect', await cluster.line({ raw, events }, partitions), env),
  })
  const rows: Row[] = []
  if (wanted.includes('normalize')) {
    rows.push(noop(raw), {
      name: 'normalize',
      start: async () => ours('normalize', await cluster.line({ raw }, partitions), {}),
    })
  }
  if (wanted.some(name => ['detect', 'worst', 'rules'].includes(name))) rows.push(noop(events))
  if (wanted.includes('detect')) rows.push(detect('detect, shipped rules'))
  if (wanted.includes('rules'))
    for (const rules of [57, 500])
      rows.push(detect(`detect, ${rules} rules`, { RULES: written(benchRuleFiles(rules)) }))
  if (wanted.includes('worst'))
    rows.push(detect('detect, every record changes state', { RULES: written([everyCallFile]) }))
  return rows
}

function peerRow(peer: Peer): Row {
  return { name: peer.name, start: async () => ({ ...(await peer.start()), known: cluster.kafka.pids }) }
}

/** Puts rule files into a folder and gives its path. */
function written(files: readonly { readonly path: string; readonly text: string }[]): string {
  const into = mkdtempSync(join(folder, 'rules-'))
  for (const { path, text } of files) writeFileSync(join(into, path.split('/').at(-1) ?? path), text)
  return into
}

async function rounds(rows: readonly Row[]): Promise<void> {
  const samples = new Map<string, Sample[]>()
  const calibrations: number[] = []
  const lines = [...cloudTrailLines(20_000)]
  for (let run = 0; run < runs; run++) {
    calibrations.push(cpuMicros(() => lines.forEach(line => JSON.parse(line))) / lines.length)
    for (const row of rows) {
      const sample = await costOfWork(cluster.log, await row.start())
      samples.set(row.name, [...(samples.get(row.name) ?? []), sample])
      console.error(
        `round ${run + 1}: ${row.name}: ${sample.cpu.toFixed(2)} CPU-s per 1M, ${Math.round(sample.rate)}/s`,
      )
    }
  }
  const calibration = costOf(calibrations)
  console.log(
    `\ncalibration: JSON.parse of the raw records ${calibration.median.toFixed(2)} (${calibration.least.toFixed(2)}-${calibration.most.toFixed(2)}) CPU-s per 1M`,
  )
  console.log(
    `\n${'row'.padEnd(44)}${'CPU-s per 1M'.padStart(22)}${'x calibration'.padStart(15)}${'records/s'.padStart(12)}${'MiB'.padStart(6)}${'foreign'.padStart(9)}`,
  )
  for (const { name } of rows) {
    const of = samples.get(name)!
    const cost = costOf(of.map(({ cpu }) => cpu))
    console.log(
      name.padEnd(44) +
        `${cost.median.toFixed(2)} (${cost.least.toFixed(2)}-${cost.most.toFixed(2)})`.padStart(22) +
        (cost.median / calibration.median).toFixed(2).padStart(15) +
        Math.round(costOf(of.map(({ rate }) => rate)).median)
          .toLocaleString('en')
          .padStart(12) +
        Math.round(Math.max(...of.map(({ memory }) => memory)))
          .toString()
          .padStart(6) +
        costOf(of.map(({ foreign }) => foreign))
          .median.toFixed(2)
          .padStart(9),
    )
  }
  console.log()
  verdicts(name => {
    const of = samples.get(name)
    return of === undefined
      ? null
      : {
          cpu: costOf(of.map(({ cpu }) => cpu)).median,
          rate: costOf(of.map(({ rate }) => rate)).median,
          memory: Math.max(...of.map(({ memory }) => memory)),
        }
  })
}

type Found = (name: string) => { readonly cpu: number; readonly rate: number; readonly memory: number } | null

function verdicts(found: Found): void {
  const verdict = (what: string, value: number, target: number, atMost: boolean, unit = '') => {
    const isMet = atMost ? value <= target : value >= target
    console.log(
      `${isMet ? 'met   ' : 'MISSED'} ${what}: ${value.toFixed(2)}${unit}, target ${atMost ? '≤' : '≥'} ${target}${unit}`,
    )
  }
  const normalize = found('normalize')
  const detect = found('detect, shipped rules')
  const worst = found('detect, every record changes state')
  if (normalize) {
    verdict('normalize, CPU-s per 1M', normalize.cpu, 16, true)
    verdict('normalize, memory', normalize.memory, 350, true, ' MiB')
    const java = found('Java, normalize')
    if (java) verdict('normalize against Java', java.cpu / normalize.cpu, 1.7, false, ' x')
  }
  if (detect) {
    verdict('detect, CPU-s per 1M', detect.cpu, 6, true)
    const streams = found('Kafka Streams, in memory')
    if (streams) {
      verdict('detect against Kafka Streams', streams.cpu / detect.cpu, 3, false, ' x')
      verdict('rate of detect against Kafka Streams', detect.rate / streams.rate, 2, false, ' x')
    }
    for (const [rules, target] of [
      [57, 1.3],
      [500, 2],
    ] as const) {
      const more = found(`detect, ${rules} rules`)
      if (more) verdict(`detect, ${rules} rules against the shipped`, more.cpu / detect.cpu, target, true, ' x')
    }
  }
  if (worst) {
    verdict('every record changes state, CPU-s per 1M', worst.cpu, 13, true)
    const streams = found('Kafka Streams, in memory, every record')
    if (streams) verdict('every record changes state against Kafka Streams', streams.cpu / worst.cpu, 2.5, false, ' x')
  }
}

async function latencyRow(): Promise<void> {
  const found = await latencies(cluster, 100)
  console.log(
    `\nalert latency on an idle system, acknowledged to visible: p50 ${percentile(found, 50).toFixed(1)} ms, p90 ${percentile(found, 90).toFixed(1)} ms, p99 ${percentile(found, 99).toFixed(1)} ms`,
  )
  for (const [rank, target] of [
    [50, 35],
    [99, 110],
  ] as const) {
    const value = percentile(found, rank)
    console.log(
      `${value <= target ? 'met   ' : 'MISSED'} latency p${rank}: ${value.toFixed(1)} ms, target ≤ ${target} ms`,
    )
  }
}
