// `trailwarden check` and `explain` on a real broker and registry: topics missing, applied and unequal; an attack on the
// events topic explained from there, and live from alert, state and events.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { demoLines, demoScenario } from '../../src/commands/demo-scenario.ts'
import { jsonLines } from '../harness/command-line.ts'
import { eventually, lineOn, workedOff } from '../harness/line.ts'
import { describeOnKafka } from '../harness/suite.ts'

await describeOnKafka('check and explain on Kafka', kafka => {
  test('what is missing is named, what is applied is good, a differing partition count is refused', async t => {
    const line = await lineOn(kafka, t)
    const good = await line.run(['check'])
    assert.equal(good.code, 0, good.stdout + good.stderr)
    assert.match(good.stdout, /^cluster +127\.0\.0\.1:\d+.* and http:/m)
    assert.match(good.stdout, /^All good\.$/m)

    const elsewhere = { EVENTS_TOPIC: `${line.topics.events}.other`, RAW_TOPIC: `${line.topics.raw}.other` }
    const missing = await line.run(['check'], elsewhere)
    assert.equal(missing.code, 1)
    assert.match(
      missing.stdout,
      /^- `trailwarden topics apply` would create topic \S+\.events\.other with \d+ partitions\.$/m,
    )
    assert.match(missing.stdout, /^note: Topic \S+\.raw\.other does not exist/m)

    const more = await line.run(['topics', 'apply'], { ...elsewhere, TOPIC_PARTITIONS: '7' })
    assert.match(more.stdout, /create topic \S+\.events\.other/)
    const differing = await line.run(['check'], { ...elsewhere, TOPIC_PARTITIONS: '7' })
    assert.equal(differing.code, 1)
    assert.match(differing.stdout, /^- Topic \S+ has 4 partitions and \S+\.events\.other 7: detect will not start/m)
  })

  test('explain reads the events topic as it reads files', async t => {
    const line = await lineOn(kafka, t)
    const folder = await mkdtemp(join(tmpdir(), 'tw-explain-'))
    try {
      const trail = join(folder, 'demo.jsonl')
      await writeFile(trail, demoLines())
      const normalized = await line.run(['normalize', trail])
      assert.equal(normalized.code, 0, normalized.stderr)
      const question = ['--principal', demoScenario().attacker, '--rule', 'secretsmanager-multi-region', '--json']
      const topic = await line.run(['explain', ...question, '--input', line.topics.events])
      const file = await line.run(['explain', ...question, '--input', trail])
      assert.equal(topic.code, 0, topic.stderr)
      assert.match(topic.stdout, /"kind":"verdict".*"fired":true/)
      assert.equal(topic.stdout, file.stdout)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('explain asks the cluster for the alert, the state and the events, with a dedup key or a principal alone', async t => {
    const line = await lineOn(kafka, t)
    await line.produceRaw(demoScenario().values)
    const running = [line.start(['normalize']), line.start(['detect'])]
    for (const [group, topic] of [
      ['NORMALIZE_GROUP', line.topics.raw],
      ['DETECT_GROUP', line.topics.events],
    ] as const)
      await eventually(
        async () => workedOff(line.log, line.env[group]!, topic),
        () => running.map(cli => cli.seen()).join(),
      )
    for (const { child } of running) child.kill('SIGTERM')
    await Promise.all(running.map(({ finished }) => finished))
    const keys = (await line.readAll(line.topics.alerts)).map(({ headers }) => String(headers['trailwarden-dedup-key']))
    const key = keys.find(one => one.startsWith('secretsmanager-multi-region:'))!

    const fired = await line.run(['explain', key])
    assert.equal(fired.code, 0, fired.stderr)
    assert.match(
      fired.stderr,
      /^Asking 127\.0\.0\.1:\d+.*; with --input <paths…> events come from files or a topic\.$/m,
    )
    assert.match(fired.stdout, /^alerts .*: CREATE(, UPDATE \d)*$/m)
    assert.match(fired.stdout, /^state .*: newest event 2026-01-15 09:24:01 UTC, /m)
    assert.match(fired.stdout, /5 of 5 different regions +new/)
    assert.match(fired.stdout, /It fired: 1 episode/)

    const principal = '111122223333/user/AIDADEMOCONTRACTOR01'
    const not = await line.run(['explain', '--principal', principal, '--rule', 'secretsmanager-multi-region', '--json'])
    assert.equal(not.code, 0, not.stderr)
    const kinds = jsonLines(not.stdout).map(({ kind }) => kind)
    assert.deepEqual([...new Set(kinds)], ['events', 'state', 'step', 'verdict'])
    assert.match(not.stdout, /"kind":"verdict".*"fired":false/)
    assert.deepEqual(await line.log.committed(line.env['DETECT_GROUP']!, line.topics.alerts), [null, null, null, null])
  })
})
