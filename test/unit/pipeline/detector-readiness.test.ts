// What /readyz asks of the detector's loop: not ready before it has joined, while any of its partitions is being restored,
// and again while one that a rebalance brought is; ready in between, also without any partition.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogClient } from '../../../src/log/log-client.ts'
import { localSchemas } from '../../../src/log/schema-source.ts'
import type { SchemaSource } from '../../../src/log/schema-source.ts'
import { startDetector } from '../../../src/pipeline/detector.ts'
import { eventually } from '../../harness/conformance-cluster.ts'
import { at, call } from '../../harness/detection.ts'
import { append, detectorParts, eventRecords, eventSchema, lineLog, topics } from '../../harness/pipeline.ts'
import { clientWith } from '../../harness/simulator-cluster.ts'

/** A client whose reads of the changelog stop behind the first batch of a partition until they are let go on. */
function gated(log: LogClient, partition: number) {
  let gate = Promise.withResolvers<void>()
  const seen = { waiting: 0 }
  const client = clientWith(log, {
    async *read(topic, of, options) {
      for await (const batch of log.read(topic, of, options)) {
        yield batch
        if (topic !== topics.state || of !== partition) continue
        seen.waiting++
        await gate.promise
      }
    },
  })
  const open = () => gate.resolve()
  const close = () => {
    gate = Promise.withResolvers()
    seen.waiting = 0
  }
  return { client, seen, open, close }
}

async function schemasOfEvents(): Promise<SchemaSource> {
  const schemas = localSchemas()
  await schemas.idOf(`${topics.events}-value`, eventSchema)
  return schemas
}

const schemas = await schemasOfEvents()
const parts = (log: LogClient) => detectorParts(log, {}, schemas)

/** A log of two partitions, both with state in the changelog. */
async function withState() {
  const log = lineLog(2)
  const events = Array.from({ length: 40 }, (_, i) => {
    const principal = { key: `111122223333/role/${i}`, kind: 'ROLE' as const, name: String(i) }
    return call(at('10:00') + i * 1000, { eventId: String(i), principal })
  })
  await append(log, topics.events, await eventRecords(events, schemas))
  const first = await startDetector(await parts(log))
  await log.idle()
  await first.stop()
  for (const { end } of await log.offsets(topics.state)) assert.ok(end > 2, 'both partitions have state')
  return log
}

test('a loop is ready when the last of its partitions is restored, and not before', async () => {
  const log = await withState()
  const { client, seen, open } = gated(log, 1)
  const options = await parts(client)
  const loop = await startDetector(options)
  await eventually('the restore', () => seen.waiting > 0)
  await eventually('the other partition', () => loop.positions().get(0) !== null)
  assert.equal(loop.ready(), false)
  const progress = (await options.metrics.restoreProgress.get()).values
  assert.deepEqual(
    progress.map(({ labels }) => Number(labels['partition'])),
    [1],
    'only what is being opened has a progress',
  )
  open()
  await eventually('ready', () => loop.ready())
  assert.ok([...loop.positions().values()].every(position => position !== null))
  assert.deepEqual((await options.metrics.restoreProgress.get()).values, [])
  await loop.stop()
  assert.equal(loop.ready(), false)
})

test('a partition that a rebalance brings back is restored before the loop is ready again', async () => {
  const log = await withState()
  // The member that joined first keeps one partition of two, whichever: so the reads of both can be held.
  const [zero, one] = [gated(log, 0), gated(log, 1)]
  const client = clientWith(log, {
    read: (topic, of, options) => (of === 0 ? zero : one).client.read(topic, of, options),
  })
  zero.open()
  one.open()
  const loop = await startDetector(await parts(client))
  await eventually('ready', () => loop.ready())
  const others = [await startDetector(await parts(log)), await startDetector(await parts(log))]
  await eventually('three share two partitions', () => loop.positions().size < 2 && others.every(one => one.ready()))
  await eventually('ready with what is left', () => loop.ready())
  zero.close()
  one.close()
  for (const other of others) await other.stop()
  await eventually('a restore', () => zero.seen.waiting + one.seen.waiting > 0)
  assert.equal(loop.ready(), false)
  zero.open()
  one.open()
  await eventually('ready again', () => loop.ready() && loop.positions().size === 2)
  await loop.stop()
})
