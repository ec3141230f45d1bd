// Sweeps: every point is what a replay with that value gives, although all variants share one pass over the events.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Alert } from '../../../src/alerts/alert.ts'
import { EpisodeList } from '../../../src/commands/replay-episodes.ts'
import { remembering } from '../../../src/commands/replay-run.ts'
import { ruleSweeps } from '../../../src/commands/replay-sweeps.ts'
import { engineOptions, ruleSetFrom } from '../../../src/commands/rule-set.ts'
import { Engine } from '../../../src/detect/engine.ts'
import type { EngineOptions } from '../../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import type { RuleSet } from '../../../src/rules/rule.ts'
import { at, call, minute } from '../../harness/detection.ts'

const suppress = (alert: Alert): Alert =>
  alert.ruleId === 'secretsmanager-multi-region' && alert.principal.key === 'p3'
    ? { ...alert, suppressed: { id: 's', reason: 'r', owner: 'o' } }
    : alert
const options: EngineOptions = { ...engineOptions(), suppress }

/** Principal n walks through n regions and is denied 4 n secrets; p2 does so again an hour later. */
function* traffic(): Generator<CloudTrailEvent> {
  for (const [n, begin] of [
    [2, '9:00'],
    [3, '9:00'],
    [4, '9:00'],
    [6, '9:00'],
    [9, '9:00'],
    [2, '10:30'],
  ] as const) {
    const principal = { key: `p${n}`, kind: 'ROLE', name: `p${n}` } as const
    for (let step = 0; step < n; step++) {
      yield call(at(begin) + (step * minute) / 2, { principal, awsRegion: `region-${step}` })
      for (let denial = 0; denial < 4; denial++)
        yield call(at(begin) + (step * minute) / 2 + denial, {
          principal,
          eventName: 'GetSecretValue',
          errorCode: 'AccessDenied',
          outcome: 'DENIED',
          secrets: [`111122223333:us-east-1:s${step}-${denial}`],
        })
    }
  }
}

/** A principal whose state is as large as it gets: variants that shared one budget of state would push each other out. */
function* busy(): Generator<CloudTrailEvent> {
  const principal = { key: 'busy', kind: 'ROLE', name: 'busy' } as const
  for (let n = 0; n < 70; n++)
    yield call(at('9:00') + (n % 35) * 20_000 + Math.floor(n / 35) * 180 * minute, {
      principal,
      eventName: 'GetSecretValue',
      errorCode: 'AccessDenied',
      outcome: 'DENIED',
      userAgent: `agent-${n}-${'x'.repeat(500)}`,
      sourceIPAddress: `198.51.100.${n}`,
      secrets: [`111122223333:us-east-1:${'s'.repeat(180)}-${n}`],
    })
}
const events = [...traffic(), ...busy()].sort(
  (a, b) => a.principal.key.localeCompare(b.principal.key) || a.eventTime - b.eventTime,
)

function run(rules: RuleSet, engine: EngineOptions, take: (alert: Alert) => void): void {
  const transaction = new Engine(rules, engine).begin()
  for (const event of events) transaction.process(event, null, null)
  transaction.alerts.forEach(take)
}

test('each rule with a threshold has a sweep around the value in force', async () => {
  const sweeps = ruleSweeps(await ruleSetFrom([]), options)
  assert.deepEqual(
    sweeps.map(({ sweep: { ruleId, parameter, field, current } }) => [ruleId, parameter, field, current]),
    [
      ['secretsmanager-batch-retrieval', 'gte', null, 5],
      ['secretsmanager-denied-rate', 'alpha', null, 1e-6],
      ['secretsmanager-denied-retrieval', 'gte', null, 20],
      ['secretsmanager-distinct-secrets', 'gte', 'secrets', 20],
      ['secretsmanager-multi-region', 'gte', 'awsRegion', 5],
    ],
  )
  for (const { sweep } of sweeps) {
    const values = sweep.points.map(({ value }) => value)
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
    )
    assert.ok(values.includes(sweep.current) && values[0]! < sweep.current && values.at(-1)! > sweep.current)
    assert.ok(values.length <= 12)
  }
})

test('every point is what a replay with that value gives', async () => {
  const rules = remembering(await ruleSetFrom([]))
  for (const swept of ruleSweeps(rules, options)) {
    for (const event of events) swept.consider(event)
    for (const contender of swept.contenders) run(contender.rules, contender.engine, contender.take)
    const { ruleId, parameter, points } = swept.sweep
    for (const { value, alerts, suppressed } of points) {
      const episodes = new EpisodeList()
      run(await ruleSetFrom([], [`${ruleId}.${parameter}=${value}`]), options, alert => {
        if (alert.ruleId === ruleId) episodes.take(alert)
      })
      const hidden = episodes.episodes.filter(episode => episode.suppressed !== null).length
      assert.deepEqual(
        [alerts, suppressed],
        [episodes.episodes.length - hidden, hidden],
        `${ruleId} ${parameter}=${value}`,
      )
    }
    const counts = points.map(({ alerts }) => alerts)
    assert.ok(
      new Set(counts).size > 1 || ruleId === 'secretsmanager-distinct-secrets',
      `${ruleId}: ${counts.join(' ')}`,
    )
    if (ruleId === 'secretsmanager-multi-region') assert.ok(points.some(({ suppressed }) => suppressed > 0))
  }
})
