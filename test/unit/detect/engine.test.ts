// The engine on hand-made rules: the multi-region rule first, then duplicates, lateness, skew, silence, transactions.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Alert } from '../../../src/alerts/alert.ts'
import { Engine } from '../../../src/detect/engine.ts'
import {
  at,
  awsRegion,
  call,
  day,
  hour,
  minute,
  multiRegion,
  plainProse,
  rule,
  ruleSet,
  run,
  second,
  sourceIP,
  step,
} from '../../harness/detection.ts'

const regions = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-west-3']
const sweep = (start: number, count: number, gap = minute): ReturnType<typeof call>[] =>
  regions.slice(0, count).map((awsRegion, i) => call(start + i * gap, { awsRegion }))
const summary = (alerts: readonly Alert[]): string[] =>
  alerts.map(a => `${a.activity} ${a.totals.distinctValues} values ${a.count} events`)

describe('the multi-region rule', () => {
  test('fires at the fifth region within ten minutes', () => {
    const alerts = run(ruleSet([multiRegion]), sweep(at('10:00'), 5))
    assert.deepEqual(summary(alerts), ['CREATE 5 values 5 events'])
    const [alert] = alerts as [Alert]
    assert.equal(alert.dedupKey.split(':').at(-1), String(at('10:04')))
    assert.equal(alert.firstSeen, at('10:00'))
    assert.equal(alert.lastSeen, at('10:04'))
    assert.deepEqual(alert.window, { start: at('9:54'), end: at('10:04') })
    assert.deepEqual(
      alert.distinctValues.map(v => v.value),
      regions.slice(0, 5),
    )
    assert.deepEqual(alert.regions, regions.slice(0, 5).sort())
    assert.equal(alert.evidence.length, 5)
    assert.match(alert.explanation, /5 different regions/)
  })

  test('stays silent at four regions, however often they are called', () => {
    assert.deepEqual(run(ruleSet([multiRegion]), [...sweep(at('10:00'), 4), ...sweep(at('10:04'), 4, second)]), [])
  })

  test('does not see a region called exactly ten minutes before', () => {
    const events = [...sweep(at('10:00'), 4), call(at('10:10'), { awsRegion: 'eu-west-1' })]
    assert.deepEqual(run(ruleSet([multiRegion]), events), [])
  })

  test('sees a region called one millisecond less than ten minutes before', () => {
    const events = [...sweep(at('10:00'), 4), call(at('10:10') - 1, { awsRegion: 'eu-west-1' })]
    assert.deepEqual(summary(run(ruleSet([multiRegion]), events)), ['CREATE 5 values 5 events'])
  })

  test('updates with every new region under the same key and with nothing for a known one', () => {
    const events = [...sweep(at('10:00'), 7), call(at('10:07'))]
    const alerts = run(ruleSet([multiRegion]), events)
    assert.deepEqual(summary(alerts), [
      'CREATE 5 values 5 events',
      'UPDATE 6 values 6 events',
      'UPDATE 7 values 7 events',
    ])
    assert.equal(new Set(alerts.map(a => a.dedupKey)).size, 1)
    assert.deepEqual(
      alerts.map(a => a.sequence),
      [0, 1, 2],
    )
  })

  test('finds the window that an event arriving last completes', () => {
    const events = sweep(at('10:00'), 5)
    const late = events.splice(1, 1)
    const alerts = run(ruleSet([multiRegion]), [...events, ...late])
    assert.deepEqual(summary(alerts), ['CREATE 5 values 5 events'])
    assert.equal(alerts[0]?.dedupKey.split(':').at(-1), String(at('10:04')))
  })
})
