// The consumers of examples/ on a real broker: each sees every committed alert, none of an aborted transaction, acts once
// on a copy, and ends cleanly. TypeScript runs on the package as installed, Python with pip, Connect with its own runtime;
// where pip or Maven cannot fetch these, the test is skipped with the reason, or fails with REQUIRE_KAFKA=1.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { alertToJson } from '../../src/alerts/json.ts'
import { installBuilt } from '../chaos/installation.ts'
import { raise } from '../harness/alert-topic.ts'
import { jsonLines } from '../harness/command-line.ts'
import { connectJars, startConnect } from '../harness/connect.ts'
import { eventually, lineOn } from '../harness/line.ts'
import type { Line } from '../harness/line.ts'
import { describeOnKafka, skipWithout } from '../harness/suite.ts'
import { rateAlert, regionAlert } from '../unit/alerts/samples.ts'

const root = join(import.meta.dirname, '..', '..')
const examples = join(root, 'examples')
const first = regionAlert()
const update = regionAlert({ activity: 'UPDATE', sequence: 1, severity: 'low', severityId: 2 })
const other = rateAlert()

/** What the consumers are given: a copy after a redelivery, an older alert after a newer one, one that was never raised. */
async function fill(line: Line): Promise<void> {
  await raise(line, first)
  await raise(line, regionAlert({ dedupKey: 'never-raised:x:-:1' }), { committed: false })
  for (const alert of [first, update, first, update]) await raise(line, alert)
  await raise(line, other, { format: 'json' })
}

const expected = [
  ['open', first.dedupKey, 'informational'],
  ['update', first.dedupKey, 'low'],
  ['open', other.dedupKey, 'medium'],
].map(String)

/** Runs a consumer until it has printed what is expected, stops it, and looks at what it left. */
async function consumes(t: TestContext, line: Line, child: ChildProcess): Promise<void> {
  t.after(() => void child.kill('SIGKILL'))
  const closed = once(child, 'close')
  let stdout = ''
  let stderr = ''
  child.stdout!.on('data', chunk => (stdout += String(chunk)))
  child.stderr!.on('data', chunk => (stderr += String(chunk)))
  const acted = () =>
    jsonLines(stdout.slice(0, stdout.lastIndexOf('\n') + 1)).map(action =>
      String([action['action'], action['case'], action['severity']]),
    )
  await eventually(
    async () => acted().length >= expected.length,
    () => `${stdout}\n${stderr}`,
    180_000,
  )
  const ends = await line.log.offsets(line.topics.alerts)
  const records = (await line.readAll(line.topics.alerts)).length
  assert.equal(records, 6, 'the aborted alert is on the topic for those who read uncommitted only')
  await eventually(
    async () => {
      const committed = await line.log.committed('alert-consumer-test', line.topics.alerts)
      // Control records after the last alert need not be committed.
      return ends.every(({ begin, end }, partition) => begin === end || (committed[partition] ?? 0) >= end - 1)
    },
    () => 'positions are not committed',
  )
  child.kill('SIGTERM')
  const [code] = (await closed) as [number | null]
  assert.equal(code, 0, stderr)
  // Partitions come in any order, an episode's alerts lie in one.
  assert.deepEqual(acted().sort(), [...expected].sort())
  assert.ok(acted().indexOf(expected[0]!) < acted().indexOf(expected[1]!))
}

await describeOnKafka('examples of consumers', kafka => {
  test('TypeScript, on the installed package', async t => {
    const line = await lineOn(kafka, t)
    await fill(line)
    const installation = await installBuilt()
    t.after(() => installation.remove())
    const work = join(installation.folder, 'work')
    mkdirSync(work)
    copyFileSync(join(examples, 'typescript-consumer', 'consumer.ts'), join(work, 'consumer.ts'))
    const env = { ...process.env, ...line.env, GROUP: 'alert-consumer-test' }
    await consumes(
      t,
      line,
      spawn(process.execPath, ['consumer.ts'], { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] }),
    )
  })

  test('Python', async t => {
    const requirements = join(examples, 'python-consumer', 'requirements.txt')
    let python
    try {
      python = await pythonWith(requirements)
    } catch (error) {
      return skipWithout(t, 'Python with confluent-kafka', error)
    }
    const line = await lineOn(kafka, t)
    await fill(line)
    const env = { ...process.env, ...line.env, GROUP: 'alert-consumer-test' }
    const script = join(examples, 'python-consumer', 'consumer.py')
    await consumes(t, line, spawn(python, [script], { env, stdio: ['ignore', 'pipe', 'pipe'] }))
  })

  test('Kafka Connect, the sink to a file', async t => {
    let jars
    try {
      jars = await connectJars()
    } catch (error) {
      return skipWithout(t, 'Connect runtime', error)
    }
    const line = await lineOn(kafka, t)
    await raise(line, first, { format: 'json' })
    await raise(line, other, { format: 'json', committed: false })
    await raise(line, update, { format: 'json' })
    const folder = mkdtempSync(join(tmpdir(), 'connect-test-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'alerts.jsonl')
    const example = JSON.parse(readFileSync(join(examples, 'kafka-connect', 'file-sink.json'), 'utf8')) as {
      config: object
    }
    const connector = { ...example, config: { ...example.config, topics: line.topics.alerts, file } }
    const connect = await startConnect(jars, folder, kafka.brokers, connector)
    const { child } = connect
    t.after(() => void child.kill('SIGKILL'))
    const written = () => (existsSync(file) ? readFileSync(file, 'utf8') : '')
    await eventually(
      async () => written().split('\n').length > 2,
      () => connect.output(),
      180_000,
    )
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
    assert.deepEqual(written().trimEnd().split('\n'), [first, update].map(alertToJson))
  })

  test('the other sinks have the same safe settings and name fields that alerts have', () => {
    const files = globSync('*.json', { cwd: join(examples, 'kafka-connect') })
    assert.equal(files.length, 3)
    for (const name of files) {
      const { config } = JSON.parse(readFileSync(join(examples, 'kafka-connect', name), 'utf8')) as {
        config: Record<string, string>
      }
      assert.equal(config['consumer.override.isolation.level'], 'read_committed', name)
      assert.equal(config['errors.tolerance'], 'none', name)
      assert.equal(config['topics'], 'cloudtrail.alerts.v1', name)
      for (const [key, value] of Object.entries(config))
        if (/\.fields?$/.test(key) && key.startsWith('transforms.')) assert.ok(value in first, `${name} ${key}`)
    }
  })
})

/** A Python of its own with the requirements, made once. */
async function pythonWith(requirements: string): Promise<string> {
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const cache = process.env['TRAILWARDEN_TEST_CACHE'] ?? join(root, '.cache')
  const folder = join(cache, `python-${key}`)
  const python = join(folder, 'bin', 'python')
  if (existsSync(join(folder, 'done'))) return python
  const run = promisify(execFile)
  rmSync(folder, { recursive: true, force: true })
  await run('python3', ['-m', 'venv', folder], { timeout: 120_000 })
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], {
    timeout: 180_000,
  })
  mkdirSync(join(folder, 'done'))
  return python
}
