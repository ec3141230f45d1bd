// The procedures of docs/operations.md on a real broker, with the commands as the page has them: a second line beside the
// first with more partitions, starting over with and without the past, and files in order of time.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { eventDecoder } from '../../src/codecs/cloudtrail-event.ts'
import { demoLines, demoScenario } from '../../src/commands/demo-scenario.ts'
import { topicContract } from '../../src/topics.ts'
import { ClusterSession } from '../harness/documentation-run.ts'
import { commandsOn, root } from '../harness/documentation.ts'
import { alertsOf, eventually, lineOn, workedOff } from '../harness/line.ts'
import type { CliProcess, Line } from '../harness/line.ts'
import { describeOnKafka } from '../harness/suite.ts'

const page = 'docs/operations.md'
const text = readFileSync(join(root, page), 'utf8')
const commands = commandsOn(page).map(command => command.text)
const rule = 'secretsmanager-multi-region'
const attack = demoLines()
  .split('\n')
  .filter(line => line.includes('BatchGetSecretValue') && line.includes('AROADEMOATTACKER00001'))
const values = (lines: readonly string[]) => lines.map(line => ({ key: null, value: Buffer.from(line) }))

/** The one command of the page that begins so. */
function command(beginning: string): string {
  const found = commands.filter(each => each.startsWith(beginning))
  assert.equal(found.length, 1, `${beginning}: ${found.join('; ')}`)
  return found[0]!
}

/** The names of the page as names of this line: the topics that the page calls by their defaults are its own. */
function named(of: string, line: Line, prefix: string): string {
  return of
    .replaceAll(topicContract('ALERTS_TOPIC').name, line.topics.alerts)
    .replaceAll('cloudtrail.', `${prefix}.`)
    .replaceAll(/trailwarden-(?=normalize|detect)/g, `${prefix}-`)
}

/** A folder with `trailwarden` on its path, where commands of the page run one after the other. */
function place(
  t: TestContext,
  env: Readonly<Record<string, string>>,
): { readonly folder: string; readonly session: () => ClusterSession } {
  const folder = mkdtempSync(join(tmpdir(), 'trailwarden-operations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  symlinkSync(join(root, 'bin', 'trailwarden.mjs'), join(bin, 'trailwarden'))
  const session = () => {
    const begun = new ClusterSession({ folder, path: `${dirname(process.execPath)}:${bin}`, env })
    t.after(() => begun.stop())
    return begun
  }
  return { folder, session }
}

const toEnd = async (session: ClusterSession, line: string) => {
  const { code, stdout, stderr } = await session.run(line, { kind: 'cluster' })
  assert.equal(code, 0, `${line}\n${stdout}\n${stderr}`)
}
const running = (session: ClusterSession, line: string) => session.run(line, { kind: 'cluster', until: 'ready' })

const soon = (line: Line, group: string, topic: string) =>
  eventually(
    () => workedOff(line.log, group, topic),
    () => `${group} has not worked off ${topic}`,
    90_000,
  )

async function stopped(...processes: readonly CliProcess[]): Promise<void> {
  for (const { child } of processes) child.kill('SIGTERM')
  for (const { finished } of processes) assert.equal((await finished).code, 0)
}

/** Activities and dedup keys of the attack on a topic of alerts. */
async function told(
  line: Line,
  alerts = line.topics.alerts,
): Promise<{ readonly activity: string; readonly key: string }[]> {
  const all = await alertsOf({ ...line, topics: { ...line.topics, alerts } })
  return all
    .filter(({ alert }) => alert.ruleId === rule)
    .map(({ alert }) => ({ activity: alert.activity, key: alert.dedupKey }))
}

await describeOnKafka('operations', kafka => {
  test('a second line with more partitions takes over in the middle of an attack, and nothing is missing', async t => {
    const line = await lineOn(kafka, t)
    const first = { normalize: line.start(['normalize']), detect: line.start(['detect']) }
    // Four regions of five: the first line has told nobody yet, and the second must know them.
    const regions = new Set<string>()
    const before = attack.filter(record => {
      const { awsRegion } = JSON.parse(record) as { awsRegion: string }
      return regions.size < 4 ? regions.add(awsRegion) : false
    })
    await line.produceRaw(values(before))
    await soon(line, line.env['NORMALIZE_GROUP']!, line.topics.raw)
    await soon(line, line.env['DETECT_GROUP']!, line.topics.events)
    assert.deepEqual(await told(line), [])

    const prefix = line.topics.raw.replace('.raw', 'b')
    const settings = named(/^```yaml\n(EVENTS_TOPIC: [^]*?)^```$/m.exec(text)?.[1] ?? '', line, prefix)
    const both = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'RAW_TOPIC', 'SESSION_TIMEOUT_MS', 'HTTP_PORT']
    const { folder, session } = place(t, Object.fromEntries(both.map(name => [name, line.env[name]!])))
    writeFileSync(join(folder, 'second.yaml'), settings)
    const [normalizing, rehearsing, taking] = [session(), session(), session()]
    const says = (beginning: string) => named(command(beginning), line, prefix)
    await toEnd(normalizing, says('trailwarden topics apply --config second.yaml'))
    await running(normalizing, says('trailwarden normalize --config second.yaml'))
    const rehearsal = 'trailwarden detect --config second.yaml'
    assert.ok(commands.includes(rehearsal))
    await running(rehearsing, named(rehearsal, line, prefix))
    const events = `${prefix}.events.b`
    const [normalizeGroup, detectGroup] = [`${prefix}-normalize-b`, `${prefix}-detect-b`]
    await soon(line, normalizeGroup, line.topics.raw)
    await soon(line, detectGroup, events)
    assert.equal(await line.log.partitions(events), 12)
    assert.equal((await line.readAll(events)).length, before.length, 'it reads the raw topic from its beginning')
    assert.deepEqual([...(await rehearsing.stop()).values()], [0])

    await running(taking, says('trailwarden detect --config second.yaml --alerts-topic'))
    await stopped(first.normalize)
    await soon(line, line.env['DETECT_GROUP']!, line.topics.events)
    await stopped(first.detect)
    await line.produceRaw(values(attack.slice(before.length)))
    await soon(line, normalizeGroup, line.topics.raw)
    await soon(line, detectGroup, events)
    const alerts = await told(line)
    assert.equal(alerts.filter(({ activity }) => activity === 'CREATE').length, 1, JSON.stringify(alerts))
    const { alert } = (await alertsOf(line)).findLast(each => each.alert.ruleId === rule)!
    assert.equal(alert.regions.length, 7, 'regions that only the second line has brought over are known')
    assert.deepEqual(await told(line, `${prefix}.alerts.b`), [])
  })

  test('starting over: from where the group stands without the past, or all of it again under the same keys', async t => {
    const line = await lineOn(kafka, t)
    const normalizer = line.start(['normalize'])
    await line.produceRaw(values(attack))
    await soon(line, line.env['NORMALIZE_GROUP']!, line.topics.raw)
    const detector = line.start(['detect'])
    await soon(line, line.env['DETECT_GROUP']!, line.topics.events)
    await stopped(detector, normalizer)
    const once = await told(line)
    assert.equal(once[0]?.activity, 'CREATE')

    const { session } = place(t, line.env)
    const [apply, plain, again] = ['topics apply --state-topic', 'detect --state-topic', 'detect --state-topic'].map(
      (beginning, index) => {
        const found = commands.filter(each => each.startsWith(`trailwarden ${beginning}`))
        assert.equal(found.length, beginning.startsWith('topics') ? 1 : 2)
        return found[index === 2 ? 1 : 0]!
      },
    )
    const prefix = line.topics.raw.replace('.raw', 'c')
    const without = session()
    await toEnd(without, named(apply!, line, prefix))
    await running(without, named(plain!, line, prefix))
    assert.deepEqual([...(await without.stop()).values()], [0])
    assert.deepEqual(await told(line), once, 'nothing is judged again')

    const other = line.topics.raw.replace('.raw', 'd')
    const all = session()
    await toEnd(all, named(apply!, line, other))
    assert.match(again!, / --detect-group trailwarden-detect-c$/)
    await running(all, named(again!, line, other))
    await soon(line, `${other}-detect-c`, line.topics.events)
    assert.deepEqual(await told(line), [...once, ...once], 'the same alerts under the same keys')
  })

  test('files of a bucket, which is in order of regions, reach the detector in order of time', async t => {
    const line = await lineOn(kafka, t)
    const { folder, session } = place(t, line.env)
    const own = demoScenario().attacker
    const times = attack.map(record => (JSON.parse(record) as { eventTime: string }).eventTime)
    const regions = [...new Set(attack.map(record => (JSON.parse(record) as { awsRegion: string }).awsRegion))]
    for (const [at, region] of regions.entries()) {
      const day = join(folder, 'trail', 'AWSLogs', '111122223333', 'CloudTrail', region, '2026', '01', '15')
      mkdirSync(day, { recursive: true })
      // The same call in every region, in four files that are 20 minutes apart: by path, all but the first region is late.
      for (let turn = 0; turn < 4; turn++) {
        const eventTime = new Date(Date.parse(times[0]!) + turn * 20 * 60_000 + at * 1000).toISOString().slice(0, 19)
        const record = attack.find(each => each.includes(`"awsRegion":"${region}"`))!
        const changed = { ...(JSON.parse(record) as object), eventTime: `${eventTime}Z`, eventID: `${region}-${turn}` }
        const stamp = `${eventTime.replaceAll(/[-:]/g, '').slice(0, 13)}Z`
        const name = `111122223333_CloudTrail_${region}_${stamp}_x${turn}.json.gz`
        writeFileSync(join(day, name), gzipSync(JSON.stringify({ Records: [changed] })))
      }
    }
    await toEnd(session(), command('find trail/ '))
    const schema = topicContract('EVENTS_TOPIC').schema!
    const decoder = eventDecoder(schema)
    const order: number[] = []
    for (const { key, value } of await line.readAll(line.topics.events)) {
      assert.equal(key?.toString(), own)
      let event = decoder.decode(value!)
      if ('unknownSchema' in event) {
        decoder.learn(event.unknownSchema, schema)
        event = decoder.decode(value!)
      }
      assert.ok('eventTime' in event)
      order.push(event.eventTime)
    }
    assert.equal(order.length, regions.length * 4)
    const newest = order.map((_, at) => Math.max(...order.slice(0, at + 1)))
    const behind = order.map((time, at) => newest[at]! - time)
    assert.ok(Math.max(...behind) < 15 * 60_000, `${Math.max(...behind) / 60_000} minutes behind`)
    const detector = line.start(['detect'])
    await soon(line, line.env['DETECT_GROUP']!, line.topics.events)
    const keys = new Set((await told(line)).map(({ key }) => key))
    assert.equal(keys.size, 4, 'four episodes, 20 minutes apart')
    await stopped(detector)
  })
})
