// The detector's loop on the in-process log: exactly once at every step a process can die at, fencing, poison, refusals
// at the start, and a registry that is away. Each faulty run is held against one straight run of the same input.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decoder, Encoder } from '../../../src/codecs/confluent.ts'
import { twError } from '../../../src/errors.ts'
import type { InProcessLog } from '../../../src/log/in-process.ts'
import type { LogClient } from '../../../src/log/log-client.ts'
import { localSchemas } from '../../../src/log/schema-source.ts'
import type { SchemaSource } from '../../../src/log/schema-source.ts'
import { processClock } from '../../../src/pipeline/clock.ts'
import type { DetectorOptions } from '../../../src/pipeline/detector-options.ts'
import { startDetector } from '../../../src/pipeline/detector.ts'
import { eventually, rejectsWith } from '../../harness/conformance-cluster.ts'
import { at, call, minute } from '../../harness/detection.ts'
import { barrier } from '../../harness/in-process-log.ts'
import {
  append,
  config,
  countsOf,
  detectorParts,
  eventRecords,
  eventSchema,
  lineLog,
  recordsOf,
  seenOn,
  seriesOf,
  stateSchema,
  textOf,
  topics,
} from '../../harness/pipeline.ts'
import type { Seen } from '../../harness/pipeline.ts'

/** Two principals that read secrets in eight regions each, a minute between the regions; one event comes twice. */
const events = [
  'eu-west-1',
  'eu-west-2',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'sa-east-1',
  'ap-south-1',
].flatMap((awsRegion, index) =>
  ['a', 'b'].map(name =>
    call(at('10:00') + index * minute, {
      awsRegion,
      eventId: `${name}-${Math.min(index, 6)}`,
      principal: { key: `111122223333/role/${name}`, kind: 'ROLE', name },
    }),
  ),
)

/** A log that holds the events and nothing else. */
async function filled(partitions = 1): Promise<InProcessLog> {
  const log = lineLog(partitions)
  await append(log, topics.events, await eventRecords(events, localSchemas()))
  return log
}

/** Learns every schema that the loops write. */
async function schemasWithEvents(): Promise<SchemaSource> {
  const schemas = localSchemas()
  await schemas.idOf(`${topics.events}-value`, eventSchema)
  return schemas
}

// Waits of seconds pass in milliseconds; a transaction is closed by its size alone; a killed process watches nothing.
const hurried = {
  // Waits in the background stay as they are: a process that is killed here would look around for ever.
  clock: {
    now: processClock.now,
    sleep: (ms: number, signal?: AbortSignal, background?: 'background') =>
      processClock.sleep(background === undefined ? Math.min(ms, 10) : ms, signal, background),
  },
  batchMaxMs: 3_600_000,
  stallMs: 0,
  batchMaxRecords: 3,
}

async function parts(log: LogClient, more: Partial<DetectorOptions> = {}) {
  return detectorParts(log, { ...hurried, ...more }, await schemasWithEvents())
}

async function runToEnd(log: InProcessLog): Promise<Seen> {
  const loop = await startDetector(await parts(log))
  await log.idle()
  assert.ok(loop.ready())
  await loop.stop()
  await loop.done
  return seenOn(log)
}

const straight = await runToEnd(await filled())

test('a straight run raises the alerts, keeps the state and commits the position', () => {
  const created = straight.alerts.filter(({ alert }) => alert.activity === 'CREATE')
  const regions = created.filter(({ alert }) => alert.ruleId === 'secretsmanager-multi-region')
  assert.deepEqual(regions.map(({ key }) => key).sort(), ['111122223333/role/a', '111122223333/role/b'])
  for (const { key, headers, alert } of straight.alerts) {
    assert.equal(key, alert.principal.key)
    const { ce_id, ...rest } = headers as Record<string, string>
    assert.equal(rest['trailwarden-dedup-key'], alert.dedupKey)
    assert.equal(rest['content-type'], 'application/avro')
    assert.ok(ce_id!.startsWith(alert.dedupKey))
    assert.deepEqual(Object.keys(alert.input ?? {}), ['topic', 'partition', 'offset'])
  }
  const ids = straight.alerts.map(({ headers }) => (headers as Record<string, string>)['ce_id'])
  assert.equal(new Set(ids).size, ids.length, 'every alert has an id of its own')
  assert.deepEqual([...straight.state.keys()].slice(1), ['111122223333/role/a', '111122223333/role/b'])
  assert.deepEqual(straight.position, [events.length])
})

test('how the input is cut into transactions changes nothing', async () => {
  for (const batchMaxRecords of [1, 7, 5000]) {
    const log = await filled()
    const loop = await startDetector(await parts(log, { batchMaxRecords }))
    await log.idle()
    await loop.stop()
    assert.deepEqual(await seenOn(log), straight, String(batchMaxRecords))
  }
})

const steps = [
  'partitions',
  'consumer.join',
  'transactional.init',
  'offsets',
  'read.open',
  'committed',
  'consumer.fetch',
  'transaction.begin',
  'transaction.sendOffsets',
  'transaction.send',
  'transaction.commit',
  'consumer.heartbeat',
]
for (const step of steps)
  test(`killed before and after ${step}, the first time and later, it ends as a straight run does`, async () => {
    for (const side of step === 'consumer.fetch' ? [''] : [':request', ':response'])
      for (const nth of /^transaction\.|heartbeat/.test(step) ? [1, 3] : [1]) {
        const log = await filled()
        let passes = 0
        const victim = log.client(point => {
          if (point === `${step}${side}` && ++passes === nth) victim.kill()
        })
        // Never resolves where the kill comes before the loop has started.
        void startDetector(await parts(victim))
        await eventually(`killed at ${step}${side}`, () => passes >= nth)
        assert.deepEqual(await runToEnd(log), straight, `${step}${side}, time ${nth}`)
      }
  })

test('killed while it restores, again and again, with the state compacted in between', async () => {
  const log = await filled()
  for (const [nth, point] of [
    'transaction.commit:response',
    'read.fetch:response',
    'transaction.send:response',
  ].entries()) {
    let passes = 0
    const victim = log.client(reached => {
      if (reached === point && ++passes === (nth === 1 ? 1 : 2)) victim.kill()
    })
    void startDetector(await parts(victim))
    await eventually(`killed at ${point}`, () => passes >= (nth === 1 ? 1 : 2))
    log.compact(topics.state)
    log.compact(topics.state)
  }
  assert.deepEqual(await runToEnd(log), straight)
})

test('a transaction that fails is redone from the log by the same process, without a trace', async () => {
  for (const point of ['transaction.sendOffsets:response', 'transaction.send:response', 'transaction.commit:request']) {
    const log = await filled()
    let passes = 0
    const client = log.client(reached => {
      if (reached === point && ++passes === 2) throw twError('TW_TRANSACTION_FAILED', 'a broker went away')
    })
    const options = await parts(client)
    const loop = await startDetector(options)
    await eventually(
      'the end',
      async () => (await log.committed(config.DETECT_GROUP, topics.events))[0] === events.length,
    )
    await loop.stop()
    assert.deepEqual(await seenOn(log), straight, point)
    assert.equal((await countsOf(options.metrics.transactions))['aborted'], 1, point)
  }
})

test('a commit whose acknowledgement was lost is not repeated', async () => {
  const log = await filled()
  let passes = 0
  const client = log.client(reached => {
    if (reached === 'transaction.commit:response' && ++passes === 2)
      throw twError('TW_TRANSACTION_FAILED', 'the answer was lost')
  })
  const loop = await startDetector(await parts(client))
  await eventually(
    'the end',
    async () => (await log.committed(config.DETECT_GROUP, topics.events))[0] === events.length,
  )
  await loop.stop()
  assert.deepEqual(await seenOn(log), straight)
})

test('a zombie that wakes up in the middle of its transaction adds nothing', async () => {
  for (const point of ['transaction.send:request', 'transaction.send:response', 'transaction.commit:request']) {
    const own = await filled()
    const { gate, open, waiting } = barrier(point)
    const zombie = own.client(gate)
    const asleep = await parts(zombie)
    const loop = await startDetector(asleep)
    await eventually('asleep', () => waiting() > 0)
    zombie.expireSessions()
    const heir = await startDetector(await parts(own.client()))
    await eventually(
      'taken over',
      async () => (await own.committed(config.DETECT_GROUP, topics.events))[0] === events.length,
    )
    open()
    await eventually('fenced', async () => (await countsOf(asleep.metrics.transactions))['fenced'] === 1)
    assert.equal((await countsOf(asleep.metrics.recordsOut))[`${topics.alerts} 0`], undefined)
    await loop.stop()
    await heir.stop()
    assert.deepEqual(await seenOn(own), straight, point)
  }
})

test('partitions move to a second process and back without a difference', async () => {
  const reference = await filled(4)
  const expected = await runToEnd(reference)
  const log = lineLog(4)
  const records = await eventRecords(events, localSchemas())
  await append(log, topics.events, records.slice(0, 5))
  const first = await startDetector(await parts(log.client()))
  await log.idle()
  const second = await startDetector(await parts(log.client()))
  await append(log, topics.events, records.slice(5, 11))
  await log.idle()
  await first.stop()
  await append(log, topics.events, records.slice(11))
  await log.idle()
  await second.stop()
  const seen = await seenOn(log)
  // The clock of a log counts appends, so the two logs differ in detection times only.
  const timeless = ({ alerts, state, position }: Seen) => ({
    alerts: alerts.map(({ key, alert }) => ({ key, alert: { ...alert, detectedAt: 0 } })),
    state,
    position: position.map(value => value ?? 0),
  })
  assert.deepEqual(timeless(seen), timeless(expected))
})

test('poison is dead-lettered with its reason, and everything around it is judged', async () => {
  const schemas = await schemasWithEvents()
  const good = await eventRecords(events, schemas)
  const value = good[0]!.value!
  const unknown = Buffer.from(value)
  unknown.writeUInt32BE(12345, 1)
  const poison = [
    { key: 'k', value: Buffer.from('not Avro'), reason: 'bad-magic-byte' },
    { key: 'k', value: Buffer.alloc(0), reason: 'bad-magic-byte' },
    { key: 'k', value: value.subarray(0, 40), reason: 'bad-avro' },
    { key: 'k', value: Buffer.concat([value, Buffer.from([0])]), reason: 'bad-avro' },
    { key: 'k', value: unknown, reason: 'unknown-schema-id' },
    { key: null, value, reason: 'null-key' },
    { key: 'k', value: null, reason: 'null-value' },
    { key: 'somebody-else', value, reason: 'key-mismatch' },
    // An array that claims 2^31 secrets: it must not take the process with it.
    {
      key: 'k',
      value: Buffer.concat([value.subarray(0, -2), Buffer.from([0x80, 0x80, 0x80, 0x80, 0x10])]),
      reason: 'bad-avro',
    },
  ]
  const log = lineLog()
  const mixed = good.flatMap((record, index) => (poison[index] ? [record, poison[index]] : [record]))
  await append(
    log,
    topics.events,
    mixed.map(record => ({ key: record.key, value: record.value, headers: { trace: 'abc' } })),
  )
  const options = await detectorParts(log, { ...hurried, batchMaxRecords: 4 }, schemas)
  const loop = await startDetector(options)
  await log.idle()
  await loop.stop()
  const letters = await recordsOf(log, topics.rejected)
  assert.deepEqual(
    letters.map(letter => {
      const headers = textOf(letter.headers)
      return [
        letter.key === null ? null : String(letter.key),
        letter.value,
        headers['trailwarden.reason'],
        headers['trace'],
      ]
    }),
    poison.map(({ key, value: bytes, reason }) => [key, bytes, reason, 'abc']),
  )
  assert.equal(textOf(letters[0]!.headers)['__connect.errors.stage'], 'DETECT')
  assert.equal(textOf(letters[0]!.headers)['__connect.errors.offset'], '1')
  const counted = Object.values(await countsOf(options.metrics.rejected)).reduce((sum, count) => sum + count, 0)
  assert.equal(counted, poison.length)
  const seen = await seenOn(log)
  const keys = ({ alerts }: Seen) => alerts.map(({ alert }) => `${alert.dedupKey} ${alert.sequence}`)
  assert.deepEqual(keys(seen), keys(straight))
  assert.deepEqual(seen.position, [mixed.length])
})

test('a schema that is registered after its first record was refused is found', async () => {
  const log = lineLog()
  const known = localSchemas()
  const records = await eventRecords(events, await schemasWithEvents())
  await append(log, topics.events, records.slice(0, 1))
  const loop = await startDetector(await detectorParts(log, hurried, known))
  await log.idle()
  assert.equal((await recordsOf(log, topics.rejected)).length, 1)
  await known.idOf(`${topics.events}-value`, eventSchema)
  await append(log, topics.events, records.slice(1))
  await log.idle()
  await loop.stop()
  assert.equal((await recordsOf(log, topics.rejected)).length, 1)
  assert.ok((await recordsOf(log, topics.alerts)).length > 0)
})

test('a registry that is away at run time holds the partition and skips nothing', async () => {
  const schemas = await schemasWithEvents()
  let refusals = 2
  const away: SchemaSource = {
    ...schemas,
    schemaById: id => {
      if (refusals-- > 0) return Promise.reject(twError('TW_REGISTRY_UNAVAILABLE', 'nobody answers'))
      return schemas.schemaById(id)
    },
  }
  const log = await filled()
  const warned: string[] = []
  const options = await detectorParts(log, hurried, away)
  const logger = { ...options.logger, warn: (fields: object) => void warned.push((fields as { code: string }).code) }
  const loop = await startDetector({ ...options, logger })
  await eventually('a refusal', () => warned.length > 0)
  assert.deepEqual(await log.committed(config.DETECT_GROUP, topics.events), [null])
  await log.idle()
  await loop.stop()
  assert.deepEqual(warned, ['TW_REGISTRY_UNAVAILABLE', 'TW_REGISTRY_UNAVAILABLE'])
  assert.deepEqual(await seenOn(log), straight)
})

test('a stop while the registry is away commits nothing and does not wait for it', async () => {
  const schemas = await schemasWithEvents()
  const away: SchemaSource = {
    ...schemas,
    schemaById: () => Promise.reject(twError('TW_REGISTRY_UNAVAILABLE', 'nobody')),
  }
  const log = await filled()
  let warned = 0
  const options = await detectorParts(log, hurried, away)
  const loop = await startDetector({ ...options, logger: { ...options.logger, warn: () => void warned++ } })
  await eventually('a refusal', () => warned > 0)
  await loop.stop()
  assert.deepEqual(await log.committed(config.DETECT_GROUP, topics.events), [null])
})

test('it refuses to start without its topics, or where events and state have different partition counts', async () => {
  const bare = lineLog()
  const { rejected: _, ...others } = topics
  await rejectsWith('TW_TOPIC_MISSING', startDetector(await parts(bare, { topics: { ...others, rejected: 'absent' } })))
  bare.createTopic('wide', { partitions: 3 })
  const refused = startDetector(await parts(bare, { topics: { ...topics, events: 'wide' } }))
  await assert.rejects(refused, { code: 'TW_PARTITIONS_DIFFER', message: /wide has 3 partitions and .* has 1/ })
})

/** One state record of a finished run, as the changelog holds it. */
async function stateRecord(log: InProcessLog) {
  const record = (await recordsOf(log, topics.state)).find(({ key }) => key![0] !== 0)!
  return { key: record.key!, value: record.value! }
}

test('state of a newer version, or state that cannot be read, ends the loop before anything is judged', async () => {
  const written = await filled()
  await runToEnd(written)
  const { key, value } = await stateRecord(written)
  const schemas = await schemasWithEvents()
  const id = await schemas.idOf('', stateSchema)
  const decoder = new Decoder<Record<string, unknown>>(stateSchema)
  decoder.learn(id, stateSchema)
  const newer = new Encoder<object>(stateSchema).encode({ ...(decoder.decode(value) as object), version: 99 }, id)
  const unknown = Buffer.from(value)
  unknown.writeUInt32BE(12345, 1)
  for (const [bytes, said] of [
    [newer, /newer version/],
    [value.subarray(0, 20), /cannot be read/],
    [unknown, /cannot be read/],
  ] as const) {
    const log = await filled()
    await append(log, topics.state, [{ key, value: bytes, partition: 0 }])
    const loop = await startDetector(await parts(log))
    await assert.rejects(loop.done, { code: 'TW_STATE_INVALID', message: said })
    await loop.stop()
    assert.deepEqual(await recordsOf(log, topics.alerts), [])
    assert.deepEqual(await log.committed(config.DETECT_GROUP, topics.events), [null])
  }
})

test('a group position that somebody moved is said and not believed: the state knows where it stands', async () => {
  const log = await filled()
  await runToEnd(log)
  const producer = await log.transactionalProducer('by-hand')
  const transaction = await producer.begin()
  await transaction.sendOffsets(config.DETECT_GROUP, topics.events, new Map([[0, 2]]))
  await transaction.commit()
  const warned: object[] = []
  const options = await parts(log)
  const logger = { ...options.logger, warn: (fields: object) => void warned.push(fields) }
  const loop = await startDetector({ ...options, logger })
  await eventually('opened', () => loop.ready())
  await log.idle()
  await loop.stop()
  assert.deepEqual(warned, [{ partition: 0, stored: events.length, committed: 2 }])
  assert.deepEqual((await seenOn(log)).alerts, straight.alerts)
})

test('series of a partition end when another member takes it over, and the state of an opened one is measured', async () => {
  const log = await filled(4)
  const [one, other] = [await parts(log.client()), await parts(log.client())]
  const first = await startDetector(one)
  await log.idle()
  const partitionsIn = async ({ metrics }: DetectorOptions, name: string) =>
    Object.keys(await seriesOf(metrics, name))
      .map(labels => Number(/partition="(\d+)"/.exec(labels)?.[1]))
      .sort((a, b) => a - b)
  const perPartition = ['lag_records', 'lag_seconds', 'state_entries', 'state_bytes'].map(name => `trailwarden_${name}`)
  const owned = (loop: { positions(): ReadonlyMap<number, unknown> }) =>
    [...loop.positions().keys()].sort((a, b) => a - b)
  assert.deepEqual(owned(first), [0, 1, 2, 3])
  assert.deepEqual(await partitionsIn(one, 'trailwarden_state_bytes'), [0, 1, 2, 3])
  const bytes = async (options: DetectorOptions) =>
    Object.values(await seriesOf(options.metrics, 'trailwarden_state_bytes')).reduce((sum, size) => sum + size, 0)
  const before = await bytes(one)
  assert.ok(before > 0)

  const second = await startDetector(other)
  await log.idle()
  assert.equal(owned(first).length + owned(second).length, 4)
  assert.ok(owned(first).length > 0 && owned(second).length > 0)
  for (const name of perPartition.slice(2)) {
    assert.deepEqual(await partitionsIn(one, name), owned(first), name)
    assert.deepEqual(await partitionsIn(other, name), owned(second), name)
  }
  for (const name of [...perPartition, 'trailwarden_records_in_total', 'trailwarden_denied_per_second'])
    for (const partition of await partitionsIn(one, name)) assert.ok(owned(first).includes(partition), name)
  assert.equal((await bytes(one)) + (await bytes(other)), before, 'what one loses the other restores')
  assert.deepEqual(await seriesOf(other.metrics, 'trailwarden_restore_progress_ratio'), {}, 'nothing is being opened')
  const { 'result="completed"': restores } = await seriesOf(other.metrics, 'trailwarden_restores_total')
  assert.equal(restores, owned(second).length)
  await Promise.all([first.stop(), second.stop()])
})

test('what is counted is what was committed', async () => {
  const log = await filled()
  const options = await parts(log)
  const loop = await startDetector(options)
  await log.idle()
  const { metrics } = options
  const transactions = Math.ceil(events.length / 3)
  assert.deepEqual(await countsOf(metrics.transactions), { committed: transactions })
  assert.deepEqual(await countsOf(metrics.recordsIn), { [`${topics.events} 0`]: events.length })
  assert.equal((await countsOf(metrics.recordsOut))[`${topics.alerts} 0`], straight.alerts.length)
  assert.equal((await metrics.duplicates.get()).values[0]?.value, 2)
  assert.deepEqual(
    (await metrics.stateEntries.get()).values.map(({ value }) => value),
    [2],
  )
  const ages = await seriesOf(metrics, 'trailwarden_event_age_seconds_count')
  assert.deepEqual(ages, { '': events.length })
  assert.deepEqual(await seriesOf(metrics, 'trailwarden_transaction_duration_seconds_count'), { '': transactions })
  const size = await seriesOf(metrics, 'trailwarden_state_bytes')
  const written = (await recordsOf(log, topics.state)).filter(({ key }) => key![0] !== 0)
  const newest = new Map(written.map(({ key, value }) => [String(key), value?.length ?? 0]))
  assert.deepEqual(Object.values(size), [[...newest.values()].reduce((sum, length) => sum + length, 0)])
  const alerts = (await metrics.alerts.get()).values.reduce((sum, { value }) => sum + value, 0)
  assert.equal(alerts, straight.alerts.length)
  await loop.stop()
})
