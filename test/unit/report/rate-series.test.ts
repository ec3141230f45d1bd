// The series of rate rules: predictions are those the alert was judged by, counts are those of the window, the threshold is
// the smallest count that alerts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { negativeBinomialTail } from '../../../src/detect/rate-tail.ts'
import { smallestCount } from '../../../src/report/rate-series.ts'
import type { RateSeries } from '../../../src/report/rate-series.ts'
import { at, call, day, hour, minute, rateRule, ruleSet } from '../../harness/detection.ts'
import { backtestOf, denied, missionEvents, missionRules } from './backtests.ts'

function rateSeriesOf(events = missionEvents(), rules = missionRules): { series: RateSeries; dedupKey: string }[] {
  const made = backtestOf(rules, events)
  return [...made.series.charts].flatMap(([dedupKey, series]) => (series.kind === 'rate' ? [{ dedupKey, series }] : []))
}

test('the smallest count is the one whose tail first falls to the probability', () => {
  for (const [p, size, mean] of [
    [1e-6, 0.4, 0.03],
    [0.01, 2, 5],
    [1e-12, 0.5, 400],
    [0.5, 1, 0.001],
  ] as const) {
    const count = smallestCount(p, size, mean)
    assert.ok(negativeBinomialTail(count, size, mean) <= p)
    assert.ok(count === 1 || negativeBinomialTail(count - 1, size, mean) > p)
  }
})

test('the prediction at the time of the alert is the one in the alert', () => {
  const { result, series } = backtestOf(missionRules, missionEvents())
  const episode = result.episodes.find(({ ruleId }) => ruleId === 'secretsmanager-denied-rate')!
  const { anomaly, window } = episode.alert!
  const chart = series.charts.get(episode.dedupKey) as RateSeries
  const near = chart.predicted.findLast(({ time }) => time <= window.end)!
  assert.ok(Math.abs(near.expected / anomaly!.expected - 1) < 0.01, `${near.expected} against ${anomaly!.expected}`)
  assert.equal(chart.steps.findLast(({ time }) => time <= window.end)!.count, anomaly!.count)
  assert.ok(anomaly!.count >= near.threshold && near.upper < near.threshold)
})

test('the threshold is the count at which the detector alerts, and one fewer does not', () => {
  const history = missionEvents().filter(({ eventTime }) => eventTime < at('9:00') + 30 * day)
  const strike = at('10:20') + 30 * day + 5 * hour
  const alertsWith = (count: number) => {
    const burst = Array.from({ length: count }, (_, i) => denied(strike + i * 1000, 100 + i))
    return backtestOf(missionRules, [...history, ...burst]).result.episodes.filter(
      ({ firstSeen }) => firstSeen >= strike,
    )
  }
  const many = Array.from({ length: 60 }, (_, i) => denied(strike + i * 1000, 100 + i))
  const { threshold } = rateSeriesOf([...history, ...many])
    .at(-1)!
    .series.predicted.findLast(p => p.time <= strike)!
  assert.ok(threshold > 5, 'the history matters here')
  assert.equal(alertsWith(threshold).length, 1)
  assert.equal(alertsWith(threshold - 1).length, 0)
})

test('a new principal has no prediction before its first event, and min-count for a threshold', () => {
  const first = at('9:24')
  const [only] = rateSeriesOf(Array.from({ length: 8 }, (_, i) => denied(first + i * 20_000, i)))
  assert.equal(only!.series.predicted[0]!.time, first)
  assert.ok(only!.series.from < first && only!.series.from > first - hour)
  assert.ok(only!.series.predicted.every(({ threshold }) => threshold === 5))
})

test('what comes after the last event is predicted too, until the window is empty again', () => {
  const [only] = rateSeriesOf()
  const { predicted, steps, to } = only!.series
  assert.equal(predicted.length, 96)
  assert.ok(Math.abs(predicted.at(-1)!.time - to) <= 1)
  assert.equal(steps.at(-1)!.count, 0)
})

test('two episodes of one principal have a chart each, of their own time', () => {
  const later = missionEvents().at(-1)!.eventTime + 3 * hour
  const again = Array.from({ length: 40 }, (_, i) => denied(later + i * 20_000, 200 + i))
  const charts = rateSeriesOf([...missionEvents(), ...again])
  assert.equal(charts.length, 2)
  const [one, two] = charts.map(({ series }) => series)
  assert.ok(one!.to < two!.to)
  assert.equal(one!.predicted.length, 96)
  assert.equal(two!.predicted.length, 96)
  for (const { predicted } of [one!, two!])
    assert.deepEqual(
      predicted.map(({ time }) => time),
      predicted.map(({ time }) => time).toSorted((a, b) => a - b),
    )
})

test('only events of the rule, principal and group are counted', () => {
  const grouped = rateRule('per-region', { feeds: [0] })
  const rules = ruleSet(
    [{ ...grouped, groupBy: [{ name: 'awsRegion', read: event => event.awsRegion }] }],
    [event => event.eventName === 'GetSecretValue'],
  )
  const events = Array.from({ length: 9 }, (_, i) => denied(at('9:00') + i * minute, i))
  const elsewhere = events
    .map(event => ({ ...event, eventId: `${event.eventId}-b`, awsRegion: 'eu-west-1' }))
    .slice(0, 4)
  const others = [call(at('9:03')), denied(at('9:04'), 1, { principal: { key: 'other', kind: 'ROLE', name: 'other' } })]
  const all = [...events, ...elsewhere, ...others].sort((a, b) => a.eventTime - b.eventTime)
  const [only, ...none] = rateSeriesOf(all, rules)
  assert.equal(none.length, 0)
  assert.equal(Math.max(...only!.series.steps.map(({ count }) => count)), 9)
})
