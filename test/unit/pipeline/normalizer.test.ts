// The normalizer's loop on the in-process log: at least once whatever fails, dead letters as they came, counts that reconcile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventDecoder } from '../../../src/codecs/cloudtrail-event.ts'
import { demoScenario } from '../../../src/commands/demo-scenario.ts'
import { twError } from '../../../src/errors.ts'
import type { Gate } from '../../../src/log/gate.ts'
import type { LogClient, LogRecord } from '../../../src/log/log-client.ts'
import { startNormalizer } from '../../../src/pipeline/normalizer.ts'
import { eventually, rejectsWith } from '../../harness/conformance-cluster.ts'
import { barrier } from '../../harness/in-process-log.ts'
import { clientWith } from '../../harness/simulator-cluster.ts'
import {
  append,
  config,
  countsOf,
  eventSchema,
  lineLog,
  normalizerOptions,
  recordsOf,
  seriesOf,
  textOf,
  topics,
} from '../../harness/pipeline.ts'

const raw = (index: number) => ({
  key: `shipper-${index}`,
  value: Buffer.from(
    JSON.stringify({
      eventTime: '2026-01-15T09:00:00Z',
      eventSource: 'secretsmanager.amazonaws.com',
      eventName: 'GetSecretValue',
      eventID: `event-${index}`,
      userIdentity: { type: 'IAMUser', accountId: '111122223333', userName: `user-${index % 5}` },
    }),
  ),
})
const rawRecords = (count: number) => Array.from({ length: count }, (_, index) => raw(index))
const committed = (log: LogClient) => log.committed(config.NORMALIZE_GROUP, topics.raw)

const decoder = eventDecoder(eventSchema)
decoder.learn((await normalizerOptions(lineLog())).schemaId, eventSchema)
function eventIds(records: readonly LogRecord[]): string[] {
  return records.map(({ value }) => {
    const event = decoder.decode(value!)
    assert.ok('eventId' in event)
    return event.eventId
  })
}
const allIds = (count: number) => Array.from({ length: count }, (_, index) => `event-${index}`).sort()

test('every event goes to the events topic under its principal, and everything is committed', async () => {
  const log = lineLog(3)
  await append(log, topics.raw, rawRecords(20))
  const loop = await startNormalizer(await normalizerOptions(log))
  await log.idle()
  assert.ok(loop.ready())
  const events = await recordsOf(log, topics.events)
  assert.deepEqual(eventIds(events).sort(), allIds(20))
  assert.deepEqual(
    [...new Set(events.map(({ key }) => String(key)))].sort(),
    [0, 1, 2, 3, 4].map(user => `111122223333/user/user-${user}`),
  )
  assert.deepEqual(
    await committed(log),
    (await log.offsets(topics.raw)).map(({ begin, end }) => (end > begin ? end : null)),
  )
  await loop.stop()
  assert.equal(loop.ready(), false)
  await loop.done
})

test('what is counted is what was found, written and refused', async () => {
  const log = lineLog()
  const { values, records } = demoScenario()
  await append(log, topics.raw, values)
  const options = await normalizerOptions(log, { batchMaxRecords: 100 })
  const loop = await startNormalizer(options)
  await log.idle()
  await loop.stop()
  const { metrics } = options
  const events = (await recordsOf(log, topics.events)).length
  const rejected = (await recordsOf(log, topics.rejected)).length
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0)
  assert.deepEqual([events, rejected], [records, 2])
  assert.equal(sum(await countsOf(metrics.envelopes)), events)
  assert.deepEqual(await countsOf(metrics.skipped), { digest: 1, 's3-test-event': 1 })
  assert.equal(sum(await countsOf(metrics.rejected)), rejected)
  assert.deepEqual(await countsOf(metrics.recordsIn), { [`${topics.raw} 0`]: values.length })
  assert.deepEqual(await countsOf(metrics.recordsOut), {
    [`${topics.events} 0`]: events,
    [`${topics.rejected} 0`]: rejected,
  })
  for (const name of ['lag_records', 'lag_seconds'])
    assert.deepEqual(await seriesOf(metrics, `trailwarden_${name}`), { [`topic="${topics.raw}",partition="0"`]: 0 })
  const batches = Math.ceil(values.length / 100)
  assert.equal((await seriesOf(metrics, 'trailwarden_batch_duration_seconds_count'))[''], batches)
  assert.equal((await seriesOf(metrics, 'trailwarden_offset_commits_total'))[''], batches)
  assert.equal(sum(await seriesOf(metrics, 'trailwarden_region_events_total')), events)
})

test('a dead letter has the bytes, the key and the headers of its record, and says where it stood and why', async () => {
  const log = lineLog()
  const garbage = Buffer.from([0xff, 0x00, 0x7b])
  const half = Buffer.from(JSON.stringify({ Records: [JSON.parse(String(raw(1).value)), 5, { eventName: 'x' }] }))
  await append(log, topics.raw, [
    raw(0),
    { key: Buffer.from([0xfe]), value: garbage, headers: { trace: 'abc', binary: Buffer.from([0xff]) } },
    { key: null, value: null },
    { key: 'k', value: half },
  ])
  const loop = await startNormalizer(await normalizerOptions(log))
  await log.idle()
  await loop.stop()
  assert.deepEqual(eventIds(await recordsOf(log, topics.events)), ['event-0', 'event-1'])
  const letters = await recordsOf(log, topics.rejected)
  assert.deepEqual(
    letters.map(({ key, value }) => [key, value]),
    [
      [Buffer.from([0xfe]), garbage],
      [null, null],
      [Buffer.from('k'), half],
    ],
  )
  assert.deepEqual(letters[0]!.headers['binary'], Buffer.from([0xff]))
  const headers = letters.map(letter => textOf(letter.headers))
  assert.equal(headers[0]!['trace'], 'abc')
  for (const [index, offset] of [1, 2, 3].entries()) {
    const { 'trailwarden.reason': reason, '__connect.errors.exception.message': message, ...rest } = headers[index]!
    assert.ok(message!.startsWith(`${reason}: `) && message!.length <= 300)
    assert.equal(rest['__connect.errors.topic'], topics.raw)
    assert.equal(rest['__connect.errors.partition'], '0')
    assert.equal(rest['__connect.errors.offset'], String(offset))
    assert.equal(rest['__connect.errors.stage'], 'NORMALIZE')
    assert.equal(rest['__connect.errors.exception.class.name'], 'Rejected')
  }
  assert.deepEqual(
    headers.map(header => [header['trailwarden.reason'], header['trailwarden.rejected-records']]),
    [
      ['not-json', '1'],
      ['null-value', '1'],
      ['not-an-object', '2'],
    ],
  )
})

test('an event larger than the topic takes is a dead letter, and the loop goes on', async () => {
  const log = lineLog()
  const large = { ...JSON.parse(String(raw(0).value)), userAgent: 'x'.repeat(500), errorMessage: 'y'.repeat(3000) }
  await append(log, topics.raw, [{ key: 'a', value: Buffer.from(JSON.stringify(large)) }, raw(1)])
  const loop = await startNormalizer(await normalizerOptions(log, { maxRecordBytes: 1024 }))
  await log.idle()
  await loop.stop()
  assert.deepEqual(eventIds(await recordsOf(log, topics.events)), ['event-1'])
  const [letter] = await recordsOf(log, topics.rejected)
  assert.equal(textOf(letter!.headers)['trailwarden.reason'], 'too-large-to-produce')
})

test('a position is committed only after the produce it stands for was acknowledged', async () => {
  const points: string[] = []
  const log = lineLog(1, { gate: point => void points.push(point), maxBatchRecords: 7 })
  await append(log, topics.raw, rawRecords(20))
  points.length = 0
  const loop = await startNormalizer(await normalizerOptions(log, { batchMaxRecords: 3 }))
  await log.idle()
  const steps = points.filter(point => /^(producer\.send|consumer\.commit):/.test(point))
  const round = [
    'producer.send:request',
    'producer.send:response',
    'consumer.commit:request',
    'consumer.commit:response',
  ]
  // Batches of 7, 7 and 6 in chunks of at most 3.
  assert.deepEqual(steps, Array.from({ length: 3 + 3 + 2 }, () => round).flat())
  await loop.stop()
})

for (const [what, point, copies] of [
  ['a produce that never reached the log', 'producer.send:request', 0],
  ['a produce whose acknowledgement was lost', 'producer.send:response', 2],
] as const)
  test(`${what} ends the loop uncommitted, and the next process loses nothing`, async () => {
    const log = lineLog()
    await append(log, topics.raw, rawRecords(6))
    let passes = 0
    const gate: Gate = reached => {
      if (reached === point && ++passes === 2) throw twError('TW_PRODUCE_FAILED', 'not acknowledged')
    }
    const failing = await startNormalizer(await normalizerOptions(log.client(gate), { batchMaxRecords: 2 }))
    await rejectsWith('TW_PRODUCE_FAILED', failing.done)
    assert.deepEqual(await committed(log), [2], 'the first chunk only')
    await failing.stop()
    const next = await startNormalizer(await normalizerOptions(log, { batchMaxRecords: 2 }))
    await log.idle()
    await next.stop()
    const ids = eventIds(await recordsOf(log, topics.events))
    assert.deepEqual([...new Set(ids)].sort(), allIds(6))
    assert.equal(ids.length, 6 + copies, 'only what was in doubt came twice')
    assert.deepEqual(await committed(log), [6])
  })

test('a process killed at any step of a batch loses nothing', async () => {
  for (const point of [
    'producer.send:request',
    'producer.send:response',
    'consumer.commit:request',
    'consumer.commit:response',
  ]) {
    const log = lineLog()
    await append(log, topics.raw, rawRecords(6))
    let passes = 0
    const victim = log.client(reached => {
      if (reached === point && ++passes === 2) victim.kill()
    })
    await startNormalizer(await normalizerOptions(victim, { batchMaxRecords: 2 }))
    await eventually(`killed at ${point}`, () => passes === 2)
    const next = await startNormalizer(await normalizerOptions(log))
    await log.idle()
    await next.stop()
    assert.deepEqual([...new Set(eventIds(await recordsOf(log, topics.events)))].sort(), allIds(6), point)
    assert.deepEqual(await committed(log), [6], point)
  }
})

test('a rebalance in the middle of a batch leaves it uncommitted, its new owner redoes it, and nobody fails', async () => {
  const log = lineLog(2)
  await append(log, topics.raw, rawRecords(40))
  const { gate, open, waiting } = barrier('producer.send:response')
  const first = await startNormalizer(await normalizerOptions(log.client(gate)))
  await eventually('the first produce', () => waiting() > 0)
  const second = await startNormalizer(await normalizerOptions(log.client()))
  open()
  await log.idle()
  assert.ok(first.ready() && second.ready())
  assert.deepEqual([...new Set(eventIds(await recordsOf(log, topics.events)))].sort(), allIds(40))
  assert.deepEqual(
    await committed(log),
    (await log.offsets(topics.raw)).map(({ end }) => end),
  )
  await Promise.all([first.stop(), second.stop()])
  await Promise.all([first.done, second.done])
})

test('a stop finishes the batch in hand and commits it', async () => {
  const log = lineLog()
  await append(log, topics.raw, rawRecords(5))
  const { gate, open, waiting } = barrier('producer.send:request')
  const loop = await startNormalizer(await normalizerOptions(log.client(gate)))
  await eventually('the produce', () => waiting() === 1)
  const stopped = loop.stop()
  assert.equal(loop.ready(), false)
  open()
  await stopped
  assert.deepEqual(await committed(log), [5])
  assert.deepEqual(eventIds(await recordsOf(log, topics.events)).sort(), allIds(5))
  await append(log, topics.raw, rawRecords(1))
  await log.idle()
  assert.deepEqual(await committed(log), [5], 'a stopped loop takes nothing up')
})

test('a position that retention has overtaken ends the loop, or goes on with what is left', async () => {
  for (const outOfRange of ['fail', 'earliest'] as const) {
    const log = lineLog()
    await append(log, topics.raw, rawRecords(2))
    const first = await startNormalizer(await normalizerOptions(log))
    await log.idle()
    await first.stop()
    await append(log, topics.raw, rawRecords(6))
    log.deleteRecordsBefore(topics.raw, 0, 5)
    const next = await startNormalizer(await normalizerOptions(log, { outOfRange }))
    if (outOfRange === 'fail') await rejectsWith('TW_OFFSET_OUT_OF_RANGE', next.done)
    else {
      await log.idle()
      assert.deepEqual(await committed(log), [8])
    }
    await next.stop()
  }
})

test('a partition that has records to read and does not move ends the loop; silence does not', async () => {
  for (const records of [0, 3]) {
    const log = lineLog()
    await append(log, topics.raw, rawRecords(records))
    const deaf = clientWith(log, {
      consumer(options) {
        const consumer = log.consumer(options)
        return {
          start: handlers => consumer.start(handlers),
          resume: () => undefined,
          pause: partition => consumer.pause(partition),
          stop: () => consumer.stop(),
        }
      },
    })
    const loop = await startNormalizer(await normalizerOptions(deaf, { stallMs: 20 }))
    const verdict = loop.done.then(
      () => 'stopped',
      (error: unknown) => (error as { code?: string }).code,
    )
    if (records > 0) assert.equal(await verdict, 'TW_CONSUMER_CRASHED')
    else {
      await sleep(100)
      await loop.stop()
      assert.equal(await verdict, 'stopped')
    }
    assert.equal(loop.ready(), false)
    await loop.stop()
  }
})
