// `trailwarden explain`: an alert told from its record and from its events, a principal that did not fire, rates, groups,
// late events and copies, what is left out of long accounts, and refusals.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { jsonLines, trailwarden } from '../../harness/command-line.ts'

const folder = await mkdtemp(join(tmpdir(), 'tw-explain-'))
const trail = join(folder, 'demo.jsonl')
const alerts = join(folder, 'alerts.jsonl')
const rule = 'secretsmanager-multi-region'
const attacker = '111122223333/role/AROADEMOATTACKER00001'
let key = ''

before(async () => {
  await trailwarden(['demo', '--write', trail])
  const { stdout } = await trailwarden(['replay', '--json', trail])
  await writeFile(alerts, stdout)
  key = String(jsonLines(stdout).find(alert => alert['ruleId'] === rule)?.['dedupKey'])
})
after(() => rm(folder, { recursive: true }))

/** CloudTrail records of one role as JSON lines; `at` in seconds. */
async function trailOf(name: string, calls: readonly Record<string, unknown>[]): Promise<string> {
  const path = join(folder, `${name}.jsonl`)
  const lines = calls.map(({ at, ...call }, index) =>
    JSON.stringify({
      eventVersion: '1.11',
      eventSource: 'secretsmanager.amazonaws.com',
      eventName: 'GetSecretValue',
      awsRegion: 'eu-west-1',
      recipientAccountId: '111122223333',
      eventID: `event-${index}`,
      eventTime: new Date(Date.UTC(2026, 1, 1, 9) + Number(at) * 1000).toISOString(),
      userIdentity: { type: 'IAMUser', principalId: 'AIDAANA', userName: 'ana', accountId: '111122223333' },
      ...call,
    }),
  )
  await writeFile(path, lines.join('\n'))
  return path
}
const ana = '111122223333/user/AIDAANA'
const denied = (at: number, secretId: string) => ({ at, errorCode: 'AccessDenied', requestParameters: { secretId } })
const batch = (at: number, awsRegion: string, more = {}) => ({
  at,
  awsRegion,
  eventName: 'BatchGetSecretValue',
  ...more,
})

describe('the alert of the demo', () => {
  test('from its dedup key and the trail: the regions one by one, and the moment of the fifth', async () => {
    const { code, stdout, stderr } = await trailwarden(['explain', key, '--input', trail])
    assert.equal(code, 0, stderr)
    const fresh = [...stdout.matchAll(/^ *\d+ {2}\S+ (\S+) {2}counted +(\d+ (?:of 5 )?different regions) +new (\S+)/gm)]
    assert.deepEqual(
      fresh.map(([, time, count, region]) => [time, count, region]),
      [
        ['09:20:00', '1 of 5 different regions', 'us-east-1'],
        ['09:20:40', '2 of 5 different regions', 'us-east-2'],
        ['09:21:20', '3 of 5 different regions', 'us-west-2'],
        ['09:22:00', '4 of 5 different regions', 'eu-west-1'],
        ['09:22:40', '5 of 5 different regions', 'eu-central-1'],
        ['09:23:20', '6 different regions', 'ap-south-1'],
        ['09:24:00', '7 different regions', 'sa-east-1'],
      ],
    )
    assert.match(
      stdout,
      /5 of 5 .*\n +-> the condition holds: an episode opens\n +-> told CREATE: informational, count 9/,
    )
    assert.match(
      stdout,
      /^- The condition became true at 2026-01-15 09:22:40 UTC with the 5th value, eu-central-1, 2 min 40 s after the first \(us-east-1 at 09:20:00\)\./m,
    )
    assert.match(stdout, / {2}duplicate +BatchGetSecretValue us-east-2/)
    assert.match(stdout, /It fired: 1 episode, 3 alert records\./)
    assert.match(stdout, /The role ci-deployer of account 111122223333 made 13 matching calls/)
  })

  test('from the file of alerts and the trail: every alert of it, each by its own rule', async () => {
    const { code, stdout } = await trailwarden(['explain', alerts, '--input', trail])
    assert.equal(code, 0)
    assert.deepEqual(
      [...stdout.matchAll(/^rule {7}([\w-]+):/gm)].map(([, id]) => id),
      ['secretsmanager-batch-catch-all', 'secretsmanager-batch-retrieval', rule, 'secretsmanager-denied-rate'],
    )
    assert.equal(stdout.match(/^It fired: 1 episode/gm)?.length, 4)
  })

  test('from the file alone: when each value came, the one that decided, what was told', async () => {
    const { code, stdout, stderr } = await trailwarden(['explain', alerts])
    assert.equal(code, 0)
    assert.match(stdout, /^ {4}1 {2}2026-01-15 09:20:00 {2}us-east-1, 2 events until 09:20:01$/m)
    assert.match(stdout, /^ {4}5 {2}2026-01-15 09:22:40 {2}eu-central-1.* <- the 5th: the condition became true$/m)
    assert.equal(stdout.match(/<- the/g)?.length, 1)
    assert.match(stdout, /^ {2}told UPDATE 2 {2}at 2026-01-15 09:24:00 UTC: informational, count 13$/m)
    assert.match(stderr, /--input/)
  })

  test('a rule that is not loaded, or has changed since, is said', async () => {
    const rules = join(import.meta.dirname, '..', '..', '..', 'rules')
    const other = await trailwarden(['explain', alerts, '--rules', join(rules, 'secretsmanager-denied-rate.yml')])
    assert.match(other.stdout, /the rule is not loaded/)
    const path = join(folder, 'changed.yml')
    await writeFile(path, (await readFile(join(rules, `${rule}.yml`), 'utf8')).replace('gte: 5', 'gte: 4'))
    const changed = await trailwarden(['explain', alerts, '--rules', path])
    assert.match(
      changed.stdout,
      /the rule has changed since: the alert is of version [0-9a-f]{16}, loaded is [0-9a-f]{16}/,
    )
    assert.match(changed.stdout, /eu-west-1.* <- the 4th: the condition became true/)
  })

  test('the key of an alert that live detection raised on another order names the same episode', async () => {
    const { stdout } = await trailwarden(['demo', '--json'])
    const live = String(jsonLines(stdout).find(alert => alert['ruleId'] === rule)?.['dedupKey'])
    assert.notEqual(live, key)
    const explained = await trailwarden(['explain', live, '--input', trail])
    assert.equal(explained.code, 0)
    assert.match(explained.stdout, /The condition became true at 2026-01-15 09:22:40 UTC/)
  })

  test('--json gives every step and a verdict', async () => {
    const { code, stdout } = await trailwarden(['explain', key, '--json', '--input', trail])
    assert.equal(code, 0)
    const lines = jsonLines(stdout)
    const steps = lines.filter(line => line['kind'] === 'step')
    assert.equal(steps.length, 17)
    const opened = steps.filter(step => step['opened'] !== null)
    assert.equal(opened.length, 1)
    assert.deepEqual(
      [opened[0]!['eventTime'], opened[0]!['count'], opened[0]!['needed'], opened[0]!['value'], opened[0]!['holds']],
      ['2026-01-15T09:22:40.000Z', 5, 5, 'eu-central-1', true],
    )
    assert.equal((opened[0]!['told'] as { dedupKey: string }[])[0]!.dedupKey, key)
    assert.deepEqual(lines.at(-1), {
      kind: 'verdict',
      ruleId: rule,
      principal: attacker,
      fired: true,
      episodes: [{ opening: '2026-01-15T09:22:40.000Z', end: '2026-01-15T09:24:01.000Z', group: [] }],
      events: { counted: 14, duplicate: 3 },
      closest: null,
    })
  })

  test('events that do not hold the episode, or not the principal, exit 1 and say so', async () => {
    const part = join(folder, 'part.jsonl')
    const lines = (await readFile(trail, 'utf8')).split('\n')
    await writeFile(
      part,
      lines.filter(line => !line.includes('eu-central-1') && !line.includes('sa-east-1')).join('\n'),
    )
    const some = await trailwarden(['explain', key, '--input', part])
    assert.equal(some.code, 1)
    assert.match(
      some.stdout,
      /No episode of this rule holds the time that the dedup key names \(2026-01-15 09:22:40 UTC\)/,
    )
    assert.match(some.stdout, /It fired at another time, nearest in an episode from 2026-01-15 09:23:20 UTC to/)
    await writeFile(part, lines.filter(line => !/eu-central-1|sa-east-1|ap-south-1/.test(line)).join('\n'))
    const fewer = await trailwarden(['explain', key, '--input', part])
    assert.equal(fewer.code, 1)
    assert.match(fewer.stdout, /No episode of this rule holds the time that the dedup key names/)
    assert.match(fewer.stdout, /4 of 5 different regions in 10 min; 1 more region in the same 10 min/)
    const none = await trailwarden(['explain', key, '--input', await trailOf('ana', [denied(0, 'a')])])
    assert.equal(none.code, 1)
    assert.match(none.stdout, /none of the events is of the principal/)
  })
})

describe('a principal that did not fire', () => {
  test('how far it was from firing: the closest window, what it held, what was missing', async () => {
    const input = await trailOf('near', [
      batch(0, 'us-east-1'),
      batch(60, 'us-east-2'),
      batch(120, 'us-west-1'),
      batch(130, 'us-west-1'),
      batch(660, 'us-west-2'),
      { at: 700, eventName: 'GetSecretValue', requestParameters: { secretId: 'x' } },
      { at: 710, eventName: 'ListBuckets', eventSource: 's3.amazonaws.com' },
    ])
    const { code, stdout } = await trailwarden(['explain', '--principal', ana, '--rule', rule, '--input', input])
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^It did not fire\. It came closest at 2026-02-01 09:02:00 UTC: 3 of 5 different regions in 10 min; 2 more different regions in the same 10 min would have made it fire\.\nIn that window: us-east-1 \(09:00:00\), us-east-2 \(09:01:00\), us-west-1 \(09:02:00\)\.$/m,
    )
    // us-east-2 was seen exactly ten minutes before: windows are half-open.
    assert.match(stdout, /09:11:00 {2}counted +2 of 5 different regions +new us-west-2/)
    assert.match(stdout, /6 events that some rule looks at: 5 counted, 1 no match/)
    assert.match(stdout, /1 event of the principal that no rule looks at: s3\.amazonaws\.com ListBuckets 1/)
  })

  test('a rate: count, distinct secrets, expectation and probability at each denial, and which of them was short', async () => {
    const input = await trailOf('slow', [denied(0, 'a'), denied(20, 'b'), denied(40, 'a'), denied(60, 'b')])
    const args = ['explain', '--principal', ana, '--rule', 'secretsmanager-denied-rate', '--input', input]
    const { stdout } = await trailwarden(args)
    const rows = [...stdout.matchAll(/counted +(\d) denials? of (\d) [a-z ]+, expected ([\d.]+), p (\S+)/g)]
    assert.deepEqual(
      rows.map(([, count, distinct]) => `${count}/${distinct}`),
      ['1/1', '2/2', '3/2', '4/2'],
    )
    const chances = rows.map(row => Number(row[4]))
    assert.ok(chances.every((p, i) => p > 1e-6 && p < (chances[i - 1] ?? 1)))
    assert.match(
      stdout,
      /5 denials are the least, there were 4; 3 different secrets are the least, there were 2; a probabil/,
    )
    assert.match(stdout, /; 5 denials in that window would have been unlikely enough\./)
  })

  test('without --rule every rule that alerts is answered; a name instead of the key is recognised', async () => {
    const input = await trailOf('one', [denied(0, 'a')])
    const { stdout } = await trailwarden(['explain', '--principal', ana, '--input', input])
    assert.equal(stdout.match(/^It did not fire/gm)?.length, 6)
    const named = await trailwarden(['explain', '--principal', 'ana', '--input', input])
    assert.equal(named.code, 1)
    assert.match(named.stderr, /It is the name of 111122223333\/user\/AIDAANA\./)
  })
})

test('a rate that fired: the same p-value as the alert, and the success that raised it', async () => {
  const input = await trailOf('fired', [
    ...[0, 1, 2, 3, 4, 5].map(n => denied(n * 20, `s${n}`)),
    { at: 600, requestParameters: { secretId: 's9' } },
  ])
  const args = ['explain', '--principal', ana, '--rule', 'secretsmanager-denied-rate', '--json', '--input', input]
  const lines = jsonLines((await trailwarden(args)).stdout)
  const opened = lines.find(line => typeof line['opened'] === 'string')
  const replayed = jsonLines((await trailwarden(['replay', '--json', input])).stdout)
  const create = replayed.find(a => a['ruleId'] === 'secretsmanager-denied-rate' && a['activity'] === 'CREATE')
  assert.deepEqual(opened?.['anomaly'], create?.['anomaly'])
  assert.equal(opened?.['holds'], true)
  const raised = lines.find(line => line['fate'] === 'not denied')
  assert.deepEqual(
    (raised?.['told'] as { severity: string }[]).map(alert => alert.severity),
    ['high'],
  )
})

test('a rule that groups by more than the principal counts each group by itself, and a key names one of them', async () => {
  const rules = join(folder, 'grouped.yml')
  await writeFile(
    rules,
    `title: Reads
name: reads
id: 2f0b2f44-7a53-4a3c-9a53-0f4a9a1f9a01
status: test
description: A read.
logsource: { product: aws, service: cloudtrail }
detection: { selection: { eventName: GetSecretValue }, condition: selection }
level: low
---
title: Three reads from one address
name: three-reads
id: 2f0b2f44-7a53-4a3c-9a53-0f4a9a1f9a02
status: test
description: Three reads from one address.
level: low
correlation:
  type: event_count
  rules: [reads]
  group-by: [principal, sourceIPAddress]
  timespan: 10m
  condition: { gte: 3 }
`,
  )
  const from = (at: number, sourceIPAddress: string) => ({ at, sourceIPAddress })
  const calls = [0, 1, 2, 3].map(n => from(n, n % 2 === 0 ? '10.0.0.1' : '10.0.0.2'))
  const input = await trailOf('grouped', [...calls, from(4, '10.0.0.1')])
  const both = await trailwarden(['explain', '--rules', rules, '--principal', ana, '--json', '--input', input])
  const counts = jsonLines(both.stdout).map(line => line['count'])
  assert.deepEqual(counts, [1, 1, 2, 2, 3, undefined])
  const replayed = await trailwarden(['replay', '--rules', rules, '--json', input])
  const [alert] = jsonLines(replayed.stdout)
  const one = await trailwarden(['explain', String(alert!['dedupKey']), '--rules', rules, '--json', '--input', input])
  assert.equal(one.code, 0)
  const lines = jsonLines(one.stdout)
  assert.deepEqual(
    lines.map(line => line['sourceIPAddress']),
    ['10.0.0.1', '10.0.0.1', '10.0.0.1', undefined],
  )
  assert.deepEqual((lines.at(-1)!['episodes'] as { group: string[] }[])[0]!.group, ['10.0.0.1'])
})

test('alerts come from standard input too', async () => {
  const bin = join(import.meta.dirname, '..', '..', '..', 'bin', 'trailwarden.mjs')
  const stdout = execFileSync(process.execPath, [bin, 'explain', '-'], {
    input: await readFile(alerts),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  assert.match(stdout.toString(), /eu-central-1.* <- the 5th/)
})

test('--arrival takes the order of the input: a late event is late, ordered it counts', async () => {
  const input = await trailOf('late', [batch(3600, 'us-east-1'), batch(0, 'us-east-2'), batch(3610, 'us-west-1')])
  const args = ['explain', '--principal', ana, '--rule', rule, '--json', '--input', input]
  const fates = async (argv: string[]) =>
    jsonLines((await trailwarden(argv)).stdout)
      .filter(line => line['kind'] === 'step')
      .map(line => `${String(line['awsRegion'])} ${String(line['fate'])}`)
  assert.deepEqual(await fates(args), ['us-east-2 counted', 'us-east-1 counted', 'us-west-1 counted'])
  assert.deepEqual(await fates([...args, '--arrival']), ['us-east-1 counted', 'us-east-2 late', 'us-west-1 counted'])
})

test('a suppressed alert says by what it is held back', async () => {
  const path = join(folder, 'suppressions.yaml')
  const entry = { id: 'release', rules: '*', match: { 'principal.name': 'ci-deployer' }, reason: 'r', owner: 'o' }
  await writeFile(path, JSON.stringify({ suppressions: [{ ...entry, expires: '2026-02-01' }] }))
  const { stdout } = await trailwarden(['explain', key, '--input', trail, '--suppressions', path])
  assert.match(stdout, /-> told CREATE: informational, count 9, suppressed by release {2}secretsmanager/)
})

test('long accounts show the first, the last and the decisive steps, and all with --all', async () => {
  const calls = Array.from({ length: 100 }, (_, n) => batch(n * 10, n < 50 ? 'us-east-1' : `r${n < 53 ? n : 9}`))
  const input = await trailOf('long', [
    ...calls,
    batch(560, 'us-west-2'),
    ...calls.map(c => ({ ...c, eventName: 'GetSecretValue' })),
  ])
  const args = ['explain', '--principal', ana, '--rule', rule, '--input', input]
  const { stdout } = await trailwarden(args)
  const numbers = [...stdout.matchAll(/^ *(\d+) {2}2026/gm)].map(([, n]) => Number(n))
  assert.ok(numbers.length < 60, String(numbers.length))
  assert.match(stdout, /^ +… \d+ steps left out \(--all shows them\)$/m)
  assert.match(stdout, /-> the condition holds/)
  const left = [...stdout.matchAll(/… (\d+) steps? left out/g)].reduce((sum, [, n]) => sum + Number(n), 0)
  const beside = 100 - stdout.match(/ no match /g)!.length
  // The sums at the end say "no match" once more than the rows.
  assert.equal(numbers.length + left + beside + 1, 201)
  const all = await trailwarden([...args, '--all'])
  assert.equal(all.stdout.match(/^ *\d+ {2}2026/gm)?.length, 201)
})

test('what an attacker chose moves no cursor', async () => {
  const input = await trailOf('hostile', [
    batch(0, '\u001b[2Jeu-west-1'),
    batch(1, 'x\u009b31m', { errorCode: '\u202ereversed' }),
  ])
  const { stdout } = await trailwarden(['explain', '--principal', ana, '--rule', rule, '--input', input])
  // eslint-disable-next-line no-control-regex -- control characters are what must not be there
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  assert.match(stdout, /eu-west-1/)
})

test('refusals say what is needed and exit 2', async () => {
  const broken = join(folder, 'broken.jsonl')
  await writeFile(broken, '{"dedupKey":"a"}\n')
  const cases: [string[], RegExp][] = [
    [['explain'], /needs a dedup key, a file of alerts, or --principal/],
    [['explain', 'nope:1'], /neither a file nor a dedup key/],
    [['explain', '--rule', rule, '--input', trail], /--rule goes with --principal/],
    [
      ['explain', '--principal', ana, '--rule', 'secretsmanager-multi-regoin', '--input', trail],
      /Did you mean 'secretsmanager-multi-region'/,
    ],
    [['explain', key.replace(rule, 'no-such-rule'), '--input', trail], /No rule "no-such-rule"/],
    [['explain', broken], /broken\.jsonl:1 is not an alert \(activity: .*TW_ALERT_INVALID/s],
    [['explain', key, trail], /events follow --input/],
    [['explain', alerts, '--json'], /--json gives steps, which need --input/],
    [['explain', key, '--input', join(folder, 'none', 'x')], /TW_INPUT_MISSING/],
  ]
  for (const [argv, expected] of cases) {
    const { code, stdout, stderr } = await trailwarden(argv)
    assert.equal(code, 2, argv.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, expected)
  }
})
