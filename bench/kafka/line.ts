// The rows normalize, detect, worst and rules: the product's own processes over the bench data on a broker, beside the
// consumer of the same client that does nothing and, where there are any, the peers, all in the same rounds.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchRuleFiles, everyCallFile } from '../rules.ts'
import { atLeast, atMost } from '../verdicts.ts'
import { program } from './program.ts'
import type { BenchCluster, Line } from './cluster.ts'
import type { Peer } from './peers.ts'
import type { Work } from './process-cost.ts'
import { rounds } from './rounds.ts'
import type { Result, Row } from './rounds.ts'

/** The rows of {@link benchLine}. */
export const lineRows = ['normalize', 'detect', 'worst', 'rules'] as const

const names = {
  detect: 'detect, shipped rules',
  worst: 'detect, every record changes state',
  rules: (count: number) => `detect, ${count} rules`,
}

/** One of our processes as a row runs it; `env` on top of the topics of `line`. */
export function ours(
  cluster: BenchCluster,
  verb: 'normalize' | 'detect',
  line: Line,
  env: Readonly<Record<string, string>> = {},
): Work {
  return {
    command: process.execPath,
    args: [program, verb],
    env: { ...line.env, ...env },
    group: line.groups[verb],
    topic: verb === 'normalize' ? line.topics.raw : line.topics.events,
    known: cluster.kafka.pids,
  }
}

/** Puts rule files into a folder of `folder` and gives its path, as the setting RULES takes it. */
export function rulesFolder(
  folder: string,
  files: readonly { readonly path: string; readonly text: string }[],
): string {
  const into = mkdtempSync(join(folder, 'rules-'))
  for (const { path, text } of files) writeFileSync(join(into, path.split('/').at(-1) ?? path), text)
  return into
}

/** Runs the wanted rows and holds them to their targets. */
export async function benchLine(
  cluster: BenchCluster,
  input: Line,
  wanted: ReadonlySet<string>,
  peers: readonly Peer[],
  { runs, partitions, folder }: { readonly runs: number; readonly partitions: number; readonly folder: string },
): Promise<void> {
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
    start: async () => ours(cluster, 'detect', await cluster.line({ raw, events }, partitions), env),
  })
  const rows: Row[] = []
  if (wanted.has('normalize')) {
    rows.push(noop(raw), {
      name: 'normalize',
      start: async () => ours(cluster, 'normalize', await cluster.line({ raw }, partitions)),
    })
  }
  const isDetecting = ['detect', 'worst', 'rules'].some(name => wanted.has(name))
  if (isDetecting) rows.push(noop(events))
  // Other numbers of rules are judged against the shipped ones of the same run.
  if (wanted.has('detect') || wanted.has('rules')) rows.push(detect(names.detect))
  if (wanted.has('rules'))
    for (const count of [57, 500])
      rows.push(detect(names.rules(count), { RULES: rulesFolder(folder, benchRuleFiles(count)) }))
  if (wanted.has('worst')) rows.push(detect(names.worst, { RULES: rulesFolder(folder, [everyCallFile]) }))
  for (const peer of peers)
    if (wanted.has(peer.row))
      rows.push({ name: peer.name, start: async () => ({ ...(await peer.start()), known: cluster.kafka.pids }) })
  const found = await rounds(cluster.log, rows, runs)
  judge(wanted, found, row => found(peers.find(peer => peer.row === row)?.name ?? ''))
}

function judge(
  wanted: ReadonlySet<string>,
  found: (name: string) => Result | null,
  peer: (row: string) => Result | null,
): void {
  const cpu = 'CPU-s per million records'
  const normalize = wanted.has('normalize') ? found('normalize') : null
  if (normalize) {
    atMost(16, { row: 'normalize', what: cpu, value: normalize.cpu.median })
    const java = peer('normalize')
    if (java) {
      const value = java.cpu.median / normalize.cpu.median
      atLeast(1.7, { row: 'normalize', what: 'CPU of the Java reference of this run', value, unit: ' x' })
    }
  }
  const detect = found(names.detect)
  if (detect && wanted.has('detect')) {
    atMost(6, { row: 'detect', what: cpu, value: detect.cpu.median })
    const streams = peer('detect')
    if (streams) {
      const value = streams.cpu.median / detect.cpu.median
      atLeast(3, { row: 'detect', what: 'CPU of Kafka Streams in this run', value, unit: ' x' })
      const rate = detect.rate.median / streams.rate.median
      atLeast(2, { row: 'detect', what: 'rate, against Kafka Streams in this run', value: rate, unit: ' x' })
    }
  }
  const worst = found(names.worst)
  if (worst) {
    atMost(13, { row: 'worst', what: `${cpu}, every one changes state`, value: worst.cpu.median })
    const streams = peer('worst')
    if (streams) {
      const value = streams.cpu.median / worst.cpu.median
      atLeast(2.5, { row: 'worst', what: 'CPU of Kafka Streams in this run', value, unit: ' x' })
    }
  }
  for (const [rules, target] of [
    [57, 1.3],
    [500, 2],
  ] as const) {
    const more = found(names.rules(rules))
    if (!more || !detect) continue
    const value = more.cpu.median / detect.cpu.median
    atMost(target, { row: 'rules', what: `CPU with ${rules} rules, against the shipped ones`, value, unit: ' x' })
  }
}
