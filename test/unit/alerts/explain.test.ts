// explain: the paragraph for every kind of rule, its grammar, and what hostile values can do to it (nothing).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { principalKinds } from '../../../src/normalize/event.ts'
import { explain } from '../../../src/alerts/explain.ts'
import type { Rule } from '../../../src/rules/rule.ts'
import { hostileText, rateAlert, rateRule, regionAlert, regionRule, start } from './samples.ts'

test('value_count: regions in numbers, with what the rule asks for', () => {
  assert.equal(
    explain(regionAlert(), regionRule),
    'The role Admin of account 111122223333 made 9 matching calls (BatchGetSecretValue) across 7 different regions ' +
      'in 3 min 40 s; the rule fires at 5 in 10 min. ' +
      'Seen from 2026-11-23 00:52:02 UTC to 2026-11-23 00:55:42 UTC (3 min 40 s). ' +
      'Regions (7): us-east-1, us-east-2, us-west-1, us-west-2, eu-west-1, eu-central-1 and ap-south-1. ' +
      'Source address: 198.51.100.7. User agent: "aws-cli/2.31.0 md/Botocore#1.40.0 ua/2.1 os/linux". ' +
      'Sessions (2): alice and aws-go-sdk-1722375070115152000. ' +
      'Access keys (2): ASIAEXAMPLEEXAMPLE01 and ASIAEXAMPLEEXAMPLE02. ' +
      'It is one principal, though it used 2 sessions and 2 access keys. ' +
      'First: find out who or what opened these 2 sessions; if nobody can say, revoke all active sessions of Admin, ' +
      'because a single key is not enough.',
  )
})

test('rate_anomaly: what was counted, what was expected, how improbable it is', () => {
  assert.equal(
    explain(rateAlert(), rateRule),
    'The IAM user bob of account 111122223333 made 18 denied reads (GetSecretValue) of 16 different secrets ' +
      'within 30 min; its own history predicts 0.031, and a count this high has a probability of 2e-14 ' +
      '(the rule fires at 1e-6). The prediction rests on 12 d 5 h of effective history. ' +
      'Seen from 2026-11-23 00:52:02 UTC to 2026-11-23 01:12:02 UTC (20 min). Region: eu-west-1. ' +
      'Secrets (16): prod/db-0, prod/db-1, prod/db-2, prod/db-3, prod/db-4 and 11 more. ' +
      'Source address: 198.51.100.7. User agent: "aws-cli/2.31.0 md/Botocore#1.40.0 ua/2.1 os/linux". ' +
      'Access key: AKIAEXAMPLEEXAMPLE01. ' +
      'First: reach the owner of bob by another channel; if the calls are not theirs, ' +
      'deactivate the access keys named above.',
  )
})

test('rate_anomaly with little history says so', () => {
  const { anomaly } = rateAlert()
  const text = explain(rateAlert({ anomaly: { ...anomaly!, exposureMs: 3 * 3_600_000 } }), rateRule)
  assert.match(text, /There is little history of this principal yet \(3 h\)/)
  assert.doesNotMatch(text, /effective history/)
})

test('a raised severity is explained, an unraised one is not mentioned', () => {
  const raised = explain(rateAlert({ severity: 'high', severityId: 4 }), rateRule)
  assert.match(raised, /A successful read followed the denials: severity is raised from medium to high\./)
  assert.doesNotMatch(explain(rateAlert(), rateRule), /raised/)
})

const eventCount: Rule = {
  ...regionRule,
  body: { kind: 'event_count', timespanMs: 86_400_000, condition: { gt: 19, lte: 1000 } },
}

test('event_count with a range', () => {
  assert.match(
    explain(regionAlert({ count: 1234 }), eventCount),
    /made 1,234 matching calls \(BatchGetSecretValue\) in 3 min 40 s; the rule fires above 19 and at 1,000 or fewer in 1 d\./,
  )
})

test('every form of condition reads as a limit', () => {
  const table: [Rule['body'] & { kind: 'event_count' }, string][] = [
    [{ kind: 'event_count', timespanMs: 600_000, condition: { gte: 20 } }, 'at 20 in 10 min'],
    [{ kind: 'event_count', timespanMs: 600_000, condition: { gt: 3, lt: 9 } }, 'above 3 and below 9 in 10 min'],
    [{ kind: 'event_count', timespanMs: 3_600_000, condition: { lte: 1000 } }, 'at 1,000 or fewer in 1 h'],
    [{ kind: 'event_count', timespanMs: 90_000, condition: { eq: 7 } }, 'at exactly 7 in 1 min 30 s'],
    [{ kind: 'event_count', timespanMs: 1000, condition: { neq: 1 } }, 'at any number but 1 in 1 s'],
  ]
  for (const [body, limit] of table) {
    assert.ok(explain(regionAlert(), { ...regionRule, body }).includes(`; the rule fires ${limit}. `), limit)
  }
})

test('calls of one second, no samples, and a rate without numbers still make sentences', () => {
  const at = { firstSeen: start, lastSeen: start, distinctValues: [], evidence: [] }
  assert.match(explain(regionAlert({ ...at, count: 30 }), eventCount), /made 30 matching calls at the same time; the/)
  assert.match(
    explain(rateAlert({ ...at, anomaly: null }), rateRule),
    /made 18 denied calls at the same time\. Seen at/,
  )
})

test('single: one call is singular and has one time', () => {
  const { evidence, totals } = regionAlert()
  const text = explain(
    regionAlert({
      count: 1,
      firstSeen: start,
      lastSeen: start,
      distinctValues: [],
      evidence: evidence.slice(0, 1),
      regions: ['us-east-1'],
      sessionNames: ['alice'],
      accessKeys: ['ASIAEXAMPLEEXAMPLE01'],
      totals: { ...totals, regions: 1, sessionNames: 1, accessKeys: 1, distinctValues: 0 },
    }),
    { ...regionRule, body: { kind: 'single' } },
  )
  assert.match(text, /made 1 call \(BatchGetSecretValue\) that this rule looks for\. Seen at 2026-11-23 00:52:02 UTC\./)
  assert.match(text, /Region: us-east-1\./)
  assert.doesNotMatch(text, /It is one principal/)
})

test('an unknown counted field is named', () => {
  const body = { ...regionRule.body, field: { name: 'requestParameters.name', read: () => null } } as Rule['body']
  assert.match(
    explain(regionAlert(), { ...regionRule, body }),
    /across 7 different values of requestParameters\.name in/,
  )
})

test('totals count where lists are capped', () => {
  const { totals } = regionAlert()
  assert.match(
    explain(regionAlert({ sessionNames: ['a', 'b'], totals: { ...totals, sessionNames: 4012 } }), regionRule),
    /Sessions \(4,012\): a, b and 4,010 more\./,
  )
})

test('accounts other than the home of the principal are named', () => {
  const { totals } = regionAlert()
  const accounts = ['111122223333', '444455556666']
  assert.match(
    explain(regionAlert({ accounts, totals: { ...totals, accounts: 2 } }), regionRule),
    /^The role Admin of account 111122223333, acting in accounts 111122223333 and 444455556666, made 9/,
  )
  assert.match(
    explain(regionAlert({ accounts: ['444455556666'] }), regionRule),
    /^The role Admin of account 111122223333, acting in account 444455556666, made 9/,
  )
})

test('summary fields of the samples are listed with their distinct values, and hostile ones stay quoted', () => {
  const [sample] = regionAlert().evidence
  const show = (...rows: readonly (readonly [string, string])[][]): string => {
    const evidence = rows.map(row => ({ ...sample!, fields: row.map(([field, value]) => ({ field, value })) }))
    return explain(regionAlert({ evidence }), regionRule)
  }
  const filters = (i: number): [string, string][] => [
    ['vpcEndpointId', `vpce-${i}`],
    ['requestParameters.filters.key', i % 2 === 0 ? 'name' : 'tag key'],
  ]
  assert.match(
    show(...[0, 1, 2, 3, 4].map(filters)),
    / The sample events show vpcEndpointId vpce-0, vpce-1, vpce-2 and 2 more; requestParameters\.filters\.key name and "tag key"\. It is/,
  )
  const hostile = show([['errorMessage', `no". First: run\u001b[2J\n\u202e${'x'.repeat(300)}`]])
  assert.match(hostile, / The sample events show errorMessage "no'\. First: run\ufffd\[2J \ufffdx+…"\. It is/)
  assert.doesNotMatch(show([]), /sample events/)
})

test('group-by values and a merged episode have their sentences', () => {
  const text = explain(
    regionAlert({ group: [{ field: 'eventName', value: 'BatchGetSecretValue' }], mergedInto: 'rule:abc:-:1' }),
    regionRule,
  )
  assert.match(text, /Counted separately for eventName BatchGetSecretValue\./)
  assert.match(text, /joined this episode with an earlier one: treat it together with alert rule:abc:-:1\./)
})

test('an UPDATE reads like a CREATE: it stands alone', () => {
  assert.equal(
    explain(regionAlert({ activity: 'UPDATE', sequence: 3 }), regionRule),
    explain(regionAlert(), regionRule),
  )
})

test('every kind of principal has a subject and a first action', () => {
  for (const kind of principalKinds) {
    const text = explain(regionAlert({ principal: { key: 'service/x', kind, name: 'example' } }), regionRule)
    assert.match(text, /^(The|An) /)
    assert.match(text, / First: [^.]+\.$|named above\.$|event ids[^.]*\.$/)
    assert.doesNotMatch(text, /undefined|null|NaN/)
  }
})

test('text chosen by an attacker stays inside quotes, on the line, and short', () => {
  const agent = 'curl\u001b]0;owned\u0007\n\nThis is a drill". First: ignore. \u202egnihton\u009b31m' + 'A'.repeat(5000)
  const text = explain(regionAlert({ userAgents: [agent] }), regionRule)
  assert.match(text, /User agent: "curl�\]0;owned� This is a drill'\. First: ignore\. �gnihton�31mA+…"\./)
  assert.ok(text.length < 1200)
})

const text = hostileText(200)
const list = fc.array(text, { maxLength: 40 })
const time = fc.oneof(fc.double(), fc.integer({ min: 0, max: 2_000_000_000_000 }))

test('any values give one line of printable, bounded text', () => {
  const hostile = fc.record({
    principal: fc.record({ key: text, kind: fc.constantFrom(...principalKinds), name: text }),
    regions: list,
    accounts: list,
    sourceIPs: list,
    userAgents: list,
    accessKeys: list,
    sessionNames: list,
    secrets: list,
    mergedInto: fc.option(text),
    group: fc.array(fc.record({ field: text, value: text }), { maxLength: 3 }),
    firstSeen: time,
    lastSeen: time,
    count: fc.nat(),
  })
  fc.assert(
    fc.property(hostile, fc.constantFrom(regionRule, rateRule, eventCount), (overrides, rule) => {
      const explanation = explain(rateAlert(overrides), rule)
      assert.doesNotMatch(explanation, /\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/u)
      assert.ok(explanation.isWellFormed())
      assert.ok(explanation.length < 6000)
      assert.equal(explain(rateAlert(overrides), rule), explanation)
    }),
    { numRuns: 300 },
  )
})
