// `trailwarden demo` in process: the whole line sees the attack, and the scenario can be written down and replayed.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { demoLines, demoScenario } from '../../../src/commands/demo-scenario.ts'
import { jsonLines, trailwarden } from '../../harness/command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
after(() => {
  rmSync(folder, { recursive: true })
})

test('the demo ends with the alert on the attack, in seconds', { timeout: 20_000 }, async () => {
  const { code, stdout, stderr } = await trailwarden(['demo'])
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /nothing in it is real \(in process, no broker\)/)
  assert.match(stdout, /\nALERT {2}secretsmanager-multi-region {2}informational {2}CREATE/)
  assert.match(stdout, /\n {2}dedup key secretsmanager-multi-region:/)
})

test('what the demo says it did is what was in the scenario', { timeout: 20_000 }, async () => {
  const { stdout } = await trailwarden(['demo'])
  const scenario = demoScenario()
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1])
  assert.equal(number(/^sent +(\d+) raw records/m), scenario.values.length)
  assert.equal(number(/holding (\d+) CloudTrail records/), scenario.records)
  assert.equal(number(/^normalized +(\d+) events/m), scenario.records)
  assert.equal(number(/^skipped +(\d+)/m), 2)
  assert.equal(number(/^rejected +(\d+)/m), 2)
  const copies = number(/^duplicates +(\d+)/m)
  assert.ok(copies > 0 && copies <= scenario.copies)
})

test('demo --json prints the alerts of the topic and nothing else', { timeout: 20_000 }, async () => {
  const { code, stdout } = await trailwarden(['demo', '--json'])
  assert.equal(code, 0)
  const alerts = jsonLines(stdout)
  const attack = alerts.filter(alert => alert['ruleId'] === 'secretsmanager-multi-region')
  assert.equal(attack[0]!['activity'], 'CREATE')
  assert.deepEqual(
    attack.map(alert => alert['sequence']),
    attack.map((_, index) => index),
  )
  for (const alert of attack) assert.equal((alert['principal'] as { key: string }).key, demoScenario().attacker)
})

test(
  'demo --write writes the scenario, and its replay finds the episodes of the demo',
  { timeout: 30_000 },
  async () => {
    const path = join(folder, 'demo.jsonl')
    assert.deepEqual(await trailwarden(['demo', '--write', path]), { code: 0, stdout: '', stderr: '' })
    assert.equal(readFileSync(path, 'utf8'), demoLines())
    const keys = (text: string) => [...new Set(jsonLines(text).map(alert => String(alert['dedupKey'])))].sort()
    const replayed = await trailwarden(['replay', '--json', path])
    const live = await trailwarden(['demo', '--json'])
    // Arrival order may announce an episode at another of its times; rule and principal are the same.
    const ruleAndPrincipal = (key: string) => key.split(':').slice(0, 2).join(':')
    assert.deepEqual(
      [...new Set(keys(live.stdout).map(ruleAndPrincipal))],
      [...new Set(keys(replayed.stdout).map(ruleAndPrincipal))],
    )
  },
)

test('demo --write to a place that is not there fails with the reason', async () => {
  const { code, stderr } = await trailwarden(['demo', '--write', join(folder, 'no', 'demo.jsonl')])
  assert.equal(code, 2)
  assert.match(stderr, /TW_USAGE/)
})

test('the scenario is the same for a seed, and another for another', () => {
  const bytes = (seed: number) => Buffer.concat(demoScenario(seed).values.map(({ value }) => value))
  assert.deepEqual(bytes(3), bytes(3))
  assert.notDeepEqual(bytes(3), bytes(4))
  assert.equal(demoLines(5).trimEnd().split('\n').length, demoScenario(5).records)
})
