// A group of detector processes of the built command line on a real cluster, with steady input on every partition, and
// the record of its progress: every transaction leaves its position in the state topic with the time it was written, so
// gaps are read off afterwards, to the millisecond, and measuring costs the group nothing.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventEncoder } from '../src/codecs/cloudtrail-event.ts'
import { topicDefinitionsFrom } from '../src/commands/settings.ts'
import { loadConfig } from '../src/config.ts'
import { kafkaLog } from '../src/kafka/kafka-log.ts'
import { schemaRegistry } from '../src/kafka/registry.ts'
import { topicAdmin } from '../src/kafka/topics.ts'
import type { LogClient, OutRecord } from '../src/log/log-client.ts'
import { partitionFor } from '../src/log/murmur2.ts'
import { isReserved } from '../src/pipeline/changelog.ts'
import type { KafkaForTests } from '../test/harness/cluster.ts'
import { startWatchdog } from '../test/harness/watchdog.ts'
import { cloudTrailLines } from './data.ts'
import { eventsOf, schema } from './events.ts'

/** How the group is run. */
export interface GroupOptions {
  readonly program: string
  readonly processes: number
  readonly partitions: number
  readonly sessionMs: number
  readonly assignor: 'sticky' | 'round robin'
  /** Each process has an instance id of its place. */
  readonly isStatic: boolean
}

interface Place {
  child: ChildProcess
  exited: Promise<unknown>
  /** Lines of its log so far, of every process that stood here. */
  readonly log: {
    readonly msg?: string
    readonly partitions?: readonly number[]
    readonly port?: number
    readonly time?: number
  }[]
  /** Where in the log the present process begins. */
  since: number
  started: number
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const everyMs = 100
const perPartition = 3

export class DetectorGroup {
  readonly places: Place[] = []
  /** Times at which transactions of each partition were written, epoch milliseconds. */
  readonly commits: number[][]
  readonly #options: GroupOptions
  readonly #env: Readonly<Record<string, string>>
  readonly #log: LogClient
  readonly #watchdog = startWatchdog()
  readonly #background: Promise<void>[] = []
  #over = false

  private constructor(options: GroupOptions, env: Readonly<Record<string, string>>, log: LogClient) {
    this.#options = options
    this.#env = env
    this.#log = log
    this.commits = Array.from({ length: options.partitions }, () => [])
  }

  /** Makes topics, starts the input and the processes, and waits until all of them work. */
  static async start(kafka: KafkaForTests, options: GroupOptions): Promise<DetectorGroup> {
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
      TOPIC_PARTITIONS: String(options.partitions),
      SESSION_TIMEOUT_MS: String(options.sessionMs),
      HTTP_PORT: '0',
    }
    const config = loadConfig({ flags: {}, env })
    const connection = { brokers: kafka.brokers, clientId: 'bench' }
    const schemas = schemaRegistry({ url: kafka.registryUrl })
    const admin = await topicAdmin(connection, quiet, schemas)
    await admin.apply(topicDefinitionsFrom(config))
    await admin.close()
    const group = new DetectorGroup(options, env, await kafkaLog(connection, quiet))
    const id = await schemas.idOf(`${config.EVENTS_TOPIC}-value`, schema)
    group.#background.push(group.#produce(config.EVENTS_TOPIC, id))
    for (let partition = 0; partition < options.partitions; partition++)
      group.#background.push(group.#follow(config.STATE_TOPIC, partition))
    for (let place = 0; place < options.processes; place++) group.run(place)
    await group.steady()
    return group
  }

  /** Starts a process at a place, the first or another. */
  run(place: number): void {
    const { program, assignor, isStatic } = this.#options
    const hook = join(import.meta.dirname, 'round-robin.mjs')
    const child = spawn(process.execPath, [program, 'detect'], {
      env: {
        ...process.env,
        ...this.#env,
        ...(isStatic ? { KAFKA_GROUP_INSTANCE_ID: `place-${place}` } : {}),
        ...(assignor === 'sticky' ? {} : { NODE_OPTIONS: `--import=${hook}` }),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const { pid = 0 } = child
    this.#watchdog.pid(pid)
    const log = this.places[place]?.log ?? []
    let rest = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('{')) log.push(JSON.parse(line) as Place['log'][number])
    })
    const exited = new Promise(resolve => child.once('exit', resolve)).then(() => this.#watchdog.forget(pid))
    this.places[place] = { child, exited, log, since: log.length, started: Date.now() }
  }

  /** Partitions of the process at a place, as it was last told. */
  owned(place: number): readonly number[] {
    return this.#own(place).findLast(({ msg }) => msg === 'Partitions assigned.')?.partitions ?? []
  }

  /** How often a partition was opened so far, by whomever: each is a state that was read back. */
  opened(): number {
    return this.places.flatMap(({ log }) => log.filter(({ msg }) => msg === 'Partition opened.')).length
  }

  /** Milliseconds the process at a place took until it served: loading and compiling, before it talks to Kafka. */
  startTime(place: number): number {
    const served = this.#own(place).find(({ port }) => port !== undefined)?.time
    return (served ?? Number.NaN) - (this.places[place]?.started ?? 0)
  }

  async ready(place: number): Promise<boolean> {
    const port = this.#own(place).find(line => line.port !== undefined)?.port
    if (port === undefined) return false
    return fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    )
  }

  /** Waits until every process is ready, every partition has one owner and moved within the last second. */
  async steady(): Promise<void> {
    const start = Date.now()
    for (;;) {
      await sleep(200)
      const owners = this.places.flatMap((_, place) => [...this.owned(place)])
      const isShared = owners.length === this.#options.partitions && new Set(owners).size === owners.length
      const isMoving = this.commits.every(times => (times.at(-1) ?? 0) > Date.now() - 1_000)
      if (isShared && isMoving && (await Promise.all(this.places.map((_, place) => this.ready(place)))).every(Boolean))
        break
      if (Date.now() - start < 180_000) continue
      const seen = this.places.map(({ log }) => JSON.stringify(log.slice(-3))).join('\n')
      throw new Error(`The group does not settle: owners ${owners.join()}, last logs\n${seen}`)
    }
    // Heartbeats of the members must not stand in step with what happened before.
    await sleep(1_000 + Math.random() * 2_000)
  }

  /** Waits until `partitions` have moved again after a time; the time of the first commit of each. */
  async movedAfter(partitions: readonly number[], time: number): Promise<number[]> {
    for (const deadline = Date.now() + 120_000; ;) {
      const first = partitions.map(partition => this.commits[partition]?.find(at => at > time))
      const found = first.filter(at => at !== undefined)
      if (found.length === partitions.length) return found
      if (Date.now() > deadline) throw new Error(`Not moved within 120 s: ${partitions.join()}`)
      await sleep(100)
    }
  }

  /** The longest time between two transactions of each partition that reaches into [from, to]. */
  gaps(from: number, to: number): number[] {
    return this.commits.map(times => {
      let longest = 0
      for (let i = 1; i < times.length; i++) {
        const [before = 0, after = 0] = [times[i - 1], times[i]]
        if (after > from && before < to) longest = Math.max(longest, after - before)
      }
      return longest
    })
  }

  async stop(): Promise<void> {
    for (const { child } of this.places) child.kill('SIGKILL')
    await Promise.all(this.places.map(({ exited }) => exited))
    this.#over = true
    await Promise.all(this.#background)
    await this.#log.close()
    this.#watchdog.done()
  }

  #own(place: number): Place['log'] {
    const { log, since } = this.places[place]!
    return log.slice(since)
  }

  /** A few events for every partition ten times a second. */
  async #produce(topic: string, schemaId: number): Promise<void> {
    const { partitions } = this.#options
    const encoder = eventEncoder(schema)
    const queues = Array.from({ length: partitions }, (): OutRecord[] => [])
    for (const event of eventsOf(cloudTrailLines(20_000))) {
      const partition = partitionFor(Buffer.from(event.principal.key), partitions)
      queues[partition]?.push({
        key: event.principal.key,
        value: Buffer.from(encoder.encode(event, schemaId)),
        partition,
      })
    }
    const producer = await this.#log.producer()
    for (let turn = 0; !this.#over; turn++) {
      const records = queues.flatMap(queue =>
        Array.from({ length: perPartition }, (_, i) => queue[(turn * perPartition + i) % queue.length]!),
      )
      await Promise.all([producer.send([{ topic, records }]), sleep(everyMs)])
    }
    await producer.close()
  }

  async #follow(topic: string, partition: number): Promise<void> {
    for (let from = 0; !this.#over; await sleep(100))
      for await (const batch of this.#log.read(topic, partition, { from })) {
        for (const { key, timestamp } of batch.records)
          if (key !== null && isReserved(key)) this.commits[partition]?.push(timestamp)
        from = batch.nextOffset
      }
  }
}
