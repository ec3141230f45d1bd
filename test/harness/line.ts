// The line on a real cluster for integration tests: topics of its own, the CLI as child processes, reads of what came out.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Alert } from '../../src/alerts/alert.ts'
import { alertDecoder } from '../../src/codecs/alert.ts'
import type { LogClient, LogRecord, OutRecord } from '../../src/log/log-client.ts'
import { kafkaLog } from '../../src/kafka/kafka-log.ts'
import { topicAdmin } from '../../src/kafka/topics.ts'
import { topicContract, topicContracts } from '../../src/topics.ts'
import type { KafkaForTests } from './cluster.ts'
import { markedSecret, tellsSecret } from './marked-secret.ts'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'trailwarden.mjs')
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** A finished run of the CLI. */
export interface CliResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A running CLI process. */
export interface CliProcess {
  readonly child: ChildProcess
  readonly finished: Promise<CliResult>
  /** Port of /metrics, once it is served. */
  port(): Promise<number>
  /** What it has written to stderr so far. */
  seen(): string
}

/** A set of topics of its own on a cluster. */
export interface Line {
  readonly env: Readonly<Record<string, string>>
  readonly topics: Readonly<Record<'raw' | 'events' | 'alerts' | 'state' | 'rejected', string>>
  readonly log: LogClient
  start(args: readonly string[], env?: Readonly<Record<string, string>>): CliProcess
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliResult>
  /** Appends raw values, 500 a call. */
  produceRaw(records: readonly OutRecord[]): Promise<void>
  /** Everything a read_committed consumer sees, all partitions. */
  readAll(topic: string): Promise<LogRecord[]>
}

/** What a line may have otherwise than the default. */
export interface LineOptions {
  readonly env?: Readonly<Record<string, string>>
  /** The executable, default that of this checkout. */
  readonly program?: string
  /** Configuration of topics on top of their contracts, which says nothing about it. */
  readonly topicConfig?: Readonly<Partial<Record<'events' | 'state', Readonly<Record<string, string>>>>>
}

/** Starts the CLI with the given environment on top of ours. `finished` rejects where it wrote a secret. */
export function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program = bin,
): CliProcess {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...('SCHEMA_REGISTRY_PASSWORD_FILE' in env ? {} : markedSecret), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => (stdout += String(chunk)))
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  const finished = once(child, 'close').then(([code, signal]) => {
    if (tellsSecret(stdout + stderr)) throw new Error(`\`${args.join(' ')}\` wrote the password of the registry`)
    return { code, signal, stdout, stderr }
  })
  return {
    child,
    finished,
    seen: () => stderr,
    async port() {
      for (let waited = 0; waited < 30_000; waited += 50) {
        const found = /"port":(\d+)/.exec(stderr)
        if (found) return Number(found[1])
        if (child.exitCode !== null) throw new Error(`The process ended before it served anything:\n${stderr}`)
        await sleep(50)
      }
      throw new Error(`No port within 30 s:\n${stderr}`)
    },
  }
}

/**
 * Makes topics with a random prefix (4 partitions each) and a client. When the test is over, however it ended, its
 * processes are killed and its connections closed: a failed assertion must not leave a file hanging.
 */
export async function lineOn(
  kafka: KafkaForTests,
  test: { after(clean: () => Promise<void>): void },
  { env: ownEnv = {}, program, topicConfig = {} }: LineOptions = {},
): Promise<Line> {
  const prefix = `t${randomBytes(4).toString('hex')}`
  const topics = {
    raw: `${prefix}.raw`,
    events: `${prefix}.events`,
    alerts: `${prefix}.alerts`,
    state: `${prefix}.state`,
    rejected: `${prefix}.rejected`,
  }
  const env = {
    KAFKA_BROKERS: kafka.brokers.join(','),
    SCHEMA_REGISTRY_URL: kafka.registryUrl,
    RAW_TOPIC: topics.raw,
    EVENTS_TOPIC: topics.events,
    ALERTS_TOPIC: topics.alerts,
    STATE_TOPIC: topics.state,
    REJECTED_TOPIC: topics.rejected,
    NORMALIZE_GROUP: `${prefix}-normalize`,
    DETECT_GROUP: `${prefix}-detect`,
    TOPIC_PARTITIONS: '4',
    SESSION_TIMEOUT_MS: '6000',
    HTTP_PORT: '0',
    ...ownEnv,
  }
  const log = await kafkaLog({ brokers: kafka.brokers, clientId: 'test' }, quiet)
  const producer = await log.producer()
  const running = new Set<CliProcess>()
  const start: Line['start'] = (args, more = {}) => {
    const cli = startCli(args, { ...env, ...more }, program)
    running.add(cli)
    void cli.finished.then(() => running.delete(cli))
    return cli
  }
  test.after(async () => {
    for (const cli of running) cli.child.kill('SIGKILL')
    await Promise.all([...running].map(cli => cli.finished))
    await producer.close()
    await log.close()
  })
  const line: Line = {
    env,
    topics,
    log,
    start,
    run: (args, more = {}) => start(args, more).finished,
    async produceRaw(records) {
      for (let from = 0; from < records.length; from += 500)
        await producer.send([{ topic: topics.raw, records: records.slice(from, from + 500) }])
    },
    async readAll(topic) {
      const all: LogRecord[] = []
      for (let partition = 0; partition < ((await log.partitions(topic)) ?? 0); partition++)
        for await (const batch of log.read(topic, partition)) all.push(...batch.records)
      return all
    },
  }
  const admin = await topicAdmin({ brokers: kafka.brokers, clientId: 'test' }, quiet, null)
  const shape = {
    partitions: Number(env.TOPIC_PARTITIONS),
    replicationFactor: Number(ownEnv['TOPIC_REPLICATION_FACTOR'] ?? 1),
  }
  const { EVENTS_TOPIC, STATE_TOPIC } = Object.fromEntries(
    topicContracts().map(({ setting, config }) => [setting, config]),
  )
  await admin.apply([
    { name: topics.raw, ...shape, config: {} },
    { name: topics.events, ...shape, config: { ...EVENTS_TOPIC, ...topicConfig.events } },
    { name: topics.state, ...shape, config: { ...STATE_TOPIC, ...topicConfig.state } },
  ])
  await admin.close()
  // On a machine that does much else, a registry that has just started may need longer than the command waits.
  for (let attempt = 1; ; attempt++) {
    const { code, stderr } = await line.run(['topics', 'apply'])
    if (code === 0) break
    if (attempt === 3 || !stderr.includes('TW_REGISTRY_UNAVAILABLE')) throw new Error(`topics apply failed: ${stderr}`)
  }
  return line
}

/** Waits until `met` is true; fails with what `describe` says after the time is up. */
export async function eventually(
  met: () => Promise<boolean>,
  describe: () => Promise<string> | string,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await met())) {
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${await describe()}`)
    await sleep(200)
  }
}

/** The alerts of a line, decoded, with their headers as text. Fails where one cannot be read or has another key. */
export async function alertsOf(
  line: Line,
): Promise<{ readonly alert: Alert; readonly headers: Readonly<Record<string, string | undefined>> }[]> {
  const schema = topicContract('ALERTS_TOPIC').schema!
  const decoder = alertDecoder(schema)
  return (await line.readAll(line.topics.alerts)).map(record => {
    let alert = decoder.decode(record.value!)
    if ('unknownSchema' in alert) {
      decoder.learn(alert.unknownSchema, schema)
      alert = decoder.decode(record.value!)
    }
    assert.ok('dedupKey' in alert, JSON.stringify(alert))
    assert.equal(record.key?.toString(), alert.principal.key)
    const headers = Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, value?.toString()]))
    return { alert, headers }
  })
}

/** True when a group has committed everything that a topic holds. */
export async function workedOff(log: LogClient, group: string, topic: string): Promise<boolean> {
  const ends = await log.offsets(topic)
  const committed = await log.committed(group, topic)
  return ends.every(({ begin, end }, partition) => begin === end || (committed[partition] ?? 0) >= end)
}

/** The value of a counter or gauge on /metrics, summed over its series that have all the given labels. */
export async function metric(
  port: number,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  let sum = 0
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name}{`)) continue
    if (Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)))
      sum += Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return sum
}
