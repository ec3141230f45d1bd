// `npm run soak [-- --minutes 60 --rate 200 --restart-every 10 --away 0 --distinct 20000]`: the whole line on a real broker at
// a set rate, the broker restarted every so often, both processes watched from outside. Fails when memory, open files or lag grow, when a process
// ends, or when an event or an alert is missing at the end. The first quarter is warm-up; growth is the median of the last
// quarter against the median of the second. Memory is judged by looks behind a collection that is asked for through the
// inspector, sixteen in a run: what V8 has not got round to collecting is no leak, and hides one.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { OutRecord } from '../src/log/log-client.ts'
import { startCli } from '../test/harness/line.ts'
import type { CliProcess } from '../test/harness/line.ts'
import { cloudTrailLines } from './data.ts'
import { BenchCluster } from './kafka/cluster.ts'
import { cpuSeconds } from './kafka/process-cost.ts'

/** One look at a process. */
interface Look {
  readonly at: number
  readonly resident: number
  readonly heap: number
  readonly files: number
  readonly lag: number
  /** Taken right after a collection of garbage. */
  readonly settled: boolean
}

/** How long, how fast, how rough. */
export interface SoakOptions {
  readonly minutes: number
  /** Records per second. */
  readonly rate: number
  /** Minutes between two restarts of the broker; 0 for none. */
  readonly restartEvery: number
  /** Seconds that the broker stays away: then it is killed and started again so much later; default 0, an orderly restart. */
  readonly away?: number
  /**
   * Distinct records that the input repeats with new ids and times, default 20,000: some ten thousand principals. A run
   * of less than minutes needs fewer, or nobody does enough to be told of.
   */
  readonly distinct?: number
  /** Whether growth of memory and lag is a problem, default true. Within a minute neither has settled. */
  readonly judgeGrowth?: boolean
}

const lookEveryMs = 2_000
const tellEveryMs = 60_000
const settledLooks = 16
const growthAllowed = 1.1
const partitions = 6
/**
 * Clients of each process. After an outage kafkajs keeps the connection by which it found the cluster again beside the one it
 * works on, until the broker closes what is idle for ten minutes: one file more for each is no leak.
 */
const clients = { normalize: 4, detect: 3 + partitions }
/** The input goes on for this long after the last restart, but not for more than a quarter of the run. */
const quietMs = 30_000

/** What a soak found; `problems` is empty when all went well. */
export interface SoakResult {
  readonly table: string
  readonly problems: readonly string[]
  /** Records sent, and how often the broker was restarted meanwhile. */
  readonly sent: number
  readonly restarts: number
}

/** Collects the garbage of a process that was started with `--inspect`, which does not end before `close`. */
async function collector(
  cli: CliProcess,
): Promise<{ readonly collect: () => Promise<void>; readonly close: () => Promise<void> }> {
  const address = /Debugger listening on (ws:\S+)/.exec(cli.seen())?.[1]
  if (address === undefined) throw new Error(`No inspector:\n${cli.seen()}`)
  const inspector = new WebSocket(address)
  await once(inspector, 'open')
  let id = 0
  return {
    async collect() {
      const answered = once(inspector, 'message', { signal: AbortSignal.timeout(10_000) })
      inspector.send(JSON.stringify({ id: ++id, method: 'HeapProfiler.collectGarbage' }))
      await answered
    },
    async close() {
      if (inspector.readyState === WebSocket.CLOSED) return
      const closed = once(inspector, 'close')
      inspector.close()
      await closed
    },
  }
}

async function look(cli: CliProcess, port: number, begun: number, settled: boolean): Promise<Look | null> {
  try {
    const pid = cli.child.pid ?? 0
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2_000) })).text()
    const sum = (name: string) =>
      text
        .split('\n')
        .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    return {
      at: (performance.now() - begun) / 1000,
      resident: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
      heap: sum('nodejs_heap_size_used_bytes') / 2 ** 20,
      files: readdirSync(`/proc/${pid}/fd`).length,
      lag: sum('trailwarden_lag_records'),
      settled,
    }
  } catch {
    return null // the process is busy or the machine is: the next look tells
  }
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

function row(
  name: keyof typeof clients,
  looks: readonly Look[],
  cpu: number,
  problems: string[],
  judgeGrowth: boolean,
): string {
  const last = looks.at(-1)?.at ?? 0
  const within = (from: number, to: number) => looks.filter(({ at }) => at >= from * last && at <= to * last)
  const growth = (of: (look: Look) => number, settled = false) => {
    const judged = (from: number, to: number) => within(from, to).filter(look => !settled || look.settled)
    const [early, late] = [median(judged(0.25, 0.5).map(of)), median(judged(0.75, 1).map(of))]
    return { early, late, ratio: late / early }
  }
  const resident = growth(({ resident: value }) => value, true)
  const heap = growth(({ heap: value }) => value, true)
  const files = growth(({ files: value }) => value)
  const lag = growth(({ lag: value }) => value)
  if (judgeGrowth && !(resident.ratio <= growthAllowed))
    problems.push(`${name}: resident memory grows ${resident.ratio.toFixed(2)} x`)
  if (judgeGrowth && !(heap.ratio <= growthAllowed)) problems.push(`${name}: the heap grows ${heap.ratio.toFixed(2)} x`)
  if (!(files.late <= files.early + clients[name]))
    problems.push(`${name}: open files grow from ${files.early} to ${files.late}`)
  if (judgeGrowth && !(lag.late <= lag.early + 1_000))
    problems.push(`${name}: lag grows from ${lag.early} to ${lag.late}`)
  const pair = ({ early, late }: { early: number; late: number }) => `${early.toFixed(0)} → ${late.toFixed(0)}`
  const most = (of: (look: Look) => number) => Math.max(...looks.map(of)).toFixed(0)
  const memory = `${pair(resident)} | ${most(({ resident: value }) => value)} | ${pair(heap)}`
  return `| ${name} | ${memory} | ${pair(files)} | ${pair(lag)} | ${most(({ lag: value }) => value)} | ${cpu.toFixed(1)} |`
}

/** Runs the line; `log` gets a line now and then. */
export async function soak(options: SoakOptions, log: (line: string) => void): Promise<SoakResult> {
  const { distinct = 20_000, judgeGrowth = true, away = 0 } = options
  const cluster = await BenchCluster.start()
  const problems: string[] = []
  const processes = new Map<keyof typeof clients, CliProcess>()
  const collectors: Awaited<ReturnType<typeof collector>>[] = []
  try {
    const { env, topics, groups } = await cluster.line({}, partitions)
    for (const verb of ['normalize', 'detect'] as const)
      processes.set(verb, startCli([verb], { ...env, NODE_OPTIONS: '--inspect=127.0.0.1:0' }))
    const ports = new Map<string, number>()
    for (const [verb, cli] of processes) ports.set(verb, await cli.port())
    for (const cli of processes.values()) collectors.push(await collector(cli))
    const looks = new Map<string, Look[]>([...processes.keys()].map(verb => [verb, []]))

    const begun = performance.now()
    const over = () => performance.now() - begun >= options.minutes * 60_000
    let sent = 0
    let restarts = 0
    const produce = async () => {
      const lines = [...cloudTrailLines(distinct)]
      const producer = await cluster.log.producer({ retryForMs: 600_000 })
      for (let turn = 0; !over(); turn++) {
        const due = Math.floor(((performance.now() - begun) / 1000) * options.rate)
        const records: OutRecord[] = []
        for (; sent < due && records.length < 5_000; sent++) {
          const time = `${new Date().toISOString().slice(0, 19)}Z`
          const text = lines[sent % distinct]!.replace(/"eventTime":"[^"]*"/, `"eventTime":"${time}"`).replace(
            /"eventID":"[^"]*"/,
            `"eventID":"${randomUUID()}"`,
          )
          records.push({ key: null, value: Buffer.from(text) })
        }
        if (records.length > 0) await producer.send([{ topic: topics.raw, records }])
        await sleep(200)
      }
      await producer.close()
    }
    const watch = async () => {
      const settleEveryMs = (options.minutes * 60_000) / settledLooks
      for (let tellAt = tellEveryMs, settleAt = settleEveryMs; !over();) {
        const settled = performance.now() - begun >= settleAt
        if (settled) {
          settleAt += settleEveryMs
          await Promise.all(collectors.map(({ collect }) => collect())).catch(() => undefined)
        }
        for (const [verb, cli] of processes) {
          if (cli.child.exitCode !== null) problems.push(`${verb} ended:\n${cli.seen().slice(-2_000)}`)
          const seen = await look(cli, ports.get(verb)!, begun, settled)
          if (seen !== null) looks.get(verb)!.push(seen)
        }
        if (problems.length > 0) return
        if (performance.now() - begun >= tellAt) {
          const told = [...looks].map(([verb, all]) => {
            const { resident = 0, heap = 0, files = 0, lag = 0 } = all.at(-1) ?? {}
            return `${verb} ${resident.toFixed(0)} MiB, heap ${heap.toFixed(0)}, ${files} files, lag ${lag}`
          })
          log(`${(tellAt / 60_000).toFixed(0)} min: ${told.join('; ')}`)
          tellAt += tellEveryMs
        }
        await sleep(lookEveryMs)
      }
    }
    const disturb = async () => {
      for (let next = options.restartEvery * 60_000; options.restartEvery > 0; next += options.restartEvery * 60_000) {
        while (performance.now() - begun < next) {
          if (over() || problems.length > 0) return
          await sleep(200)
        }
        if (next > options.minutes * 60_000 - Math.min(quietMs, options.minutes * 15_000)) return
        if (away > 0) {
          await cluster.kafka.killBroker(0)
          await sleep(away * 1000)
          await cluster.kafka.startBroker(0)
        } else await cluster.kafka.restartBroker(0)
        restarts++
        log(`${((performance.now() - begun) / 60_000).toFixed(1)} min: broker restarted, ${sent} records sent`)
      }
    }
    await Promise.all([produce(), watch(), disturb()])

    const left = async () => {
      const behind = async (group: string, topic: string) => {
        const committed = await cluster.log.committed(group, topic)
        return (await cluster.log.offsets(topic)).reduce(
          (sum, { end }, p) => sum + Math.max(0, end - (committed[p] ?? 0)),
          0,
        )
      }
      return (await behind(groups.normalize, topics.raw)) + (await behind(groups.detect, topics.events))
    }
    for (let waited = 0; (await left()) > 0; waited++) {
      if (waited > 240) {
        problems.push(`${await left()} records are not worked off two minutes after the input ended`)
        break
      }
      await sleep(500)
    }
    const count = async (topic: string) => {
      let records = 0
      for (let partition = 0; partition < partitions; partition++)
        for await (const batch of cluster.log.read(topic, partition)) records += batch.records.length
      return records
    }
    const [events, rejected, alerts] = [
      await count(topics.events),
      await count(topics.rejected),
      await count(topics.alerts),
    ]
    // At least once: a restart may leave some twice; none may be missing.
    if (events < sent) problems.push(`${events} events of ${sent} records`)
    if (rejected > 0) problems.push(`${rejected} records were rejected`)
    if (alerts === 0) problems.push('no alert')
    const minutes = ((performance.now() - begun) / 60_000).toFixed(0)
    const table = [
      `${sent} records in ${minutes} min (${options.rate}/s), ${restarts} broker restarts, ${events} events, ${alerts} alerts; node ${process.version}, ${cpus().length} cores`,
      '',
      '| process | resident MiB | most | heap MiB | open files | lag | most | CPU-s |',
      '|---|---|---|---|---|---|---|---|',
      ...[...processes].map(([verb, cli]) =>
        row(verb, looks.get(verb)!, cpuSeconds(cli.child.pid ?? 0), problems, judgeGrowth),
      ),
    ].join('\n')
    return { table, problems, sent, restarts }
  } finally {
    await Promise.all(collectors.map(({ close }) => close()))
    for (const { child } of processes.values()) child.kill('SIGTERM')
    await Promise.all([...processes.values()].map(({ finished }) => finished))
    await cluster.stop()
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      rate: { type: 'string', default: '200' },
      'restart-every': { type: 'string', default: '10' },
      away: { type: 'string', default: '0' },
      distinct: { type: 'string', default: '20000' },
    },
  })
  const { table, problems } = await soak(
    {
      minutes: Number(values.minutes),
      rate: Number(values.rate),
      restartEvery: Number(values['restart-every']),
      away: Number(values.away),
      distinct: Number(values.distinct),
    },
    line => console.error(line),
  )
  console.log(`${table}\n\n${problems.length === 0 ? 'flat' : problems.join('\n')}`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
