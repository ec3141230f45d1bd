// Poison on the events topic, every kind of it, one record in a hundred: each becomes one dead letter with its reason
// and its bytes, inside the transaction of its batch, and no partition stops.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import { proxyOf } from '../chaos/broker-proxy.ts'
import { chaosInput, poisonHeader } from '../chaos/input.ts'
import { straightRun } from '../chaos/oracle.ts'
import { poisonKinds, topicConfigForPoison } from '../chaos/poison.ts'
import { schemaIds } from '../chaos/schema-ids.ts'
import { eventually, lineOn, metric, workedOff } from '../harness/line.ts'
import type { Line } from '../harness/line.ts'
import { assertSameOutcome, outcomeOf } from '../harness/outcome.ts'
import { Random } from '../harness/simulator.ts'
import { describeOnKafka } from '../harness/suite.ts'

const reasonOfKind = new Map<string, string>(poisonKinds.map(([kind, reason]) => [kind, reason]))
const options = { topicConfig: { events: topicConfigForPoison } }

async function appendEvents(line: Line, records: ReturnType<typeof chaosInput>): Promise<void> {
  const producer = await line.log.producer()
  await producer.send([{ topic: line.topics.events, records }])
  await producer.close()
}

const done = (line: Line) =>
  eventually(
    () => workedOff(line.log, line.env['DETECT_GROUP']!, line.topics.events),
    () => 'the detector did not reach the end',
  )

await describeOnKafka('poison on the events topic', kafka => {
  test('every kind, one record in a hundred: counts reconcile and no partition stops', async t => {
    const line = await lineOn(kafka, t, options)
    const input = chaosInput(new Random(5), 3000, await schemaIds(line))
    const poison = input.filter(({ headers }) => headers !== undefined)
    assert.deepEqual(new Set(poison.map(({ headers }) => headers![poisonHeader])), new Set(reasonOfKind.keys()))
    await appendEvents(line, input)

    const detector = line.start(['detect'])
    const port = await detector.port()
    await done(line)
    assert.equal(await metric(port, 'trailwarden_records_in_total'), input.length)
    assert.equal(await metric(port, 'trailwarden_rejected_total'), poison.length)
    for (const reason of new Set(reasonOfKind.values())) {
      const expected = poison.filter(({ headers }) => reasonOfKind.get(String(headers![poisonHeader])) === reason)
      assert.equal(await metric(port, 'trailwarden_rejected_total', { reason }), expected.length, reason)
    }
    detector.child.kill('SIGTERM')
    const { code, stderr } = await detector.finished
    assert.equal(code, 0, stderr)
    assert.doesNotMatch(stderr, /TW_/, 'it went through at the first attempt')

    const letters = await line.readAll(line.topics.rejected)
    const content = (key: unknown, value: Buffer | null, kind: unknown) =>
      `${String(kind)} ${String(key)} ${value === null ? 'null' : value.toString('base64')}`
    assert.deepEqual(
      letters.map(({ key, value, headers }) => content(key, value, headers[poisonHeader])).sort(),
      poison.map(({ key, value, headers }) => content(key, value, headers![poisonHeader])).sort(),
      'bytes and keys are untouched',
    )
    for (const { headers } of letters)
      assert.equal(String(headers['trailwarden.reason']), reasonOfKind.get(String(headers[poisonHeader])))
    const straight = await straightRun(line)
    assertSameOutcome(
      await outcomeOf({ log: line.log, group: line.env['DETECT_GROUP']!, topics: line.topics }),
      straight,
    )
    assert.ok(straight.alerts.flat().length > 100, 'the good records around the poison gave their alerts')
    const replayed = await line.run(['replay', '--json', line.topics.events])
    assert.match(
      replayed.stderr,
      new RegExp(`${input.length - poison.length} events from \\S+; ${poison.length} rejected`),
    )
  })

  test('dead letters are inside the transaction: nobody sees them before it commits, and once after a crash', async t => {
    const line = await lineOn(kafka, t, options)
    const proxy = await proxyOf(kafka.brokers)
    t.after(() => proxy.close())
    const input = chaosInput(new Random(6), 3000, await schemaIds(line))
    // All in one partition, so that there is one transaction to look at.
    const poison = input.filter(({ headers, value }) => headers !== undefined && (value?.length ?? 0) < 1_000_000)
    await appendEvents(
      line,
      poison.map(record => ({ ...record, partition: 0 })),
    )

    proxy.lose('held')
    const first = line.start(['detect'], { KAFKA_BROKERS: proxy.brokers.join(',') })
    await eventually(
      () => Promise.resolve(proxy.lost.held === 1),
      () => `no commit was attempted:\n${first.seen()}`,
    )
    const written = await readUncommitted(kafka.brokers, line.topics.rejected)
    assert.ok(written > 0, 'the dead letters are written')
    assert.deepEqual(await line.readAll(line.topics.rejected), [], 'and not visible')
    assert.equal((await line.log.committed(line.env['DETECT_GROUP']!, line.topics.events))[0], null)
    first.child.kill('SIGKILL')
    await first.finished

    const second = line.start(['detect'])
    await done(line)
    const letters = await line.readAll(line.topics.rejected)
    const offsets = letters.map(({ headers }) => Number(headers['__connect.errors.offset'])).sort((a, b) => a - b)
    assert.deepEqual(offsets, [...poison.keys()], 'each once')
    assert.ok((await readUncommitted(kafka.brokers, line.topics.rejected)) >= written + poison.length)
    second.child.kill('SIGTERM')
    assert.equal((await second.finished).code, 0)
  })
})

/** How many records a topic holds, those of open and aborted transactions included. */
async function readUncommitted(brokers: readonly string[], topic: string): Promise<number> {
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'poison-test',
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const consumer = kafka.consumer({ groupId: `${topic}-${Date.now()}`, readUncommitted: true })
  const seen = new Set<string>()
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ partition, message }) => void seen.add(`${partition}/${message.offset}`),
  })
  // Until nothing new has come for two seconds.
  for (let before = -1; seen.size > before || seen.size === 0;) {
    before = seen.size
    await new Promise(resolve => setTimeout(resolve, 2000))
  }
  await consumer.disconnect()
  return seen.size
}
