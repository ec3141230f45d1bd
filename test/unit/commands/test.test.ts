// `trailwarden test`: what passes, how a failure reads, what a rule without tests is, exit codes.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { jsonLines, trailwarden } from '../../harness/command-line.ts'

const folder = await mkdtemp(join(tmpdir(), 'tw-test-'))
after(() => rm(folder, { recursive: true }))
const shipped = join(import.meta.dirname, '..', '..', '..', 'rules')

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

async function multiRegion(change: (text: string) => string): Promise<string> {
  const text = await readFile(join(shipped, 'secretsmanager-multi-region.yml'), 'utf8')
  const changed = change(text)
  assert.notEqual(changed, text)
  return file('multi-region.yml', changed)
}

test('the shipped rules pass, one line per rule with its number of tests', async () => {
  const { code, stdout, stderr } = await trailwarden(['test'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^ok {4}secretsmanager-multi-region +\d+ tests$/m)
  assert.match(stdout, /^ok {4}secretsmanager-get-denied +1 test$/m)
  const [, passed, all] = /^(\d+) of (\d+) tests passed, \d+ rules\n$/m.exec(stdout) ?? []
  assert.equal(passed, all)
  assert.ok(Number(all) >= 50)
})

test('a changed threshold fails with rule, test, place, expected and got, and exit 1', async () => {
  const path = await multiRegion(text => text.replace('gte: 5', 'gte: 6'))
  const { code, stdout } = await trailwarden(['test', path])
  assert.equal(code, 1)
  assert.match(stdout, /^ok {4}secretsmanager-batch-get /m)
  assert.match(stdout, /^FAIL {2}secretsmanager-multi-region +\d+ tests, \d failed$/m)
  assert.match(
    stdout,
    /^FAIL {2}secretsmanager-multi-region: five regions within ten minutes alert\n {6}\S+multi-region\.yml:\d+\n {6}alerts\n {8}expected {2}1\n {8}got {7}0$/m,
  )
})

test('--json gives a line per test with its differences', async () => {
  const path = await multiRegion(text => text.replace('gte: 5', 'gte: 6'))
  const { code, stdout } = await trailwarden(['test', '--json', path])
  assert.equal(code, 1)
  const lines = jsonLines(stdout)
  const failed = lines.filter(line => line['passed'] === false)
  assert.ok(failed.length >= 1 && failed.length < lines.length)
  const { line, ...first } = failed[0]!
  assert.equal(typeof line, 'number')
  assert.deepEqual(first, {
    ruleId: 'secretsmanager-multi-region',
    test: 'five regions within ten minutes alert',
    path,
    passed: false,
    differences: [{ where: 'alerts', expected: '1', got: '0' }],
  })
})

const untested = `title: Root signs in
name: root-sign-in
id: 6a9a5e6a-0c1f-4f0b-9f0e-0d3c1b8a7e11
status: test
description: Any console sign-in of the root user.
logsource: { product: aws, service: cloudtrail }
detection:
  selection: { eventName: ConsoleLogin, userIdentity.type: Root }
  condition: selection
level: medium
`

test('a rule without tests is a note, no failure', async () => {
  const path = await file('untested.yml', untested)
  const { code, stdout } = await trailwarden(['test', path, shipped])
  assert.equal(code, 0)
  assert.match(stdout, /^note {2}root-sign-in +no tests$/m)
  assert.doesNotMatch(stdout, /secretsmanager-batch-get +no tests/)
  const json = await trailwarden(['test', '--json', path])
  assert.deepEqual(jsonLines(json.stdout), [{ ruleId: 'root-sign-in', test: null, note: 'no tests' }])
})

test('rules that do not load exit 2 with their place; RULES is the default', async () => {
  const path = await file('broken.yml', untested.replace('level: medium', 'level: loud'))
  for (const outcome of [await trailwarden(['test', path]), await trailwarden(['test'], { env: { RULES: path } })]) {
    assert.equal(outcome.code, 2)
    assert.match(outcome.stderr, /broken\.yml:10:\d+: .*TW_RULE_INVALID/s)
    assert.equal(outcome.stdout, '')
  }
  const missing = await trailwarden(['test', join(folder, 'none.yml')])
  assert.equal(missing.code, 2)
  assert.match(missing.stderr, /TW_INPUT_MISSING/)
})
