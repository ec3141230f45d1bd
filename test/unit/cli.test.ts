// The command line as a user meets it, with captured streams: what goes to stdout, what to stderr, and the exit code.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, test } from 'node:test'
import { main } from '../../src/cli.ts'
import { allCommands } from '../../src/commands/index.ts'
import { kept, trailwarden } from '../harness/command-line.ts'

const commands = await allCommands()

const folder = mkdtempSync(join(tmpdir(), 'cli-test-'))
after(() => {
  rmSync(folder, { recursive: true })
})

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
  version: string
}

test('without a verb the overview goes to stderr and it is a usage error', async () => {
  const { code, stdout, stderr } = await trailwarden([])
  assert.deepEqual([code, stdout], [2, ''])
  for (const { name, summary } of commands) assert.ok(stderr.includes(`  ${name}`) && stderr.includes(summary), name)
})

test('help in every spelling prints the overview on stdout', async () => {
  const wanted = { code: 0, stdout: (await trailwarden([])).stderr, stderr: '' }
  for (const spelling of ['help', '--help', '-h']) assert.deepEqual(await trailwarden([spelling]), wanted, spelling)
})

for (const command of commands)
  test(`${command.name} --help shows usage, examples, options and the settings that matter`, async () => {
    const { code, stdout, stderr } = await trailwarden([command.name, '--help'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(stdout.startsWith(`trailwarden ${command.name}`), stdout)
    assert.match(stdout, new RegExp(`\\nExamples:\\n(?: {2}.*\\n)*? {2}.*trailwarden ${command.name}\\b`))
    for (const name of [...Object.keys(command.options), 'help', 'config', 'debug'])
      assert.match(stdout, new RegExp(`\\n {2}--${name}[ \\n]`), name)
    for (const name of command.settings) assert.ok(stdout.includes(`[${name}`), name)
    for (const line of stdout.split('\n')) assert.ok(!line.includes('undefined'), line)
    assert.equal((await trailwarden(['help', command.name])).stdout, stdout)
    assert.equal((await trailwarden([command.name, '-h'])).stdout, stdout)
  })

test('--help wins over what else is wrong with the configuration', async () => {
  assert.equal((await trailwarden(['replay', '--help'], { env: { LOG_LEVEL: 'loud' } })).code, 0)
})

test('--version prints the version of the package, before a verb and behind it', async () => {
  for (const argv of [['--version'], ['-v'], ['replay', '--version']])
    assert.deepEqual(await trailwarden(argv), { code: 0, stdout: `${version}\n`, stderr: '' }, argv.join(' '))
})

test('an unknown verb, an unknown flag and an option in front of the verb are usage errors that say what to do', async () => {
  for (const [argv, said] of [
    [['replya'], /Unknown verb "replya"\. Verbs: normalize, detect, replay/],
    [['help', 'replya'], /Unknown verb "replya"/],
    [['--json', 'replay'], /Unknown option --json; a verb comes first/],
    [['replay', '--nope', 'x'], /replay: Unknown option '--nope'/],
    [['replay', '--rules'], /replay: Option '--rules.*' argument missing/],
    [['replay', '--json=yes', 'x'], /replay: Option '--json' does not take an argument/],
    [['replay'], /replay needs files, folders, `-`, or a topic/],
    [['normalize', '--json'], /normalize --json needs files/],
    [['topics', 'destroy'], /topics takes one argument/],
  ] as const) {
    const { code, stdout, stderr } = await trailwarden(argv)
    assert.deepEqual([code, stdout], [2, ''], argv.join(' '))
    assert.match(stderr, said)
    assert.match(stderr, /^trailwarden: .*\n {2}TW_USAGE: Run the verb with --help\.\n$/)
  }
})

test('a bad configuration is exit 2 with every problem, from flags, environment and file', async () => {
  const file = join(folder, 'settings.yaml')
  writeFileSync(file, 'NOPE: 1\n')
  const { code, stdout, stderr } = await trailwarden(['replay', 'x.json', '--config', file, '--raw-topic', 'a b'], {
    env: { MAX_DEPTH: 'deep', UNRELATED: 'is ignored' },
  })
  assert.deepEqual([code, stdout], [2, ''])
  for (const said of ['unknown setting NOPE', 'RAW_TOPIC = "a b"', 'MAX_DEPTH = "deep"', 'TW_CONFIG_INVALID'])
    assert.ok(stderr.includes(said), said)
})

test('a path that is not there is exit 2, whether or not a topic could have its name', async () => {
  for (const argv of [
    ['replay', join(folder, 'absent')],
    ['replay', 'absent.jsonl'],
    ['normalize', '--json', join(folder, 'absent.json')],
  ]) {
    const { code, stdout, stderr } = await trailwarden(argv)
    assert.deepEqual([code, stdout], [2, ''], argv.join(' '))
    assert.match(stderr, /Cannot read .*absent.*\n {2}TW_INPUT_MISSING: Check the path\./)
  }
})

test('rules that are not there or not valid are exit 2', async () => {
  const trail = join(folder, 'trail.json')
  writeFileSync(trail, '[]')
  const broken = join(folder, 'rule.yml')
  writeFileSync(broken, 'title: [\n')
  const missing = await trailwarden(['replay', trail, '--rules', join(folder, 'no-rules')])
  assert.deepEqual([missing.code, missing.stdout], [2, ''])
  assert.match(missing.stderr, /TW_INPUT_MISSING/)
  const invalid = await trailwarden(['replay', trail, '--rules', broken])
  assert.deepEqual([invalid.code, invalid.stdout], [2, ''])
  assert.match(invalid.stderr, /rule\.yml:\d+[\s\S]*TW_RULE_INVALID/)
})

test('a stack trace is shown with --debug only, with the cause', async () => {
  const path = join(folder, 'absent')
  assert.doesNotMatch((await trailwarden(['replay', path])).stderr, / at /)
  assert.match((await trailwarden(['replay', path, '--debug'])).stderr, /TrailwardenError[\s\S]+ at [\s\S]+Caused by: /)
})

test('a cluster that cannot be reached is exit 3', async () => {
  const { code, stdout, stderr } = await trailwarden(['normalize', folder], {
    env: { SCHEMA_REGISTRY_URL: 'http://127.0.0.1:9', LOG_LEVEL: 'silent' },
  })
  assert.deepEqual([code, stdout], [3, ''])
  assert.match(stderr, /TW_REGISTRY_UNAVAILABLE: Check SCHEMA_REGISTRY_URL/)
})

test('a failure that nobody foresaw is exit 3 and asks for a report', async () => {
  const stdout = new Writable({ highWaterMark: 1 })
  stdout.write = () => {
    throw new Error('a defect')
  }
  const err = kept()
  const code = await main(['--version'], { stdout, stderr: err.stream, env: {}, stop: new AbortController().signal })
  assert.equal(code, 3)
  assert.match(err.text(), /^trailwarden: a defect\n {2}TW_INTERNAL: This is a defect/)
})

test('a slow reader is waited for; one that has gone is not', async () => {
  let drained = 0
  const slow = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) =>
      void setTimeout(() => {
        drained++
        done()
      }, 20),
  })
  const run = (stdout: Writable) =>
    main(['--help'], { stdout, stderr: kept().stream, env: {}, stop: new AbortController().signal })
  assert.equal(await run(slow), 0)
  assert.equal(drained, 1)
  const gone = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => done() })
  gone.on('error', () => undefined)
  gone.destroy()
  assert.equal(await run(gone), 0)
})
