// What the shipped rules make of situations that a detection engineer would try first: attacks that must alert once, and
// everyday noise that must not. Raw CloudTrail records go through the normalizer and the engine, nothing is mocked.
import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { Alert } from '../../src/alerts/alert.ts'
import { engineOptions, ruleSetFrom } from '../../src/commands/rule-set.ts'
import { Engine } from '../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import { normalizeBytes } from '../../src/normalize/raw-value.ts'
import { defaultEnvelopeLimits } from '../../src/sources/envelope.ts'

const rules = await ruleSetFrom([])
const options = {
  keepRequestParameters: true,
  keepResponseElements: true,
  keepAdditionalEventData: true,
  sourceIdentity: 'trust',
  limits: defaultEnvelopeLimits,
} as const
const account = '111122223333'
const start = Date.UTC(2026, 0, 5, 9)
const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

interface Call {
  readonly at: number
  readonly name?: string
  readonly secret?: string
  readonly denied?: boolean
  readonly region?: string
  readonly identity?: object
}

let serial = 0
const user = { type: 'IAMUser', accountId: account, principalId: 'AIDAEXAMPLE', userName: 'someone' }
const role = (name: string, session: string) => ({
  type: 'AssumedRole',
  accountId: account,
  principalId: `AROA${name.toUpperCase()}:${session}`,
  arn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
  accessKeyId: `ASIA${session.toUpperCase()}`,
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: `AROA${name.toUpperCase()}`,
      arn: `arn:aws:iam::${account}:role/${name}`,
      accountId: account,
      userName: name,
    },
  },
})

function record(call: Call): object {
  return {
    eventVersion: '1.11',
    eventTime: `${new Date(start + call.at).toISOString().slice(0, 19)}Z`,
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: call.name ?? 'GetSecretValue',
    awsRegion: call.region ?? 'us-east-1',
    eventID: `event-${serial++}`,
    recipientAccountId: account,
    userIdentity: call.identity ?? user,
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.15',
    requestParameters: call.secret === undefined ? null : { secretId: call.secret },
    ...(call.denied ? { errorCode: 'AccessDenied', errorMessage: 'not authorized' } : {}),
  }
}

function alertsOf(calls: readonly Call[]): readonly Alert[] {
  const events: CloudTrailEvent[] = []
  for (const call of calls)
    normalizeBytes(Buffer.from(JSON.stringify(record(call))), options, {
      event: event => events.push(event),
      skipped: kind => assert.fail(kind),
      rejected: refusal => assert.fail(JSON.stringify(refusal)),
    })
  const transaction = new Engine(rules, engineOptions()).begin()
  for (const event of events.sort((a, b) => a.eventTime - b.eventTime)) transaction.process(event, null, null)
  return transaction.alerts.filter(alert => alert.suppressed === null)
}

/** Episodes told, by rule. */
function told(calls: readonly Call[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const alert of alertsOf(calls))
    if (alert.activity === 'CREATE') counts[alert.ruleId] = (counts[alert.ruleId] ?? 0) + 1
  return counts
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

describe('noise gives no alert', () => {
  test('10,000 denials by AWS services in a day', () => {
    const services = ['delivery.logs.amazonaws.com', 'config.amazonaws.com', 'access-analyzer.amazonaws.com']
    const calls = times(10_000, index => ({
      at: index * 8 * second,
      secret: `secret-${index % 500}`,
      denied: true,
      identity: { type: 'AWSService', invokedBy: services[index % services.length] },
    }))
    assert.deepEqual(told(calls), {})
  })

  test('a Terraform refresh: 40 reads of 15 secrets in a minute, repeated every hour', () => {
    const calls = times(24 * 40, index => ({
      at: Math.floor(index / 40) * hour + (index % 40) * 1500,
      secret: `app/${index % 15}`,
      identity: role('terraform', 'apply'),
    }))
    assert.deepEqual(told(calls), {})
  })

  test('a new CI role that is denied twice', () => {
    const calls = times(2, index => ({
      at: index * minute,
      secret: `ci/${index}`,
      denied: true,
      identity: role('ci', 'build-1'),
    }))
    assert.deepEqual(told(calls), {})
  })

  test('one secret retried 15 times by a broken deployment', () => {
    assert.deepEqual(told(times(15, index => ({ at: index * 10 * second, secret: 'app/db', denied: true }))), {})
  })

  test('batch reads in four regions within ten minutes', () => {
    const calls = times(4, index => ({ at: index * minute, name: 'BatchGetSecretValue', region: `region-${index}` }))
    assert.equal(told(calls)['secretsmanager-multi-region'], undefined)
  })
})

describe('attacks give one alert each', () => {
  test('a principal never seen before is denied on 6 different secrets', () => {
    const calls = times(6, index => ({ at: index * 20 * second, secret: `prod/${index}`, denied: true }))
    assert.deepEqual(told(calls), { 'secretsmanager-denied-rate': 1 })
  })

  test('the same spread over 40 role sessions', () => {
    const calls = times(40, index => ({
      at: index * 15 * second,
      secret: `prod/${index % 12}`,
      denied: true,
      identity: role('assumed', `s${index}`),
    }))
    assert.equal(told(calls)['secretsmanager-denied-rate'], 1)
    const last = alertsOf(calls).findLast(alert => alert.ruleId === 'secretsmanager-denied-rate')!
    assert.ok(last.totals.sessionNames > 20)
  })

  test('batch reads in five regions within ten minutes', () => {
    const calls = times(5, index => ({
      at: index * 2 * minute,
      name: 'BatchGetSecretValue',
      region: `region-${index}`,
    }))
    assert.equal(told(calls)['secretsmanager-multi-region'], 1)
  })

  test('a principal that ramps up over two weeks, doubling every two days', () => {
    // 0.05 denials an hour, doubled every two days: at most six an hour on day 14, which no fixed count an hour would see.
    const calls: Call[] = times(400, index => ({ at: index * hour, secret: 'own/secret' }))
    let due = 0
    for (let tick = 0; tick < 16 * 48; tick++) {
      due += 0.05 * 2 ** (tick / 96) * 0.5
      for (; due >= 1; due--)
        calls.push({
          at: 20 * day + tick * 30 * minute + Math.floor(due) * second,
          secret: `ramp/${calls.length % 40}`,
          denied: true,
        })
    }
    const alerts = alertsOf(calls).filter(alert => alert.ruleId === 'secretsmanager-denied-rate')
    const creates = alerts.filter(alert => alert.activity === 'CREATE')
    assert.ok(creates.length >= 1, 'the ramp is seen')
    const days = (creates[0]!.firstSeen - start) / day - 20
    assert.ok(days > 6 && days < 15, `seen on day ${days.toFixed(1)}`)
  })
})
