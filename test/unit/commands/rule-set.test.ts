// Rules and suppressions as detect, replay and demo take them: a suppressed alert is shown by replay and not produced, an
// expired entry is warned about, a broken file stops the verb with every error at its place.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { jsonLines, trailwarden } from '../../harness/command-line.ts'

const folder = await mkdtemp(join(tmpdir(), 'tw-suppress-'))
const trail = join(folder, 'demo.jsonl')
before(() => trailwarden(['demo', '--write', trail]))
after(() => rm(folder, { recursive: true }))

async function suppressions(expires: string): Promise<string> {
  const path = join(folder, `${expires}.yaml`)
  await writeFile(
    path,
    `suppressions:
  - id: release
    rules: [secretsmanager-multi-region]
    match: { principal.name: ci-deployer }
    reason: the release reads every region
    owner: platform
    expires: ${expires}
`,
  )
  return path
}

test('replay --json sets `suppressed` on the alerts that an entry matches, and on no other', async () => {
  const path = await suppressions('2026-02-01')
  const { code, stdout, stderr } = await trailwarden(['replay', '--json', '--suppressions', path, trail])
  assert.equal(code, 0)
  for (const alert of jsonLines(stdout)) {
    const expected =
      alert['ruleId'] === 'secretsmanager-multi-region'
        ? { id: 'release', reason: 'the release reads every region', owner: 'platform' }
        : null
    assert.deepEqual(alert['suppressed'], expected)
  }
  assert.match(stderr, /14 alerts \(3 suppressed\)/)
})

test('replay marks them in text, under the heading of the table', async () => {
  const path = await suppressions('2026-02-01')
  const { stdout } = await trailwarden(['replay', '--suppressions', path, trail])
  assert.match(stdout, /^TIME \(UTC\) +SEVERITY +RULE +PRINCIPAL +COUNT +SUMMARY\n2026-01-15 09:20:00 /)
  assert.equal(stdout.match(/^TIME/gm)?.length, 1)
  const ours = stdout.split('\n\n').filter(block => block.includes(' secretsmanager-multi-region '))
  assert.equal(ours.length, 3)
  for (const block of ours)
    assert.match(
      block,
      /suppressed by release.*\n {2}The role ci-deployer .*\n {2}Suppressed by release \(platform\): the/,
    )
})

test('an entry that expired before the alert changes nothing, one that expired after it holds as it did then', async () => {
  const path = await suppressions('2026-01-15')
  const { stdout } = await trailwarden(['replay', '--json', '--suppressions', path, trail])
  assert.ok(jsonLines(stdout).every(alert => alert['suppressed'] === null))
  // 2026-02-01 lies after the events and before today: the test above.
})

test('--fail-on-alert looks at alerts that are not suppressed', async () => {
  const path = await suppressions('2026-02-01')
  const rules = join(import.meta.dirname, '..', '..', '..', 'rules', 'secretsmanager-multi-region.yml')
  const args = ['replay', '--json', '--fail-on-alert', '--rules', rules, trail]
  assert.equal((await trailwarden(args)).code, 1)
  assert.equal((await trailwarden([...args, '--suppressions', path])).code, 0)
})

test('the detector does not produce them', async () => {
  const path = await suppressions('2026-02-01')
  const rulesOf = (text: string) => new Set(jsonLines(text).map(alert => alert['ruleId']))
  const without = await trailwarden(['demo', '--json'])
  const having = await trailwarden(['demo', '--json', '--suppressions', path])
  assert.ok(rulesOf(without.stdout).has('secretsmanager-multi-region'))
  assert.ok(rulesOf(having.stdout).size > 0)
  assert.ok(!rulesOf(having.stdout).has('secretsmanager-multi-region'))
})

test('detect warns of an expired entry at start', async () => {
  const path = await suppressions('2020-02-01')
  const args = ['detect', '--http-port', '0', '--suppressions', path]
  const { code, stderr } = await trailwarden(args, { stop: AbortSignal.abort() })
  assert.equal(code, 0)
  const warning = jsonLines(stderr).find(line => line['suppression'] === 'release')
  assert.equal(warning?.['expired'], '2020-02-01')
  assert.match(String(warning['msg']), /expired/)
  const fresh = await trailwarden(['detect', '--http-port', '0', '--suppressions', await suppressions('2099-02-01')], {
    stop: AbortSignal.abort(),
  })
  assert.doesNotMatch(fresh.stderr, /"suppression"/)
})

test('a broken file stops detect, replay and demo with every error at its place; a missing one too', async () => {
  const path = join(folder, 'broken.yaml')
  await writeFile(path, `suppressions:\n  - id: a\n    rules: '*'\n    match: { principal.name: x }\n    ower: me\n`)
  for (const args of [['detect', '--http-port', '0'], ['replay', trail], ['demo']]) {
    const { code, stdout, stderr } = await trailwarden([...args, '--suppressions', path])
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /broken\.yaml:5:5: unknown key 'ower'/)
    assert.match(stderr, /broken\.yaml:2:5: the suppression has no 'expires'/)
    assert.match(stderr, /TW_SUPPRESSIONS_INVALID: /)
  }
  const missing = await trailwarden(['replay', trail, '--suppressions', join(folder, 'none.yaml')])
  assert.equal(missing.code, 2)
  assert.match(missing.stderr, /TW_INPUT_MISSING/)
})
