// `trailwarden replay` over files: the same episodes whatever the order of the input, time ranges, what-if values, comparisons,
// matches, interruptions, exit codes.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { demoLines } from '../../../src/commands/demo-scenario.ts'
import { jsonLines, trailwarden } from '../../harness/command-line.ts'
import { regionAlert } from '../alerts/samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'replay-test-'))
after(() => {
  rmSync(folder, { recursive: true })
})

const root = join(import.meta.dirname, '..', '..', '..')
const bin = join(root, 'bin', 'trailwarden.mjs')
const onWindows = process.platform === 'win32' ? 'no SIGINT for children' : false
const scenario = demoLines()
let files = 0
function fileOf(text: string): string {
  const path = join(folder, `input-${files++}.jsonl`)
  writeFileSync(path, text)
  return path
}

const alertsOf = async (...argv: string[]) => jsonLines((await trailwarden(['replay', '--json', ...argv])).stdout)
const episodes = (alerts: Record<string, unknown>[]) =>
  alerts
    .filter(alert => alert['activity'] === 'CREATE')
    .map(alert => `${String(alert['ruleId'])} ${String(alert['dedupKey'])}`)
    .sort()

/** Fisher and Yates with a small generator: the same seed, the same order. */
function shuffled(lines: readonly string[], seed: number): string[] {
  const order = [...lines]
  let state = seed
  for (let last = order.length - 1; last > 0; last--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const other = (state >>> 8) % (last + 1)
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}

test('the attack of the demo is an alert with every field of Alert', async () => {
  const { code, stdout, stderr } = await trailwarden(['replay', '--json', fileOf(scenario)])
  assert.equal(code, 0)
  const alerts = jsonLines(stdout)
  const attack = alerts.find(alert => alert['ruleId'] === 'secretsmanager-multi-region')
  assert.ok(attack)
  for (const alert of alerts) assert.deepEqual(Object.keys(alert), Object.keys(regionAlert()))
  assert.equal((attack['principal'] as { key: string }).key, '111122223333/role/AROADEMOATTACKER00001')
  assert.equal(attack['activity'], 'CREATE')
  assert.match(String(attack['firstSeen']), /^2026-01-15T09:2\d:\d\d\.\d{3}Z$/)
  assert.equal(attack['input'], null)
  assert.match(stderr, /^\d+ events from 1 file; 0 skipped, 0 rejected; [1-9]\d* duplicates; \d+ alerts\n$/)
})

test('neither the order of the input nor its division into files changes the episodes', async () => {
  const lines = scenario.trimEnd().split('\n')
  const expected = episodes(await alertsOf(fileOf(scenario)))
  assert.ok(expected.some(episode => episode.startsWith('secretsmanager-multi-region ')))
  for (const seed of [1, 2, 3]) {
    const order = shuffled(lines, seed)
    assert.notDeepEqual(order, lines)
    assert.deepEqual(episodes(await alertsOf(fileOf(`${order.join('\n')}\n`))), expected, `seed ${seed}`)
    const half = order.length >> 1
    const parts = [order.slice(half), order.slice(0, half)].map(part => fileOf(`${part.join('\n')}\n`))
    assert.deepEqual(episodes(await alertsOf(...parts)), expected, `seed ${seed}, two files`)
  }
})

test('a second copy of the whole input changes nothing', async () => {
  const path = fileOf(scenario)
  assert.deepEqual(await alertsOf(path, fileOf(scenario)), await alertsOf(path))
})

test('--from is inclusive, --to is not, and both are times with a zone', async () => {
  const path = fileOf(scenario)
  const matches = async (...argv: string[]) =>
    jsonLines((await trailwarden(['replay', '--json', '--matches', ...argv, path])).stdout).map(match =>
      String(match['eventTime']),
    )
  const all = await matches()
  const cut = all.toSorted()[all.length >> 1]!
  assert.deepEqual((await matches('--from', cut)).toSorted(), all.filter(time => time >= cut).toSorted())
  assert.deepEqual((await matches('--to', cut)).toSorted(), all.filter(time => time < cut).toSorted())
  assert.deepEqual(await matches('--from', '2026-01-15T10:00:00+00:30', '--to', '2026-01-15T09:30:00Z'), [])
  assert.deepEqual(await alertsOf('--to', '2026-01-15', path), [])
  for (const bad of ['yesterday', '2026-01-15T09:00:00', '2026-02-30', '1768471200'])
    for (const option of ['--from', '--to']) {
      const { code, stderr } = await trailwarden(['replay', option, bad, path])
      assert.equal(code, 2)
      assert.ok(stderr.includes(`${option} ${bad} is not a time`), stderr)
    }
})

test('--matches prints every match of a detection rule, as lines of JSON or of two columns', async () => {
  const path = fileOf(scenario)
  const { code, stdout, stderr } = await trailwarden(['replay', '--matches', path])
  assert.equal(code, 0)
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map(line => line.split('\t'))
  assert.ok(rows.length > 14, 'the attack alone has fourteen calls')
  for (const row of rows) assert.match(row.join(' '), /^[a-z0-9-]+ [0-9a-f-]{36}$/)
  assert.ok(stderr.endsWith(`; ${rows.length} matches\n`))
  const json = jsonLines((await trailwarden(['replay', '--matches', '--json', path])).stdout)
  assert.deepEqual(
    json.map(match => [match['ruleId'], match['eventId']]),
    rows,
  )
})

test('an event id cannot drive the terminal that shows its match', async () => {
  const [line] = scenario.split('\n').filter(text => text.includes('BatchGetSecretValue'))
  const hostile = { ...(JSON.parse(line!) as object), eventID: 'a\u001b[2J\u009b1m\n' }
  const path = fileOf(`${JSON.stringify(hostile)}\n`)
  for (const argv of [['--matches'], ['--matches', '--json']]) {
    const { stdout } = await trailwarden(['replay', ...argv, path])
    assert.ok(stdout.length > 0)
    for (const text of stdout.trimEnd().split('\n')) assert.doesNotMatch(text.replaceAll('\t', ''), /\p{Cc}/u)
  }
})

test('--fail-on-alert is exit 1 when there is an alert and exit 0 when there is none', async () => {
  assert.equal((await trailwarden(['replay', '--fail-on-alert', fileOf(scenario)])).code, 1)
  const calm = scenario.split('\n').filter(line => !/AROADEMOATTACKER|AIDADEMOCONTRACTOR/.test(line))
  assert.equal((await trailwarden(['replay', '--fail-on-alert', fileOf(calm.join('\n'))])).code, 0)
})

test('without --json an alert is a paragraph with its severity, rule, explanation and dedup key', async () => {
  const path = fileOf(scenario)
  const [alert] = (await alertsOf(path)).filter(({ ruleId }) => ruleId === 'secretsmanager-multi-region')
  const { stdout } = await trailwarden(['replay', path])
  const paragraph = stdout.split('\n\n').find(text => text.includes('secretsmanager-multi-region:'))
  for (const field of ['severity', 'ruleId', 'explanation', 'dedupKey'])
    assert.ok(paragraph?.includes(String(alert![field])), field)
  assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u)
})

test('`-` reads standard input', () => {
  const { status, stdout } = spawnSync(process.execPath, [bin, 'replay', '--json', '-'], { input: scenario })
  assert.equal(status, 0)
  assert.ok(jsonLines(stdout.toString()).some(alert => alert['ruleId'] === 'secretsmanager-multi-region'))
})

test('rules of one’s own replace the shipped ones', async () => {
  const rules = join(folder, 'own.yml')
  writeFileSync(
    rules,
    [
      'title: Any batch read',
      'name: any-batch-read',
      'logsource: {product: aws, service: cloudtrail}',
      'detection: {selection: {eventName: BatchGetSecretValue}, condition: selection}',
      'level: low',
      '',
    ].join('\n'),
  )
  const alerts = await alertsOf('--rules', rules, fileOf(scenario))
  assert.deepEqual([...new Set(alerts.map(alert => alert['ruleId']))], ['any-batch-read'])
})

test('a stop that is there from the beginning reads nothing, and says that the result is partial', async () => {
  for (const [reason, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const { code, stdout, stderr } = await trailwarden(['replay', '--json', fileOf(scenario)], {
      stop: AbortSignal.abort(reason),
    })
    assert.deepEqual([code, stdout], [expected, ''])
    assert.match(stderr, /^Interrupted: this is about a part of the input\.\n0 events from 0 files; /)
  }
})

test(
  'Ctrl-C while standard input is silent gives the alerts of what was read, and exit 130',
  { skip: onWindows },
  async () => {
    const child = spawn(process.execPath, [bin, 'replay', '--json', '-'])
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', chunk => (stdout += String(chunk)))
    child.stderr.on('data', chunk => (stderr += String(chunk)))
    const closed = once(child, 'close')
    // Two copies fill more than one piece of 1 MiB. Once a pipe has taken all of it, all but its buffers has been read.
    await new Promise(done => child.stdin.write(scenario + scenario, done))
    child.kill('SIGINT')
    const [code] = (await closed) as [number]
    assert.equal(code, 130, stderr)
    assert.match(stderr, /^Interrupted: this is about a part of the input\.\n[1-9]\d* events from 1 file; /)
    for (const alert of jsonLines(stdout)) assert.deepEqual(Object.keys(alert), Object.keys(regionAlert()))
    assert.ok(jsonLines(stdout).length > 0)
  },
)

test('--set shows what another threshold would give, and a wrong one is told with what exists', async () => {
  const path = fileOf(scenario)
  const regions = async (...argv: string[]) =>
    (await alertsOf(...argv, path)).filter(alert => alert['ruleId'] === 'secretsmanager-multi-region')
  const [created] = await regions()
  const [changed] = await regions(
    '--set',
    'secretsmanager-multi-region.gte=7',
    '--set',
    'secretsmanager-multi-region.level=high',
  )
  assert.equal(changed!['severity'], 'high')
  assert.equal((changed!['regions'] as string[]).length, 7)
  assert.notEqual(changed!['ruleVersion'], created!['ruleVersion'])
  assert.deepEqual(await regions('--set', 'secretsmanager-multi-region.gte=8'), [])
  const { code, stderr } = await trailwarden(['replay', '--set', 'secretsmanager-multi-region.alpha=1', path])
  assert.equal(code, 2)
  assert.match(stderr, /has no parameter 'alpha'\. It has timespan, gte, level, /)
})

test('--compare shows what appears, disappears and changes, and --fail-on-alert fails on what is new', async () => {
  const path = fileOf(scenario)
  const compare = (...argv: string[]) => trailwarden(['replay', '--fail-on-alert', ...argv, path])
  const more = await compare('--set', 'secretsmanager-multi-region.gte=8', '--compare', 'unchanged')
  assert.equal(more.code, 0)
  assert.match(
    more.stdout,
    /^- disappeared {2}2026-01-15 09:20:00 {2}informational {2}secretsmanager-multi-region {2}ci-deployer {2}1\d events, 7 values, .*\n$/,
  )
  assert.match(more.stderr, /; 0 appear, 1 disappears, 0 change, \d stay the same against unchanged\n$/)

  const strict = join(folder, 'strict.yml')
  const shipped = readFileSync(join(root, 'rules', 'secretsmanager-multi-region.yml'), 'utf8')
  writeFileSync(strict, shipped.replace('gte: 5', 'gte: 8'))
  const rules = ['--rules', join(root, 'rules', 'secretsmanager-multi-region.yml')]
  const appeared = await compare(...rules, '--compare', strict, '--json')
  assert.equal(appeared.code, 1)
  const [line, ...others] = jsonLines(appeared.stdout)
  assert.deepEqual(others, [])
  assert.deepEqual(Object.keys(line!), ['change', 'ruleId', 'principal', 'group', 'before', 'after'])
  assert.deepEqual([line!['change'], line!['before']], ['appeared', []])
  const [alert] = (await alertsOf(...rules, path)).slice(-1)
  const [episode] = line!['after'] as Record<string, unknown>[]
  for (const field of ['dedupKey', 'severity', 'firstSeen', 'lastSeen', 'count', 'suppressed'])
    assert.deepEqual(episode![field], alert![field], field)

  const louder = await compare('--set', 'secretsmanager-multi-region.level=high', '--compare', 'unchanged')
  assert.equal(louder.code, 0, 'it is the same finding')
  assert.match(louder.stdout, /^~ changed .* informational → high {2}secretsmanager-multi-region /)
  const same = await compare('--compare', 'unchanged')
  assert.deepEqual([same.code, same.stdout], [0, ''])
})

test('--report writes a page beside the alerts, and one that cannot be written stops the replay before it begins', async () => {
  const path = fileOf(scenario)
  const page = join(folder, 'report.html')
  const { code, stdout } = await trailwarden(['replay', '--json', '--report', page, path])
  assert.equal(code, 0)
  assert.deepEqual(jsonLines(stdout), await alertsOf(path))
  const html = readFileSync(page, 'utf8')
  assert.match(html, /^<!doctype html>/i)
  assert.ok(html.includes('ci-deployer'))
  const missing = await trailwarden(['replay', '--report', join(folder, 'nowhere', 'x.html'), path])
  assert.deepEqual([missing.code, missing.stdout], [2, ''])
  assert.match(missing.stderr, /The report cannot be written to /)
})

test('--quiet writes nothing to stderr but errors', async () => {
  const { stderr } = await trailwarden(['replay', '--quiet', fileOf(`${scenario}nonsense\n`)])
  assert.equal(stderr, '')
})

test('what cannot go together is refused', async () => {
  const path = fileOf(scenario)
  for (const [argv, message] of [
    [
      ['--from', '2026-01-15T10:00:00Z', '--to', '2026-01-15T09:59:59Z'],
      /--from 2026-01-15T10:00:00Z is later than --to 2026-01-15T09:59:59Z\./,
    ],
    [['--matches', '--compare', 'unchanged'], /--matches looks at single events; --compare is about alerts\./],
    [['--matches', '--report', 'x.html'], /--report is about alerts\./],
    [['--matches', '--set', 'a.b=c'], /--set is about alerts\./],
    [['--matches', '--fail-on-alert'], /--fail-on-alert is about alerts\./],
  ] as const) {
    const { code, stdout, stderr } = await trailwarden(['replay', ...argv, path])
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, message)
  }
})
