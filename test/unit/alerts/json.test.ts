// alertToJson: exactly the fields of Alert, RFC 3339 times, one safe line.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertToJson } from '../../../src/alerts/json.ts'
import type { Alert } from '../../../src/alerts/alert.ts'
import { rateAlert, regionAlert } from './samples.ts'

/** The line as its reader sees it: an Alert whose times are text. */
type Line = Omit<Alert, 'firstSeen' | 'lastSeen' | 'detectedAt' | 'window' | 'distinctValues' | 'evidence'> & {
  firstSeen: string
  lastSeen: string
  detectedAt: string
  window: { start: string; end: string }
  distinctValues: { value: string; first: string; last: string; count: number }[]
  evidence: { eventTime: string }[]
}

function parsed(alert: Alert): Line {
  return JSON.parse(alertToJson(alert)) as Line
}

test('the fields are those of Alert, in its order, and only the times differ', () => {
  const alert = rateAlert()
  const view = parsed(alert)
  const back = {
    ...view,
    firstSeen: Date.parse(view.firstSeen),
    lastSeen: Date.parse(view.lastSeen),
    detectedAt: Date.parse(view.detectedAt),
    window: { start: Date.parse(view.window.start), end: Date.parse(view.window.end) },
    distinctValues: view.distinctValues.map(d => ({
      ...d,
      first: Date.parse(d.first),
      last: Date.parse(d.last),
    })),
    evidence: view.evidence.map(e => ({ ...e, eventTime: Date.parse(e.eventTime) })),
  }
  assert.deepEqual(back, alert)
  assert.deepEqual(Object.keys(view), Object.keys(alert))
})

test('times are RFC 3339 UTC with milliseconds', () => {
  const view = parsed(regionAlert())
  const times = [view.firstSeen, view.lastSeen, view.detectedAt, view.window.start, view.window.end]
  for (const d of view.distinctValues) times.push(d.first, d.last)
  for (const e of view.evidence) times.push(e.eventTime)
  assert.equal(times.length, 5 + 14 + 2)
  for (const time of times) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('null fields are present, numbers stay numbers', () => {
  const view = parsed(regionAlert({ input: null }))
  for (const field of ['mergedInto', 'anomaly', 'input', 'suppressed'] as const) assert.equal(view[field], null, field)
  assert.equal(view.count, 9)
  assert.equal(parsed(rateAlert()).anomaly?.pValue, 2.1e-14)
})

test('a suppressed alert says by whom and why', () => {
  const suppressed = { id: 's1', reason: 'known', owner: 'team' }
  assert.deepEqual(parsed(regionAlert({ suppressed })).suppressed, suppressed)
})

test('one line, well formed, without characters that a terminal obeys', () => {
  const agent = 'x\n\u001b[31m\u009b31m\u0085\u2028\u2029\u007f\ud800"\\é👍'
  const line = alertToJson(regionAlert({ userAgents: [agent], explanation: agent }))
  assert.doesNotMatch(line, /\p{Cc}|[\u2028\u2029]/u)
  assert.ok(line.isWellFormed())
  assert.deepEqual((JSON.parse(line) as Line).userAgents, [agent])
})
