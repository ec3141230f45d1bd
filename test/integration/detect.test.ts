// The whole line on a real broker: raw CloudTrail in, alerts out, through the processes a user runs; a restart goes on
// where the last transaction ended, and bad records on the events topic never stop a partition.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Alert } from '../../src/alerts/alert.ts'
import { demoLines, demoScenario } from '../../src/commands/demo-scenario.ts'
import { alertsOf, eventually, lineOn, metric, workedOff } from '../harness/line.ts'
import type { Line } from '../harness/line.ts'
import { describeOnKafka } from '../harness/suite.ts'

const workedOffBy = (line: Line, group: 'NORMALIZE_GROUP' | 'DETECT_GROUP', topic: string) =>
  eventually(
    () => workedOff(line.log, line.env[group]!, topic),
    async () =>
      `${group}: ${JSON.stringify([await line.log.offsets(topic), await line.log.committed(line.env[group]!, topic)])}`,
    90_000,
  )

await describeOnKafka('the line on Kafka', kafka => {
  test('an attack through normalize and detect gives the alerts that replay gives', async t => {
    const line = await lineOn(kafka, t)
    await line.produceRaw(demoScenario().values.map(({ key, value }) => ({ key, value })))
    const normalizer = line.start(['normalize'])
    await workedOffBy(line, 'NORMALIZE_GROUP', line.topics.raw)
    const detector = line.start(['detect'])
    const port = await detector.port()
    await workedOffBy(line, 'DETECT_GROUP', line.topics.events)

    const alerts = await alertsOf(line)
    const ours = alerts.filter(({ alert }) => alert.ruleId === 'secretsmanager-multi-region')
    const creates = ours.filter(({ alert }) => alert.activity === 'CREATE')
    assert.equal(creates.length, 1)
    const last = ours.at(-1)!.alert
    assert.equal(last.regions.length, 7)
    assert.equal(last.sessionNames.length, 2)
    assert.equal(last.principal.key, demoScenario().attacker)
    const [{ headers }] = creates as [(typeof creates)[number]]
    assert.equal(headers['trailwarden-dedup-key'], creates[0]!.alert.dedupKey)
    assert.equal(headers['ce_specversion'], '1.0')
    assert.equal(headers['content-type'], 'application/avro')
    assert.equal(await metric(port, 'trailwarden_alerts_total'), alerts.length)
    assert.ok((await metric(port, 'trailwarden_transactions_total', { result: 'committed' })) > 0)

    // The same scenario from a file, ordered by event time: the same principals and rules, one episode each.
    const folder = mkdtempSync(join(tmpdir(), 'trailwarden-test-'))
    writeFileSync(join(folder, 'demo.jsonl'), demoLines())
    const replayed = await line.run(['replay', '--json', join(folder, 'demo.jsonl')])
    rmSync(folder, { recursive: true })
    const episodes = (list: readonly Pick<Alert, 'ruleId' | 'principal' | 'activity'>[]) =>
      list
        .filter(alert => alert.activity === 'CREATE')
        .map(alert => `${alert.ruleId} ${alert.principal.key}`)
        .sort()
    const fromFile = replayed.stdout
      .trim()
      .split('\n')
      .map(text => JSON.parse(text) as Alert)
    assert.deepEqual(episodes(alerts.map(({ alert }) => alert)), episodes(fromFile))

    // And from the topic itself.
    const fromTopic = await line.run(['replay', '--json', line.topics.events])
    assert.equal(fromTopic.code, 0, fromTopic.stderr)
    assert.equal(fromTopic.stdout, replayed.stdout)

    for (const running of [normalizer, detector]) running.child.kill('SIGTERM')
    for (const running of [normalizer, detector]) assert.equal((await running.finished).code, 0)
  })

  test('a second start adds nothing; half of an attack before and half after a kill -9 is one episode', async t => {
    const line = await lineOn(kafka, t)
    const attack = demoLines()
      .split('\n')
      .filter(text => text.includes('BatchGetSecretValue'))
      .map(text => ({ key: null, value: Buffer.from(text) }))
    const normalizer = line.start(['normalize'])
    await line.produceRaw(attack.slice(0, 6))
    await workedOffBy(line, 'NORMALIZE_GROUP', line.topics.raw)
    const first = line.start(['detect'])
    await workedOffBy(line, 'DETECT_GROUP', line.topics.events)
    first.child.kill('SIGKILL')
    await first.finished
    await line.produceRaw(attack.slice(6))
    await workedOffBy(line, 'NORMALIZE_GROUP', line.topics.raw)
    const second = line.start(['detect'])
    await workedOffBy(line, 'DETECT_GROUP', line.topics.events)
    const before = await alertsOf(line)
    const multiRegion = before.filter(({ alert }) => alert.ruleId === 'secretsmanager-multi-region')
    assert.equal(multiRegion.filter(({ alert }) => alert.activity === 'CREATE').length, 1)
    assert.equal(multiRegion.at(-1)!.alert.regions.length, 7, 'regions seen before the kill are still known')
    second.child.kill('SIGTERM')
    assert.equal((await second.finished).code, 0)

    const third = line.start(['detect'])
    const port = await third.port()
    await eventually(
      async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200,
      () => 'not ready',
    )
    assert.equal((await alertsOf(line)).length, before.length)
    for (const running of [normalizer, third]) running.child.kill('SIGTERM')
    await Promise.all([normalizer.finished, third.finished])
  })

  test('records that cannot be read become dead letters with their reason, and the partition goes on', async t => {
    const line = await lineOn(kafka, t)
    await line.produceRaw([{ key: null, value: Buffer.from(demoLines().split('\n')[0]!) }])
    const normalizer = line.start(['normalize'])
    await workedOffBy(line, 'NORMALIZE_GROUP', line.topics.raw)
    const [good] = await line.readAll(line.topics.events)
    const producer = await line.log.producer()
    const poison = [
      { key: null, value: good!.value, partition: 0 },
      { key: 'null', value: null, partition: 0 },
      { key: 'magic', value: Buffer.from('{"eventName":"x"}'), partition: 0 },
      { key: 'id', value: Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xfe]), Buffer.from('abc')]), partition: 0 },
      { key: 'short', value: good!.value!.subarray(0, 12), partition: 0 },
      { key: 'somebody-else', value: good!.value, partition: 0 },
    ]
    await producer.send([{ topic: line.topics.events, records: poison }])
    await producer.close()
    const detector = line.start(['detect'])
    const port = await detector.port()
    await workedOffBy(line, 'DETECT_GROUP', line.topics.events)
    const letters = await line.readAll(line.topics.rejected)
    const reasons = letters.map(({ headers }) => headers['trailwarden.reason']?.toString()).sort()
    assert.deepEqual(reasons, [
      'bad-avro',
      'bad-magic-byte',
      'key-mismatch',
      'null-key',
      'null-value',
      'unknown-schema-id',
    ])
    assert.equal(await metric(port, 'trailwarden_rejected_total'), poison.length)
    for (const running of [normalizer, detector]) running.child.kill('SIGTERM')
    await Promise.all([normalizer.finished, detector.finished])
  })

  test('partition counts that differ are refused at the start with what to do', async t => {
    const line = await lineOn(kafka, t)
    const other = await line.run(['topics', 'apply'], { STATE_TOPIC: `${line.topics.state}-3`, TOPIC_PARTITIONS: '3' })
    assert.equal(other.code, 1, 'the existing topics have 4 partitions, which apply reports')
    const refused = await line.run(['detect'], { STATE_TOPIC: `${line.topics.state}-3` })
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /TW_PARTITIONS_DIFFER/)
  })
})
