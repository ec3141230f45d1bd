// The detector's loop: events topic → alerts, state and dead letters, one transaction per run of records of a partition.
// It owns the tasks of the assigned partitions and the rule that a task works only in the generation it was opened in.
// Written against the LogClient port: the same loop runs in process, under fault injection and on Kafka.
import { setTimeout as sleep } from 'node:timers/promises'
import type { BatchControl, RecordBatch } from '../log/log-client.ts'
import { asTrailwardenError, twError } from '../errors.ts'
import type { DetectorOptions } from './detector-options.ts'
import { DetectorTask } from './detector-task.ts'
import type { RunningLoop } from './running-loop.ts'

const OPEN_RETRY_MS = 120_000
// About one heartbeat: a fenced task waits this long for the rebalance that explains it before it fences back.
const FENCED_WAIT_MS = 3000

/** Checks the topics and starts the loop. @throws TW_TOPIC_MISSING, TW_PARTITIONS_DIFFER before anything is read. */
export async function startDetector(options: DetectorOptions): Promise<RunningLoop> {
  await checkTopics(options)
  const { log, metrics, topics, logger } = options
  const consumer = log.consumer({
    group: options.group,
    topic: topics.events,
    from: 'earliest',
    ...(options.sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs: options.sessionTimeoutMs }),
    ...(options.outOfRange === undefined ? {} : { outOfRange: options.outOfRange }),
  })
  const end = Promise.withResolvers<void>()
  end.promise.catch(() => undefined)
  const tasks = new Map<number, DetectorTask>()
  let assigned: ReadonlySet<number> = new Set()
  let generation = -1
  let stopping: Promise<void> | null = null

  const fail = (thrown: unknown) => end.reject(asTrailwardenError(thrown))
  const current = (token: number) => token === generation && stopping === null

  /** Opens a partition, again and again while it fails and is still ours. */
  async function open(partition: number, token: number, waitMs = 0): Promise<void> {
    const deadline = performance.now() + (options.openRetryMs ?? OPEN_RETRY_MS)
    for (let delay = waitMs; current(token); delay = Math.min(2000, Math.max(200, delay * 2))) {
      if (delay > 0) await sleep(delay)
      if (!current(token)) return
      try {
        const task = await DetectorTask.open(partition, options)
        if (!current(token)) return await task.close()
        tasks.set(partition, task)
        consumer.resume(partition, task.position)
        return
      } catch (thrown) {
        const error = asTrailwardenError(thrown)
        logger.warn({ partition, code: error.code, reason: error.message }, 'Opening the partition failed.')
        if (!error.retriable || performance.now() > deadline) return fail(error)
      }
    }
  }

  function discard(partition: number): void {
    const task = tasks.get(partition)
    tasks.delete(partition)
    metrics.stateEntries.remove({ partition })
    metrics.deniedRate.remove({ partition })
    void task?.close()
  }

  async function handle(batch: RecordBatch, control: BatchControl): Promise<void> {
    const { partition } = batch
    const task = tasks.get(partition)
    const token = generation
    if (task === undefined) return
    const wanted = () => control.current() && current(token) && tasks.get(partition) === task
    try {
      await workBatch(task, batch, control, options, wanted)
    } catch (thrown) {
      const error = asTrailwardenError(thrown)
      logger.warn(
        { partition, code: error.code, reason: error.message },
        'Transaction failed; opening the partition again.',
      )
      if (tasks.get(partition) === task) discard(partition)
      if (!error.retriable) return fail(error)
      if (!current(token)) return
      consumer.pause(partition)
      void open(partition, token, error.code === 'TW_FENCED' ? FENCED_WAIT_MS : 100)
    }
  }

  await consumer.start({
    assigned(partitions) {
      generation++
      metrics.rebalances.inc()
      metrics.lag.reset()
      metrics.assigned.set(partitions.length)
      assigned = new Set(partitions)
      for (const partition of tasks.keys()) if (!assigned.has(partition)) discard(partition)
      for (const partition of partitions) {
        const kept = tasks.get(partition)
        // A kept task needs no new fence: had anyone owned the partition in between, its next transaction is refused.
        if (kept === undefined) void open(partition, generation)
        else consumer.resume(partition, kept.position)
      }
      logger.info({ partitions: [...partitions] }, 'Partitions assigned.')
    },
    batch: handle,
    crashed: fail,
  })

  return {
    done: end.promise,
    ready: () => generation >= 0 && stopping === null && [...assigned].every(partition => tasks.has(partition)),
    stop: () =>
      (stopping ??= (async () => {
        await consumer.stop()
        await Promise.all([...tasks.values()].map(task => task.close()))
        tasks.clear()
        end.resolve()
      })()),
  }
}

async function workBatch(
  task: DetectorTask,
  batch: RecordBatch,
  control: BatchControl,
  options: DetectorOptions,
  wanted: () => boolean,
): Promise<void> {
  const records = batch.records.filter(record => record.offset >= task.position)
  if (records.length === 0) return
  for (let from = 0; from < records.length; from += options.batchMaxRecords) {
    const chunk = records.slice(from, from + options.batchMaxRecords)
    const isEnd = from + chunk.length >= records.length
    const next = isEnd ? batch.nextOffset : chunk.at(-1)!.offset + 1
    if (!wanted() || !(await task.work(chunk, next, wanted))) return
    control.resolve(next)
    const lag = Math.max(0, batch.highWatermark - next)
    options.metrics.lag.set({ topic: batch.topic, partition: batch.partition }, lag)
    await control.heartbeat()
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
