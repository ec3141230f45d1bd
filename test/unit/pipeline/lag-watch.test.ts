// The watch beside a loop: it knows the lag of partitions that stand still, is not fooled by control records, leaves those that
// move alone, and notices a cluster that does not answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InProcessLog } from '../../../src/log/in-process.ts'
import { createMetrics } from '../../../src/metrics/metrics.ts'
import { LagWatch } from '../../../src/pipeline/lag-watch.ts'
import { twError } from '../../../src/errors.ts'
import { eventually } from '../../harness/conformance-cluster.ts'
import { clientWith } from '../../harness/simulator-cluster.ts'
import { append, config, lineLog, quiet, seriesOf, topics } from '../../harness/pipeline.ts'

const records = (partition: number, count: number) =>
  Array.from({ length: count }, () => ({ key: 'k', value: Buffer.from('v'), partition }))
const series = (partition: number) => `topic="${topics.events}",partition="${partition}"`

/** A watch on a loop that owns partitions and never moves by itself. */
function watching(log: Parameters<typeof clientWith>[0], positions: Map<number, number | null>) {
  const metrics = createMetrics('detect', '1')
  const watch = new LagWatch({
    log,
    topic: topics.events,
    group: config.DETECT_GROUP,
    loop: { positions: () => positions },
    metrics,
    logger: quiet,
    everyMs: 5,
  })
  const lag = async (partition: number) => (await seriesOf(metrics, 'trailwarden_lag_records'))[series(partition)]
  const seconds = async (partition: number) => (await seriesOf(metrics, 'trailwarden_lag_seconds'))[series(partition)]
  return { watch, metrics, lag, seconds }
}

test('a partition without a batch has a lag from the start: 0, or what the group has not committed', async t => {
  const log = lineLog(3)
  await append(log, topics.events, [...records(0, 5), ...records(1, 3)])
  const { watch, lag, seconds } = watching(
    log,
    new Map([
      [0, null],
      [1, 3],
      [2, null],
    ]),
  )
  t.after(() => watch.stop())
  await eventually('all three', async () => (await lag(2)) !== undefined)
  assert.deepEqual([await lag(0), await lag(1), await lag(2)], [5, 0, 0])
  assert.ok((await seconds(0))! > 1000, 'the log of the test lies in the past')
  assert.deepEqual([await seconds(1), await seconds(2)], [0, 0])
})

test('lag of a partition that stands still grows with its input', async t => {
  const log = lineLog(1)
  await append(log, topics.events, records(0, 2))
  const { watch, lag } = watching(log, new Map([[0, 2]]))
  t.after(() => watch.stop())
  await eventually('caught up', async () => (await lag(0)) === 0)
  await append(log, topics.events, records(0, 4))
  await eventually('four behind', async () => (await lag(0)) === 4)
})

test('markers and aborted records behind the last record are no lag', async t => {
  const log: InProcessLog = lineLog(1)
  await append(log, topics.events, records(0, 1))
  const producer = await log.transactionalProducer('id')
  const transaction = await producer.begin()
  await transaction.send([{ topic: topics.events, records: records(0, 3) }])
  await transaction.abort()
  const { watch, lag, seconds } = watching(log, new Map([[0, 1]]))
  t.after(() => watch.stop())
  await eventually('a look', async () => (await lag(0)) !== undefined)
  assert.deepEqual([await lag(0), await seconds(0)], [0, 0])
})

test('a partition that moves reports for itself, and one that was lost stays without a series', async t => {
  const log = lineLog(2)
  await append(log, topics.events, [...records(0, 10), ...records(1, 10)])
  const positions = new Map<number, number | null>([
    [0, 1],
    [1, 1],
  ])
  const { watch, metrics, lag } = watching(log, positions)
  t.after(() => watch.stop())
  await eventually('both', async () => (await lag(1)) === 9)
  positions.delete(1)
  metrics.lag.release(topics.events, 1)
  positions.set(0, 6)
  metrics.lag.set(topics.events, 0, 4, null)
  await eventually('the look after', async () => (await lag(0)) === 4)
  assert.equal(await lag(1), undefined)
})

test('it is reachable as long as the cluster answers', async t => {
  const log = lineLog(1)
  let away = false
  const flaky = clientWith(log, {
    offsets: topic => (away ? Promise.reject(twError('TW_BROKER_UNAVAILABLE', 'away')) : log.offsets(topic)),
  })
  const { watch } = watching(flaky, new Map([[0, 0]]))
  t.after(() => watch.stop())
  assert.equal(watch.reachable(), true)
  away = true
  await eventually('noticed', () => !watch.reachable())
  away = false
  await eventually('back', () => watch.reachable())
})
