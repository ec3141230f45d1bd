// fillRunbook: placeholders, the generic runbook, and values that try to be Markdown, HTML, links or shell.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fillRunbook, runbookPlaceholders, runbookProblems } from '../../../src/alerts/runbook.ts'
import type { Alert } from '../../../src/alerts/alert.ts'
import { hostileText, rateAlert, regionAlert, start } from './samples.ts'

function fill(runbook: string, alert: Alert = regionAlert()): string {
  return fillRunbook(alert, { runbook })
}

test('placeholders become the values of the alert', () => {
  const table: [string, string][] = [
    ['{ruleTitle}', 'Secrets read in batches in many regions'],
    ['{principal.name} is {principal.kind}', 'Admin is ROLE'],
    ['{principal.key}', '111122223333/role/AROAEXAMPLEEXAMPLEID'],
    ['{firstSeen} to {lastSeen}', '2026-11-23 00:54:28 UTC to 2026-11-23 00:55:42 UTC'],
    ['{count} in {totals.regions}', '9 in 7'],
    ['{accounts}', '111122223333'],
    ['{accessKeys}', 'ASIAEXAMPLEEXAMPLE01, ASIAEXAMPLEEXAMPLE02'],
    ['{secrets}', 'none'],
    ['{mergedInto} {anomaly.pValue}', 'none none'],
    ['{attack}', 'TA0006 T1555.006'],
    ['{eventNames}', 'BatchGetSecretValue'],
    ['{input.topic} {input.partition} {input.offset}', 'cloudtrail.events.v1 3 4711'],
    ['`{dedupKey}`', `\`secretsmanager-multi-region:9f86d081884c7d65:-:${start + 146_667}\``],
  ]
  for (const [template, text] of table) assert.equal(fill(template), text, template)
})

test('long lists are shortened, with the totals of the alert', () => {
  const names = Array.from({ length: 20 }, (_, i) => `s${i}`)
  const totals = { ...regionAlert().totals, sessionNames: 4000 }
  assert.equal(
    fill('{sessionNames}', regionAlert({ sessionNames: names, totals })),
    's0, s1, s2, s3, s4, s5, s6, s7, s8, s9, and 3,990 more',
  )
})

test('the anomaly in numbers', () => {
  assert.equal(
    fill('{anomaly.count} against {anomaly.expected}, p = {anomaly.pValue}', rateAlert()),
    '18 against 0.031, p = 2e-14',
  )
})

test('a time in code is one that a command can parse', () => {
  assert.equal(fill('    --start-time {firstSeen}'), '    --start-time 2026-11-23T00:54:28.667Z')
})

test('every placeholder is filled, with all fields absent as well', () => {
  const bare = regionAlert({ evidence: [], attack: [], input: null, sourceIPs: [], userAgents: [], distinctValues: [] })
  for (const name of runbookPlaceholders) {
    for (const alert of [bare, rateAlert()]) {
      const text = fill(`<{${name}}>`, alert)
      assert.match(text, /^<[^{}]+>$/, name)
      assert.doesNotMatch(text, /undefined|null|NaN/, name)
    }
  }
})

test('unknown placeholders stay, and are reported with what was probably meant', () => {
  assert.equal(fill('{principle.name}'), '{principle.name}')
  assert.deepEqual(runbookProblems('{principle.name} {count} {region} {principle.name}'), [
    "unknown placeholder {principle.name}. Did you mean 'principal.name'",
    "unknown placeholder {region}. Did you mean 'regions'",
  ])
  assert.deepEqual(runbookProblems('{constructor} `{toString}`').length, 2)
  assert.deepEqual(runbookProblems('{count}'), [])
})

test('braces of shell, JSON and JMESPath are not placeholders', () => {
  const template = "echo ${HOME} '{\"a\": 1}' --query 'Events[].{id: EventId}' {} {1}"
  assert.equal(fill(template), template)
  assert.deepEqual(runbookProblems(template), [])
})

test('in text a value cannot be Markdown, HTML, a link or a mention', () => {
  const agent =
    '- # **b** [x](https://evil.example) <img src=x onerror=a()> `code` www.evil.example @channel\n\n# owned'
  assert.equal(
    fill('{userAgents}', regionAlert({ userAgents: [agent] })),
    '\\- \\# \\*\\*b\\*\\* \\[x\\]\\(https\\://evil.example\\) &lt;img src=x onerror=a\\(\\)&gt; \\`code\\` ' +
      'www\\.evil.example \\@channel \\# owned',
  )
})

test('in code a value cannot leave the code, be a command or an option', () => {
  const totals = { ...regionAlert().totals, sessionNames: 1 }
  const alert = regionAlert({ sessionNames: ['--x; curl `evil` | sh\n```\n$(id)'], totals })
  assert.equal(fill('`{sessionNames}`', alert), '`_-x__curl__evil____sh_______id_`')
  for (const template of ['```sh\naws x {sessionNames}\n```', '    aws x {sessionNames}', '``aws x {sessionNames}``']) {
    const text = fill(template, alert)
    const value = text.slice(text.indexOf('aws x ') + 6).split(/[\n`]/)[0] ?? ''
    assert.match(value, /^_-x_[A-Za-z_]+$/, template)
  }
})

test('placeholders around code are text again', () => {
  const alert = regionAlert({ principal: { key: 'k', kind: 'ROLE', name: 'a*b' } })
  assert.equal(fill('{principal.name} `{principal.name}` {principal.name}', alert), 'a\\*b `a_b` a\\*b')
  assert.equal(fill('a ` b\n\n{principal.name} ` c', alert), 'a ` b\n\na\\*b ` c')
})

test('values are not templates', () => {
  const alert = regionAlert({ principal: { key: 'k', kind: 'ROLE', name: '{dedupKey} $& $1' } })
  assert.equal(fill('{principal.name}', alert), '\\{dedupKey\\} \\$&amp; \\$1')
})

test('a rule without a runbook gets three timed steps', () => {
  const text = fillRunbook(rateAlert(), { runbook: null })
  assert.match(text, /^1\. \*\*First 15 minutes: .*\n2\. \*\*First hour: .*\n3\. \*\*First day: .*\n$/)
  assert.match(text, /Unusual number of denied secret reads for bob \(`111122223333\/user\/AIDAEXAMPLEEXAMPLEID`\)/)
  assert.doesNotMatch(text, /\{/)
})

test('any value stays on its line and adds no markup', () => {
  const totals = { ...regionAlert().totals, sessionNames: 1 }
  fc.assert(
    fc.property(hostileText(300), value => {
      const alert = regionAlert({ userAgents: [value], sessionNames: [value], totals })
      const text = fill('{userAgents}', alert)
      assert.doesNotMatch(text, /\p{Cc}|[\u2028\u2029<>]/u)
      assert.doesNotMatch(text.replace(/\\[!-/:-@[-`{-~]/g, 'x'), /[`*_[\]()#|~{}$@\\]|^\s*[-+=]/)
      assert.match(fill('`{sessionNames}`', alert), /^`[A-Za-z0-9_+=,.@:/%-]*`$/)
    }),
    { numRuns: 300 },
  )
})
