// `trailwarden normalize` on a real broker: every envelope mixed with garbage, counts that reconcile, and a kill -9 that
// loses nothing.
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { demoScenario } from '../../src/commands/demo-scenario.ts'
import { eventDecoder } from '../../src/codecs/cloudtrail-event.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import type { LogRecord, OutRecord } from '../../src/log/log-client.ts'
import { topicContract } from '../../src/topics.ts'
import { eventually, lineOn, metric, workedOff } from '../harness/line.ts'
import type { CliProcess, Line } from '../harness/line.ts'
import { describeOnKafka } from '../harness/suite.ts'

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'envelopes')

function bare(id: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      eventVersion: '1.11',
      eventTime: '2026-01-15T09:00:00Z',
      eventSource: 'secretsmanager.amazonaws.com',
      eventName: 'GetSecretValue',
      awsRegion: 'us-east-1',
      eventID: id,
      recipientAccountId: '111122223333',
      userIdentity: { type: 'IAMUser', accountId: '111122223333', principalId: 'AIDAEXAMPLE', userName: 'someone' },
    }),
  )
}

function decoded(records: readonly LogRecord[]): CloudTrailEvent[] {
  const schema = topicContract('EVENTS_TOPIC').schema!
  const decoder = eventDecoder(schema)
  return records.map(record => {
    let event = decoder.decode(record.value!)
    if ('unknownSchema' in event) {
      decoder.learn(event.unknownSchema, schema)
      event = decoder.decode(record.value!)
    }
    assert.ok('eventName' in event, JSON.stringify(event))
    assert.equal(record.key?.toString(), event.principal.key)
    return event
  })
}

async function drained(line: Line, running: CliProcess): Promise<void> {
  await eventually(
    () => workedOff(line.log, line.env['NORMALIZE_GROUP']!, line.topics.raw),
    async () =>
      `${JSON.stringify([await line.log.offsets(line.topics.raw), await line.log.committed(line.env['NORMALIZE_GROUP']!, line.topics.raw)])} ${running.seen()}`,
    90_000,
  )
}

await describeOnKafka('normalize on Kafka', kafka => {
  test('all envelopes and garbage: records found = events + skipped + rejected, dead letters are untouched', async t => {
    const line = await lineOn(kafka, t)
    const scenario = demoScenario()
    const garbage: OutRecord[] = [
      { key: 'k', value: null },
      { key: null, value: Buffer.alloc(0) },
      { key: 'bin', value: randomBytes(2000) },
      { key: 'gz', value: Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]) },
      { key: 'deep', value: Buffer.from('['.repeat(100_000)) },
      { key: 'type', value: Buffer.from('{"eventName":5,"eventTime":true,"eventSource":[]}') },
    ]
    const files = readdirSync(fixtures).map(name => ({ key: name, value: readFileSync(join(fixtures, name)) }))
    await line.produceRaw([...scenario.values, ...garbage, ...files])

    const running = line.start(['normalize'])
    const port = await running.port()
    await drained(line, running)
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`)
    assert.equal(ready.status, 200)

    const events = await metric(port, 'trailwarden_envelopes_total')
    const skipped = await metric(port, 'trailwarden_skipped_total')
    const rejected = await metric(port, 'trailwarden_rejected_total')
    const eventsOut = await line.readAll(line.topics.events)
    const deadLetters = await line.readAll(line.topics.rejected)
    const members = deadLetters.reduce((sum, { headers }) => sum + Number(headers['trailwarden.rejected-records']), 0)

    assert.equal(
      await metric(port, 'trailwarden_records_in_total'),
      scenario.values.length + garbage.length + files.length,
    )
    assert.equal(eventsOut.length, events, 'every event counted is on the topic, once')
    assert.equal(members, rejected, 'every refusal counted is in a dead letter')
    assert.equal(await metric(port, 'trailwarden_records_out_total', { topic: line.topics.events }), eventsOut.length)
    // What went in is known for the scenario and the garbage; the fixtures are counted by running them through files.
    const fromFiles = await line.run([
      'normalize',
      '--json',
      fixtures,
      ...named(files.map(file => join(fixtures, file.key))),
    ])
    const [, fileEvents, fileSkipped, fileRejected] =
      /(\d+) events from .*; (\d+) skipped.*, (\d+) rejected/.exec(fromFiles.stderr) ?? assert.fail(fromFiles.stderr)
    assert.equal(events, scenario.records + Number(fileEvents))
    assert.equal(skipped, 2 + Number(fileSkipped))
    assert.equal(rejected, 2 + garbage.length + Number(fileRejected))

    for (const { value: sent, key } of garbage) {
      const letter = deadLetters.find(({ key: k, value }) =>
        key === null ? k === null && value?.length === 0 : k?.toString() === key,
      )
      assert.ok(letter, `no dead letter for ${String(key)}`)
      assert.deepEqual(letter.value, sent)
      assert.equal(letter.headers['__connect.errors.topic']?.toString(), line.topics.raw)
      assert.match(letter.headers['__connect.errors.offset']?.toString() ?? '', /^\d+$/)
      assert.ok(letter.headers['trailwarden.reason'])
    }
    assert.ok(decoded(eventsOut).every(event => event.eventTime > 0))

    running.child.kill('SIGTERM')
    const { code, stderr } = await running.finished
    assert.equal(code, 0, stderr)
  })

  test('kill -9 in the middle and a restart lose nothing', async t => {
    const line = await lineOn(kafka, t)
    const ids = Array.from({ length: 20_000 }, (_, index) => `id-${index}`)
    await line.produceRaw(ids.map(id => ({ key: id, value: bare(id) })))
    const small = { BATCH_MAX_RECORDS: '200' }
    let kills = 0
    for (let round = 0; round < 3; round++) {
      const running = line.start(['normalize'], small)
      const port = await running.port()
      const before = await done(line)
      await eventually(
        async () => (await metric(port, 'trailwarden_records_in_total').catch(() => 0)) > 0,
        () => 'nothing was read',
      )
      await sleep(30)
      if (before < ids.length && running.child.kill('SIGKILL')) kills++
      await running.finished
    }
    assert.equal(kills, 3)
    const last = line.start(['normalize'])
    await drained(line, last)
    const seen = new Set(decoded(await line.readAll(line.topics.events)).map(event => event.eventId))
    assert.equal(seen.size, ids.length)
    assert.equal((await line.readAll(line.topics.rejected)).length, 0)
    last.child.kill('SIGTERM')
    assert.equal((await last.finished).code, 0)
  })

  test('files go to the topic; an unregistered schema and a missing topic are clear errors', async t => {
    const line = await lineOn(kafka, t)
    const { code, stderr } = await line.run([
      'normalize',
      join(fixtures, 'record.json'),
      join(fixtures, 'records-array.json'),
    ])
    assert.equal(code, 0, stderr)
    assert.ok((await line.readAll(line.topics.events)).length > 1)
    const unknown = await line.run(['normalize'], { EVENTS_TOPIC: `${line.topics.events}-nowhere` })
    assert.equal(unknown.code, 2)
    assert.match(unknown.stderr, /TW_SCHEMA_NOT_REGISTERED.*topics apply/)
  })
})

async function done(line: Line): Promise<number> {
  const committed = await line.log.committed(line.env['NORMALIZE_GROUP']!, line.topics.raw)
  return committed.reduce<number>((sum, offset) => sum + (offset ?? 0), 0)
}

/** Files whose names a folder scan passes over, named one by one. */
function named(paths: readonly string[]): string[] {
  return paths.filter(path => !/\.(json|jsonl|ndjson|log|gz)$/i.test(path))
}
