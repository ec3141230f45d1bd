// One round of chaos: a fleet of detectors on topics of its own, records that keep coming, faults by a seeded schedule;
// then everything is left to heal, the group works off its input, and what came out is judged.
// A seed fixes input, schedule and choices; when exactly a signal hits a process is the machine's business.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaForTests } from '../harness/cluster.ts'
import { eventually, lineOn, workedOff } from '../harness/line.ts'
import type { Line } from '../harness/line.ts'
import { Random } from '../harness/simulator.ts'
import { proxyOf } from './broker-proxy.ts'
import type { BrokerProxy } from './broker-proxy.ts'
import { Fleet } from './fleet.ts'
import { chaosInput } from './input.ts'
import { schemaIds } from './schema-ids.ts'
import { topicConfigForPoison } from './poison.ts'
import { scheduleOf } from './scenarios.ts'
import type { Fault, Scenario } from './scenarios.ts'
import { verdictOn } from './verdict.ts'
import type { Verdict } from './verdict.ts'

/** What a round is to be. */
export interface RoundOptions {
  readonly seed: number
  readonly scenario: Scenario
  /** Milliseconds of faults. */
  readonly durationMs: number
  /** Executable of an installed package. */
  readonly program: string
  /** Folder for the logs of the round. */
  readonly folder: string
}

/** What happened in a round. */
export interface RoundReport extends Verdict {
  readonly seed: number
  readonly kills: number
  readonly stops: number
  readonly terms: number
  /** Generations of the group, as the coordinator logged them; null where its log is not ours. */
  readonly rebalances: number | null
  readonly brokerRestarts: number
  /** Processes that ended with an error because there was no broker, and were started again. */
  readonly gaveUp: number
  readonly repliesDropped: number
  readonly commitsLost: number
  /** Longest time in which a partition with something to read did not move, milliseconds. */
  readonly longestStallMs: number
}

const partitions = 6
const sessionMs = 6000
const recordsPerSecond = 100
const warmUpRecords = 100
/** A frozen zombie, a swallowed answer and a dead broker one after another take less. */
const healMs = 300_000

/** Runs one round on a cluster. Rejects where the harness itself fails; what the detectors do wrong is in `findings`. */
export async function chaosRound(kafka: KafkaForTests, options: RoundOptions): Promise<RoundReport> {
  const { seed, scenario, durationMs, program, folder } = options
  mkdirSync(folder, { recursive: true })
  const begin = Date.now()
  const note = (text: string) => void appendFile(join(folder, 'round.log'), `${Date.now() - begin} ${text}\n`)
  const cleaning: (() => Promise<void>)[] = []
  const findings: string[] = []
  let proxy: BrokerProxy | null = null
  try {
    const line = await lineOn(kafka, { after: clean => void cleaning.push(clean) }, lineOptions(kafka, program))
    proxy = await proxyOf(kafka.brokers)
    const random = new Random(seed)
    const input = chaosInput(random, Math.round((durationMs / 1000) * recordsPerSecond), await schemaIds(line))
    const faults = scheduleOf(random, scenario, durationMs)
    const env = { ...line.env, KAFKA_BROKERS: proxy.brokers.join(','), BATCH_MAX_RECORDS: '25' }
    const fleet = new Fleet({ program, env, folder, random, freezeMs: sessionMs + 1000, least: 2, most: 4, note })
    for (let i = 0; i < 3; i++) fleet.add()
    const brokers = new BrokerFaults(kafka, random, note)
    const atEnd = () => workedOff(line.log, line.env['DETECT_GROUP']!, line.topics.events)
    let watch: ReturnType<typeof watchStalls> | null = null
    try {
      // Faults that hit processes which have not begun yet would show little.
      await feed(line, input.splice(0, warmUpRecords), 0)
      const begun = async () => fleet.begun() && (await atEnd())
      await eventually(begun, () => `the group did not begin; see ${folder}`, healMs)
      note('the group works')
      watch = watchStalls(line)
      const fed = feed(line, input, durationMs)
      await disturb(faults, { fleet, proxy, brokers, note })
      await Promise.all([brokers.up(), fleet.awake(), fed])
      note('left to heal')
      await eventually(atEnd, () => 'the group did not reach the end of its input', healMs).catch((error: unknown) =>
        findings.push(String(error)),
      )
    } finally {
      watch?.end()
      await fleet.stop()
    }
    // Exit code 3 is how a process gives up on a cluster that is away; its supervisor starts it again.
    const gaveUp = brokers.count === 0 ? [] : fleet.unexpected.filter(how => how.endsWith('by itself: exit 3'))
    const unexpected = fleet.unexpected.filter(how => !gaveUp.includes(how))
    findings.push(...unexpected.map(how => `unexpected end of ${how}`))
    findings.push(...fleet.telltales.map(name => `${name} wrote the password of the registry`))
    note('judging')
    const verdict = await verdictOn(kafka, line)
    const forgotten = findings.length + verdict.findings.length === 0 ? [] : forgottenEnds(kafka, line)
    const { kills, stops, terms } = fleet.counts
    const { reply, silence, request } = proxy.lost
    return {
      ...verdict,
      findings: [...findings, ...verdict.findings, ...forgotten],
      ...{ seed, kills, stops, terms, longestStallMs: await watch.longest, brokerRestarts: brokers.count },
      gaveUp: gaveUp.length,
      ...{ repliesDropped: reply + silence, commitsLost: request, rebalances: generations(kafka, line) },
    }
  } finally {
    await proxy?.close()
    for (const clean of cleaning) await clean()
  }
}

function lineOptions(kafka: KafkaForTests, program: string) {
  const env = {
    TOPIC_PARTITIONS: String(partitions),
    TOPIC_REPLICATION_FACTOR: String(Math.min(3, kafka.brokers.length)),
  }
  return {
    env: { ...env, SESSION_TIMEOUT_MS: String(sessionMs) },
    program,
    topicConfig: {
      events: topicConfigForPoison,
      // Compaction while the round lasts, so that restores meet its gaps.
      state: { 'segment.ms': '5000', 'segment.bytes': '1048576', 'min.cleanable.dirty.ratio': '0.01' },
    },
  }
}

/** Appends records evenly over the duration, past the proxy. */
async function feed(line: Line, input: ReturnType<typeof chaosInput>, durationMs: number): Promise<void> {
  const producer = await line.log.producer({ retryForMs: healMs })
  const begin = Date.now()
  for (let sent = 0; sent < input.length;) {
    const share = durationMs === 0 ? 1 : (Date.now() - begin) / durationMs
    const due = Math.min(input.length, Math.ceil(share * input.length) + 1)
    await producer.send([{ topic: line.topics.events, records: input.slice(sent, due) }])
    sent = due
    await sleep(100)
  }
  await producer.close()
}

interface Targets {
  readonly fleet: Fleet
  readonly proxy: BrokerProxy
  readonly brokers: BrokerFaults
  readonly note: (text: string) => void
}

async function disturb(faults: readonly Fault[], { fleet, proxy, brokers, note }: Targets): Promise<void> {
  const begin = Date.now()
  for (const { at, kind } of faults) {
    await sleep(Math.max(0, begin + at - Date.now()))
    note(kind)
    if (kind === 'restartBroker' || kind === 'killBroker') brokers.disturb(kind)
    else if (kind === 'dropReply') proxy.lose('reply')
    else if (kind === 'dropReplyInSilence') proxy.lose('silence')
    else if (kind === 'loseCommit') proxy.lose('request')
    else if (kind === 'cutConnections') proxy.cut()
    else fleet[kind]()
  }
}

/** One broker at a time is down, and the next only after the last one is back in sync. */
class BrokerFaults {
  count = 0
  readonly #kafka: KafkaForTests
  readonly #random: Random
  readonly #note: (text: string) => void
  #busy: Promise<void> | null = null

  constructor(kafka: KafkaForTests, random: Random, note: (text: string) => void) {
    this.#kafka = kafka
    this.#random = random
    this.#note = note
  }

  disturb(kind: 'restartBroker' | 'killBroker'): void {
    const index = this.#random.int(0, this.#kafka.brokers.length - 1)
    const downMs = this.#random.int(500, 4000)
    if (this.#busy !== null) return
    this.count++
    this.#busy = this.#down(kind, index, downMs).finally(() => (this.#busy = null))
    this.#busy.catch(() => undefined)
  }

  async up(): Promise<void> {
    await this.#busy
  }

  async #down(kind: 'restartBroker' | 'killBroker', index: number, downMs: number): Promise<void> {
    this.#note(`${kind} ${index}`)
    if (kind === 'restartBroker') await this.#kafka.restartBroker(index)
    else {
      await this.#kafka.killBroker(index)
      await sleep(downMs)
      await this.#kafka.startBroker(index)
    }
    // Back in sync before the next one goes: with one of three replicas nothing would move.
    if (this.#kafka.brokers.length > 1) await sleep(3000)
    this.#note(`broker ${index} is back`)
  }
}

/** Looks at every partition every 400 ms. */
function watchStalls({ log, env, topics }: Line): { end(): void; longest: Promise<number> } {
  let over = false
  const moved = new Map<number, { readonly position: number; readonly at: number }>()
  const look = async (): Promise<number> => {
    let longest = 0
    while (!over) {
      try {
        const [ends, committed] = [
          await log.offsets(topics.events),
          await log.committed(env['DETECT_GROUP']!, topics.events),
        ]
        const now = Date.now()
        for (const [partition, { end }] of ends.entries()) {
          const position = committed[partition] ?? 0
          const before = moved.get(partition)
          if (before === undefined || position > before.position || position >= end) {
            if (before !== undefined && position > before.position) longest = Math.max(longest, now - before.at)
            moved.set(partition, { position, at: now })
          } else longest = Math.max(longest, now - before.at)
        }
      } catch {
        // No answer while a broker is away: the time until the next one counts.
      }
      await sleep(400)
    }
    return longest
  }
  return { end: () => (over = true), longest: look() }
}

/** The coordinator logs every generation: "Stabilized group g generation 7". */
function generations({ logs }: KafkaForTests, { env }: Line): number | null {
  const pattern = new RegExp(`Stabilized group ${env['DETECT_GROUP']} generation (\\d+)`, 'g')
  const files = logs.filter(file => existsSync(file))
  if (files.length === 0) return null
  const found = files.flatMap(file =>
    [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, number]) => Number(number)),
  )
  return Math.max(0, ...found)
}

/** Transactions whose end a coordinator forgot to write because a partition had no leader: what it says of them. */
function forgottenEnds({ logs }: KafkaForTests, { env }: Line): string[] {
  const pattern = new RegExp(`Couldn't find leader endpoint for partitions .*${env['DETECT_GROUP']}.*`, 'g')
  return logs.filter(file => existsSync(file)).flatMap(file => readFileSync(file, 'utf8').match(pattern) ?? [])
}
