// Transactions that hang: the coordinator has ended them and forgotten to say so to the partitions. Kafka 4.3 does it while
// the last replica of a partition is shut down in order: it takes the leaderless partition for a deleted one and skips
// its marker. The next marker of the same producer then decides about the forgotten records too, so this sees to it that
// it is an abort, before anything is restored: they were never visible, and their input is judged again.
import { twError } from '../errors.ts'
import type { LogClient, TransactionalProducer } from '../log/log-client.ts'
import { emptyRecord } from './changelog.ts'
import { processClock } from './clock.ts'
import type { DetectorOptions } from './detector-options.ts'

const SETTLE_MS = 10_000
const LOOK_EVERY_MS = 50

/**
 * Whether a transaction is open on a partition. Of a changelog right behind the fence, or behind a transaction of one's
 * own that ended a while ago, it means one that hangs: nobody else writes there, and what the coordinator knows is over.
 */
export async function hasOpenTransaction(log: LogClient, topic: string, partition: number): Promise<boolean> {
  // In this order: what ends between the two looks is not open.
  const highWatermark = (await log.highWatermarks(topic))[partition] ?? 0
  const stableEnd = (await log.offsets(topic))[partition]?.end ?? 0
  return stableEnd < highWatermark
}

/**
 * Aborts what hangs behind the fence of a partition, wherever a transaction of the detector may have written: its
 * changelog, the group's position, every partition of alerts and dead letters. Does nothing where the changelog is settled.
 * @throws TW_TRANSACTION_FAILED when the changelog is not settled 10 s later, and what the log throws
 */
export async function abortHanging(
  producer: TransactionalProducer,
  partition: number,
  options: Pick<DetectorOptions, 'log' | 'topics' | 'group' | 'logger' | 'metrics' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  const { log, topics, group, logger, metrics } = options
  const { now, sleep } = options.clock ?? processClock
  if (!(await hasOpenTransaction(log, topics.state, partition))) return
  logger.warn({ partition }, 'A transaction ended without its markers; it is aborted and its input judged again.')
  const outputs = []
  for (const topic of [topics.alerts, topics.rejected]) {
    const count = (await log.partitions(topic)) ?? 0
    outputs.push({ topic, records: Array.from({ length: count }, (_, to) => emptyRecord(to)) })
  }
  const transaction = await producer.begin()
  // Which offset does not matter: it is never committed, but takes the pending one along.
  await transaction.sendOffsets(group, topics.events, new Map([[partition, 0]]))
  await transaction.send([{ topic: topics.state, records: [emptyRecord(partition)] }, ...outputs])
  await transaction.abort()
  metrics.hanging.inc()
  const deadline = now() + SETTLE_MS
  while (await hasOpenTransaction(log, topics.state, partition)) {
    if (signal.aborted || now() > deadline)
      throw twError('TW_TRANSACTION_FAILED', `A transaction on ${topics.state}, partition ${partition}, stays open.`)
    await sleep(LOOK_EVERY_MS, signal)
  }
}
