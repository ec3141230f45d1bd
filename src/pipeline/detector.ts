// The detector's loop: events topic → alerts, state and dead letters, one transaction per run of records of a partition.
// It owns the tasks of the assigned partitions and the rule that a task works only in the generation it was opened in.
// Written against the LogClient port: the same loop runs in process, under fault injection and on Kafka.
import type { BatchControl, GroupConsumer, RecordBatch } from '../log/log-client.ts'
import { asTrailwardenError, twError } from '../errors.ts'
import { processClock } from './clock.ts'
import type { Clock } from './clock.ts'
import type { DetectorOptions } from './detector-options.ts'
import { releasePartition } from '../metrics/metrics.ts'
import { DetectorTask } from './detector-task.ts'
import { ProgressWatch } from './progress-watch.ts'
import type { RunningLoop } from './running-loop.ts'

// Enough for a transaction of 5000 events of some 700 bytes: with 1 MiB a fetch ends it at 1500, which costs half as much again.
const FETCH_BYTES = 4 << 20
const OPEN_RETRY_MS = 120_000
// About one heartbeat: a fenced task waits this long for the rebalance that explains it before it fences back.
const FENCED_WAIT_MS = 3000
const FAILED_WAIT_MS = 100
// How often partitions that have fallen silent are asked whether their last transaction has really ended.
const ENDS_EVERY_MS = 10_000

/** Checks the topics and starts the loop. @throws TW_TOPIC_MISSING, TW_PARTITIONS_DIFFER before anything is read. */
export async function startDetector(options: DetectorOptions): Promise<RunningLoop> {
  await checkTopics(options)
  const loop = new DetectorLoop(options)
  await loop.start()
  return {
    done: loop.done,
    ready: () => loop.ready(),
    positions: () => loop.positions(),
    stop: () => loop.stop(),
  }
}

class DetectorLoop {
  readonly done: Promise<void>
  readonly #options: DetectorOptions
  readonly #clock: Clock
  readonly #consumer: GroupConsumer
  readonly #watch: ProgressWatch
  readonly #end = Promise.withResolvers<void>()
  readonly #tasks = new Map<number, DetectorTask>()
  /** The last open of each partition: two at a time would fence each other. */
  readonly #opening = new Map<number, Promise<void>>()
  #assigned: ReadonlySet<number> = new Set()
  /** One per assignment; aborted when it is over. */
  #generation: AbortController | null = null
  #over = false
  #stopping: Promise<void> | null = null

  constructor(options: DetectorOptions) {
    this.#options = options
    this.#clock = options.clock ?? processClock
    this.#watch = new ProgressWatch({ ...options, topic: options.topics.events })
    this.done = this.#end.promise
    this.done.catch(() => undefined)
    this.#consumer = options.log.consumer({
      group: options.group,
      topic: options.topics.events,
      from: 'earliest',
      fetchBytes: FETCH_BYTES,
      ...(options.sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs: options.sessionTimeoutMs }),
      ...(options.outOfRange === undefined ? {} : { outOfRange: options.outOfRange }),
    })
  }

  async start(): Promise<void> {
    try {
      await this.#consumer.start({
        assigned: partitions => this.#take(partitions),
        batch: (batch, control) => this.#handle(batch, control),
        crashed: error => this.#fail(error),
      })
    } catch (error) {
      // The group may have let us in although we were told that it failed: a ghost must not own partitions.
      await this.stop().catch(() => undefined)
      throw error
    }
    const over = new AbortController()
    const end = () => over.abort()
    this.done.then(end, end)
    void this.#watchProgress(over.signal)
    void this.#watchEnds(over.signal)
  }

  ready(): boolean {
    return (
      this.#generation !== null && !this.#over && [...this.#assigned].every(partition => this.#tasks.has(partition))
    )
  }

  positions(): ReadonlyMap<number, number | null> {
    return new Map([...this.#assigned].map(partition => [partition, this.#tasks.get(partition)?.position ?? null]))
  }

  /** Finishes the transactions in hand, leaves the group, closes the producers. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  async #stop(): Promise<void> {
    this.#over = true
    this.#generation?.abort()
    try {
      await this.#consumer.stop()
    } finally {
      await Promise.all(this.#opening.values())
      await Promise.all([...this.#tasks.values()].map(task => task.close()))
      this.#tasks.clear()
      this.#end.resolve()
    }
  }

  #fail(thrown: unknown): void {
    this.#over = true
    this.#generation?.abort()
    this.#end.reject(asTrailwardenError(thrown))
  }

  #take(partitions: readonly number[]): void {
    const { metrics, topics, logger } = this.#options
    this.#generation?.abort()
    this.#generation = new AbortController()
    const before = this.#assigned
    this.#assigned = new Set(partitions)
    this.#watch.assigned(partitions)
    metrics.rebalances.inc()
    metrics.assigned.set(partitions.length)
    for (const partition of this.#tasks.keys()) if (!this.#assigned.has(partition)) this.#discard(partition)
    for (const partition of before)
      if (!this.#assigned.has(partition)) releasePartition(metrics, partition, topics.events, topics.state)
    for (const partition of partitions) {
      const kept = this.#tasks.get(partition)
      // A kept task needs no new fence: had anyone owned the partition in between, its next transaction is refused.
      if (kept === undefined) this.#open(partition)
      else this.#consumer.resume(partition, kept.position)
    }
    logger.info({ partitions: [...partitions] }, 'Partitions assigned.')
  }

  #open(partition: number, waitMs = 0): void {
    const signal = this.#generation?.signal
    if (signal === undefined || this.#over) return
    const before = this.#opening.get(partition) ?? Promise.resolve()
    const opening = before.then(() => this.#openPatiently(partition, signal, waitMs)).catch(error => this.#fail(error))
    this.#opening.set(partition, opening)
  }

  /** Opens a partition, again and again while it fails and the generation lasts. */
  async #openPatiently(partition: number, signal: AbortSignal, waitMs: number): Promise<void> {
    const { logger } = this.#options
    const deadline = this.#clock.now() + (this.#options.openRetryMs ?? OPEN_RETRY_MS)
    const watch = { signal, alive: () => this.#watch.alive(partition) }
    for (let delay = waitMs; !signal.aborted; delay = Math.min(2000, Math.max(200, delay * 2))) {
      if (delay > 0) await this.#clock.sleep(delay, signal)
      if (signal.aborted || this.#tasks.has(partition)) return
      try {
        const task = await DetectorTask.open(partition, this.#options, watch)
        if (signal.aborted) return await task.close()
        this.#tasks.set(partition, task)
        task.exposeState()
        this.#watch.alive(partition)
        this.#consumer.resume(partition, task.position)
        return
      } catch (thrown) {
        if (signal.aborted) return
        const error = asTrailwardenError(thrown)
        logger.warn({ partition, code: error.code, reason: error.message }, 'Opening the partition failed.')
        this.#options.metrics.restores.inc({ result: 'failed' })
        if (!error.retriable || this.#clock.now() > deadline) return this.#fail(error)
        this.#watch.alive(partition)
      }
    }
  }

  #discard(partition: number): void {
    const task = this.#tasks.get(partition)
    this.#tasks.delete(partition)
    void task?.close()
  }

  async #handle(batch: RecordBatch, control: BatchControl): Promise<void> {
    const task = this.#tasks.get(batch.partition)
    if (task === undefined) return this.#consumer.pause(batch.partition)
    await task.inTurn(() => this.#workBatch(task, batch, control))
  }

  async #workBatch(task: DetectorTask, batch: RecordBatch, control: BatchControl): Promise<void> {
    const { batchMaxRecords } = this.#options
    const { partition } = batch
    const owned = () => control.current() && this.#tasks.get(partition) === task
    let rebalancing = false
    const wanted = () => !this.#over && !rebalancing && owned()
    const alive = async () => {
      this.#watch.alive(partition)
      // The task stays sound: who owns the partition next is said by the next assignment, and decided by the epoch.
      await control.heartbeat().catch((thrown: unknown) => {
        rebalancing ||= asTrailwardenError(thrown).code === 'TW_REBALANCED'
      })
    }
    let from = batch.records.findIndex(record => record.offset >= task.position)
    this.#noteLag(task, batch, from)
    // Worked off by the handler before this one, which could no longer tell the consumer.
    if (from < 0) return control.resolve(batch.nextOffset)
    while (from < batch.records.length && wanted()) {
      const chunk = batch.records.slice(from, from + batchMaxRecords)
      const isEnd = from + chunk.length === batch.records.length
      const end = isEnd ? batch.nextOffset : (batch.records[from + chunk.length]?.offset ?? batch.nextOffset)
      let taken
      try {
        taken = await task.work(chunk, end, { owned, wanted, alive })
      } catch (thrown) {
        return this.#failed(task, thrown, control)
      }
      if (taken === 0) return
      from += taken
      control.resolve(task.position)
      this.#noteLag(task, batch, from)
      await alive()
    }
  }

  /** `next` is the index of the record that the task is to take next; beyond the batch, its newest stands for the next. */
  #noteLag(task: DetectorTask, { topic, partition, records, highWatermark }: RecordBatch, next: number): void {
    if (this.#tasks.get(partition) !== task) return
    const behind = highWatermark - task.position
    const oldest = (records[next] ?? records.at(-1))?.timestamp ?? -1
    this.#options.metrics.lag.set(topic, partition, behind, behind > 0 ? oldest : null)
  }

  /** A transaction failed: whether it was committed is unknown, so the state goes, and the log is asked. */
  async #failed(task: DetectorTask, thrown: unknown, control: BatchControl): Promise<void> {
    const { partition } = task
    const error = asTrailwardenError(thrown)
    this.#options.logger.warn({ partition, code: error.code, reason: error.message }, 'A transaction failed.')
    // It belongs to another member by now, or to a task that was opened meanwhile.
    if (this.#tasks.get(partition) !== task) return
    this.#discard(partition)
    this.#consumer.pause(partition)
    if (!error.retriable) return this.#fail(error)
    // Of the generation of now: a rebalance during the transaction has kept this task and waits for it.
    this.#open(partition, error.code === 'TW_FENCED' ? FENCED_WAIT_MS : FAILED_WAIT_MS)
    // A member whose session has expired learns of it here, not only with its next batch.
    await control.heartbeat().catch(() => undefined)
  }

  /** Behind a transaction that hangs its alerts would be invisible until the partition's next event. */
  async #watchEnds(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#clock.sleep(ENDS_EVERY_MS, over, 'background')
      for (const [partition, task] of [...this.#tasks]) {
        // Where the cluster does not answer there is nothing to know yet.
        const hangs = await task.inTurn(() => task.hangs()).catch(() => false)
        if (!hangs || over.aborted || this.#tasks.get(partition) !== task) continue
        this.#discard(partition)
        this.#consumer.pause(partition)
        this.#open(partition)
      }
    }
  }

  async #watchProgress(over: AbortSignal): Promise<void> {
    const partition = await this.#watch.run(over, at => this.#tasks.get(at)?.position ?? null)
    if (partition === null || this.#over) return
    const { topics, logger } = this.#options
    logger.error({ partition }, 'The partition has records to read and does not move.')
    this.#fail(twError('TW_CONSUMER_CRASHED', `No progress on ${topics.events}, partition ${partition}.`))
  }
}

async function checkTopics({ log, topics }: DetectorOptions): Promise<void> {
  const counts = new Map<string, number>()
  for (const topic of Object.values(topics)) {
    const count = await log.partitions(topic)
    if (count === null) throw twError('TW_TOPIC_MISSING', `Topic ${topic} does not exist.`)
    counts.set(topic, count)
  }
  const [events, state] = [counts.get(topics.events), counts.get(topics.state)]
  if (events !== state)
    throw twError(
      'TW_PARTITIONS_DIFFER',
      `${topics.events} has ${events} partitions and ${topics.state} has ${state}: the state of a partition lives in the partition of the same number.`,
    )
}
