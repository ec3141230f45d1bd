// `npm run bench:restore`: time, CPU and memory in which a detector reads the state of one partition back, a million
// principals by default, from a real broker (KAFKA_BROKERS, Docker or the JVM, as in tests). The states are those the
// shipped rules make of the bench data, given to as many principals as asked for; what is measured is DetectorTask.open,
// the way every partition is opened, in a process of its own per run.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { StateEncoder } from '../src/codecs/principal-state.ts'
import { detectorOptions } from '../src/commands/detector-parts.ts'
import { detectionFrom } from '../src/commands/rule-set.ts'
import { connectionFrom, kafkaOptionsFrom, registryFrom, topicDefinitionsFrom } from '../src/commands/settings.ts'
import { loadConfig } from '../src/config.ts'
import { Engine } from '../src/detect/engine.ts'
import { kafkaLog } from '../src/kafka/kafka-log.ts'
import { schemaRegistry } from '../src/kafka/registry.ts'
import { topicAdmin } from '../src/kafka/topics.ts'
import type { OutRecord } from '../src/log/log-client.ts'
import { createMetrics } from '../src/metrics/metrics.ts'
import { positionRecord } from '../src/pipeline/changelog.ts'
import { DetectorTask } from '../src/pipeline/detector-task.ts'
import { topicContract } from '../src/topics.ts'
import { kafkaForTests } from '../test/harness/kafka.ts'
import { cloudTrailLines } from './data.ts'
import { engineOptionsForBench } from './engine-options.ts'
import { eventsOf } from './events.ts'
import { costOf } from './measure.ts'
import { shippedRules } from './rules.ts'

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '3' },
    // One line of JSON in place of the table, for `npm run bench`.
    json: { type: 'boolean', default: false },
    // Set by this program for the process that restores.
    measure: { type: 'boolean', default: false },
  },
})
const entries = Number(values.entries)
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const perSend = 5_000
const say = (line: string) => (values.json ? console.error(line) : console.log(line))

/** What a run measured: seconds, and MiB of memory. */
interface Measured {
  readonly seconds: number
  readonly cpu: number
  readonly heap: number
  readonly resident: number
  readonly peak: number
}

/** States in Avro as the rules leave them behind, in the order of the principals' first events. */
function states(schemaId: number): Buffer[] {
  const events = eventsOf(cloudTrailLines(100_000))
  const engine = new Engine(shippedRules(), engineOptionsForBench())
  for (let from = 0; from < events.length; from += perSend) {
    const transaction = engine.begin()
    for (const event of events.slice(from, from + perSend)) transaction.process(event, null, event.eventTime)
    transaction.merge()
  }
  const encoder = new StateEncoder(topicContract('STATE_TOPIC').schema!)
  const found: Buffer[] = []
  for (const key of new Set(events.map(event => event.principal.key))) {
    const state = engine.state(key)
    if (state !== null) found.push(encoder.encode(state, schemaId))
  }
  return found
}

/** Makes the topics and writes the changelog; says what it wrote. */
async function prepare(): Promise<void> {
  const config = loadConfig({ flags: {}, env: process.env })
  const schemas = schemaRegistry(registryFrom(config))
  const admin = await topicAdmin(connectionFrom(config), quiet, schemas)
  await admin.apply(topicDefinitionsFrom(config))
  await admin.close()
  const shapes = states(await schemas.idOf(`${config.STATE_TOPIC}-value`, topicContract('STATE_TOPIC').schema!))
  const log = await kafkaLog(connectionFrom(config), quiet, kafkaOptionsFrom(config))
  const producer = await log.producer()
  let bytes = 0
  for (let from = 0; from < entries; from += perSend) {
    const records: OutRecord[] = []
    for (let index = from; index < Math.min(entries, from + perSend); index++) {
      const value = shapes[index % shapes.length]!
      bytes += value.length
      const account = 100_000_000_000 + (index % 50) * 7919
      records.push({ key: `${account}/role/AROA${String(index).padStart(16, 'Q')}`, value, partition: 0 })
    }
    await producer.send([{ topic: config.STATE_TOPIC, records }])
  }
  await producer.send([{ topic: config.STATE_TOPIC, records: [positionRecord(config.EVENTS_TOPIC, 0, 0)] }])
  await producer.close()
  await log.close()
  say(
    `${entries} principals in one partition, ${Math.round(bytes / entries)} B of Avro each (${shapes.length} different states)`,
  )
}

/** Opens the partition once, as a detector does, and prints what that took. */
async function measureOpen(): Promise<void> {
  const config = loadConfig({ flags: {}, env: process.env })
  const log = await kafkaLog(connectionFrom(config), quiet, kafkaOptionsFrom(config))
  const metrics = createMetrics('detect', 'bench')
  const schemas = schemaRegistry(registryFrom(config))
  const options = await detectorOptions(config, await detectionFrom(config), log, schemas, metrics, quiet)
  const watch = { signal: new AbortController().signal, alive: () => undefined }
  const cpuBefore = process.cpuUsage()
  const begun = performance.now()
  const task = await DetectorTask.open(0, options, watch)
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  const MiB = 2 ** 20
  const resident = process.memoryUsage.rss() / MiB
  const peak = process.resourceUsage().maxRSS / 1024
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  const heap = (heapUsed + arrayBuffers) / MiB
  const restored = (await metrics.restored.get()).values.reduce((sum, { value }) => sum + value, 0)
  if (restored !== entries + 1) throw new Error(`${restored} records restored, ${entries + 1} were written`)
  await task.close()
  await log.close()
  console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6, heap, resident, peak } satisfies Measured))
}

async function inOwnProcess(env: Readonly<Record<string, string>>): Promise<Measured> {
  const args = ['--expose-gc', import.meta.filename, '--measure', '--entries', String(entries)]
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`The process that restores ended with ${signal ?? code}`)
  return JSON.parse(output) as Measured
}

async function main(): Promise<void> {
  const kafka = await kafkaForTests({}, line => console.error(line))
  try {
    const prefix = `bench${randomBytes(3).toString('hex')}`
    const env = {
      KAFKA_BROKERS: kafka.brokers.join(','),
      SCHEMA_REGISTRY_URL: kafka.registryUrl,
      RAW_TOPIC: `${prefix}.raw`,
      EVENTS_TOPIC: `${prefix}.events`,
      ALERTS_TOPIC: `${prefix}.alerts`,
      STATE_TOPIC: `${prefix}.state`,
      REJECTED_TOPIC: `${prefix}.rejected`,
      DETECT_GROUP: `${prefix}-detect`,
      TOPIC_PARTITIONS: '1',
    }
    Object.assign(process.env, env)
    say(`node ${process.version}, ${cpus().length} cores, Kafka: ${kafka.how}, ${values.runs} runs`)
    await prepare()
    const measured: Measured[] = []
    for (let run = 0; run < Number(values.runs); run++) measured.push(await inOwnProcess(env))
    if (values.json)
      return console.log(
        JSON.stringify({ seconds: measured.map(one => one.seconds), cpu: measured.map(one => one.cpu) }),
      )
    for (const [name, of, digits] of [
      ['time to open the partition, s', 'seconds', 1],
      ['CPU of the process, s', 'cpu', 1],
      ['live heap and buffers afterwards, MiB', 'heap', 0],
      ['resident afterwards, MiB', 'resident', 0],
      ['resident at most, MiB', 'peak', 0],
    ] as const) {
      const { median, least, most } = costOf(measured.map(one => one[of]))
      const [a, b, c] = [median, least, most].map(value => value.toFixed(digits))
      console.log(`  ${name.padEnd(40)} ${`${a} (${b}-${c})`.padStart(20)}`)
    }
  } finally {
    await kafka.stop()
  }
}

await (values.measure ? measureOpen() : main())
