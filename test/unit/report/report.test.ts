// The page as a whole: what it says, that nothing from the data becomes markup, that it stays bounded, and its policy.
// test/integration/report-browser.test.ts opens it in a real browser.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Alert } from '../../../src/alerts/alert.ts'
import { mostCards } from '../../../src/report/chart-choice.ts'
import { reportHtml } from '../../../src/report/report.ts'
import type { Episode } from '../../../src/report/backtest.ts'
import { at, call, hour, minute, plainProse } from '../../harness/detection.ts'
import { hostileText } from '../alerts/samples.ts'
import { backtestOf, missionEvents, missionRules, skeleton } from './backtests.ts'

const mission = backtestOf(missionRules, missionEvents())
const count = (text: string, part: string | RegExp) => text.split(part).length - 1

test('the page says what was read, what came out, and how it would change', () => {
  const { page, result } = mission
  assert.ok(page.startsWith('<!doctype html>\n<html lang="en">'))
  for (const { dedupKey, alert } of result.episodes) {
    assert.ok(page.includes(dedupKey))
    assert.ok(page.includes(alert!.explanation.slice(0, 60)))
  }
  assert.ok(page.includes(result.input.events.toLocaleString('en')))
  for (const id of ['summary', 'alerts', 'thresholds', 'principals', 'suppressed', 'input'])
    assert.equal(count(page, `<section id="${id}"`), 1, id)
})

test('marks: a sign per alert, a circle per sighting, a column per value of a threshold', () => {
  const { page, result, series } = mission
  assert.equal(count(page, '<g class="mark"'), result.episodes.length)
  const regions = [...series.charts.values()].find(chart => chart.kind === 'count' && chart.rows.length > 0)
  assert.ok(regions?.kind === 'count' && regions.rows.length === 7)
  assert.equal(count(page, '<circle class="seen"'), regions.marks.length + 1, 'and one in the legend')
  const points = result.sweeps.filter(({ points }) => points.some(({ alerts }) => alerts > 0)).flatMap(s => s.points)
  assert.ok(points.length > 20)
  assert.equal(count(page, '<text class="in-force"'), 3)
  assert.equal(count(page, /<g class="column(?: current)?">\s*<title>/), points.length)
})

test('the same input gives the same bytes', () => {
  assert.equal(reportHtml(mission.result, mission.series), mission.page)
})

test('the policy allows this style and this script, and nothing else', () => {
  const { page } = mission
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!
  const directives = new Map(policy.split('; ').map(text => [text.split(' ')[0], text.split(' ').slice(1).join(' ')]))
  assert.equal(directives.get('default-src'), "'none'")
  for (const element of ['style', 'script']) {
    const bodies = [...page.matchAll(new RegExp(`<${element}[^>]*>([^]*?)</${element}>`, 'g'))]
    assert.equal(bodies.length, 1)
    const hash = createHash('sha256').update(bodies[0]![1]!).digest('base64')
    assert.equal(directives.get(`${element}-src`), `'sha256-${hash}'`)
  }
  assert.doesNotMatch(page.replace(/<style>[^]*<\/style>/, ''), / style=| on[a-z]+=|javascript:|https?:\/\//)
})

/** Words of ours that decide what is drawn; every other text can come from CloudTrail, a file or the command line. */
const ours = ['severity', 'level', 'kind', 'change', 'parameter', 'activity', 'model']

/** The value with `text` before every text in it, so that what was equal stays equal. */
function prefixed<T>(value: T, text: string, key = ''): T {
  const inner = (one: unknown, name = ''): unknown => prefixed(one, text, name)
  if (typeof value === 'string') return (ours.includes(key) ? value : text + value) as T
  if (Array.isArray(value)) return value.map(one => inner(one)) as T
  if (value instanceof Map) return new Map(Array.from(value, ([name, one]) => [inner(name), inner(one)])) as T
  if (value === null || typeof value !== 'object') return value
  const object = key === 'rejected' || key === 'skipped' ? { [text]: 5 } : value
  return Object.fromEntries(Object.entries(object).map(([name, one]) => [name, inner(one, name)])) as T
}

const everything = (() => {
  const suppress = (alert: Alert): Alert => ({
    ...alert,
    runbook: 'one\ntwo',
    group: [{ field: 'awsRegion', value: 'eu-west-1' }],
    mergedInto: alert.dedupKey,
    suppressed: alert.anomaly === null ? { id: 'id', reason: 'why', owner: 'who' } : null,
  })
  const events = missionEvents().slice(-120)
  const { result, series } = backtestOf(missionRules, events, { changed: ['x'] }, { ...plainProse, suppress })
  const changes = [{ change: 'changed' as const, before: result.episodes.slice(0, 1), after: result.episodes.slice(1) }]
  return { result: { ...result, comparison: { against: 'old', changes, unchanged: 2 } }, series }
})()

function pageWith(text: string): string {
  const { result, series } = prefixed(everything, text)
  return reportHtml(result, series)
}

const attacks = [
  '<script>alert(1)</script>',
  '</script><script>alert(1)</script>',
  '</style><img src=x onerror=alert(1)>',
  '" onmouseover="alert(1)" x="',
  "' onfocus='alert(1)' autofocus='",
  '`${alert(1)}`',
  '--><svg/onload=alert(1)>',
  '</title></desc></svg><b>',
  ']]><!--',
  'a\u202egnp.exe\u2066\u2069\u200f',
  '&lt;script&gt;&#60;&#x3c;',
  '\u0000\u001b[2J\ud800<',
  '__proto__',
]

test('no value changes the skeleton of the page', () => {
  const expected = skeleton(pageWith('text'))
  assert.ok(expected.length > 1000)
  for (const text of attacks) {
    const page = pageWith(text)
    assert.deepEqual(skeleton(page), expected, JSON.stringify(text))
    assert.doesNotMatch(page, /\p{Bidi_Control}|(?!\n)\p{Cc}/u, JSON.stringify(text))
  }
})

test('nor does any other text', () => {
  const expected = skeleton(pageWith('text'))
  fc.assert(
    fc.property(hostileText(30), text => {
      assert.deepEqual(skeleton(pageWith(text)), expected)
    }),
    { numRuns: 40 },
  )
})

test('a backtest without events, and one without alerts, are pages too', () => {
  const empty = backtestOf(missionRules, []).page
  assert.ok(empty.includes('No rule alerted.') && empty.includes('No alerts in this input.'))
  assert.ok(!empty.includes('NaN') && !empty.includes('Infinity'))
  const calm = backtestOf(missionRules, [call(at('9:00')), call(at('9:01'))]).page
  assert.ok(calm.includes('No alerts in this input.') && calm.includes('timeline-chart'))
  assert.ok(!calm.includes('NaN') && !calm.includes('id="filters"'))
})

test('one event alone has a timeline', () => {
  const { page } = backtestOf(missionRules, [call(at('9:00'))])
  assert.equal(count(page, 'id="timeline-chart"'), 1)
  assert.ok(!page.includes('NaN'))
})

test('late, rejected and skipped are accounted for, with what they mean', () => {
  const { page } = backtestOf(missionRules, missionEvents(), {
    input: {
      kind: 'topic',
      files: 0,
      late: 17,
      skewed: 3,
      rejected: { 'bad-gzip': 5, 'not-json': 1 },
      skipped: { digest: 7 },
    },
  })
  assert.ok(/Late<\/th>\s*<td class="number">17</.test(page))
  assert.ok(/Clock skew<\/th>\s*<td class="number">3</.test(page))
  assert.ok(/<code>bad-gzip<\/code><\/th>\s*<td class="number">5<\/td>\s*<td>gzip that does not unpack</.test(page))
  assert.ok(/<code>digest<\/code><\/th>\s*<td class="number">7</.test(page))
  assert.ok(/Rejected<\/th>\s*<td class="number">6</.test(page))
})

test('suppressed alerts are shown as such, with their reason', () => {
  const reason = { id: 'inventory', reason: 'the monthly job', owner: 'platform' }
  const suppress = (alert: Alert): Alert => ({ ...alert, suppressed: alert.anomaly === null ? reason : null })
  const { page, result } = backtestOf(missionRules, missionEvents(), {}, { ...plainProse, suppress })
  const suppressed = result.episodes.filter(episode => episode.suppressed !== null).length
  assert.equal(suppressed, 2)
  assert.equal(count(page, 'data-suppressed="yes"'), 3 * suppressed, 'sign, row and card')
  assert.ok(page.includes('the monthly job') && page.includes('hollow: suppressed'))
})

test('ten thousand alerts make a page of bounded size that says what it leaves out', () => {
  const [episode] = mission.result.episodes
  const alert = episode!.alert!
  const episodes: Episode[] = Array.from({ length: 10_000 }, (_, i) => ({
    ...episode!,
    dedupKey: `key-${i}`,
    firstSeen: at('9:00') + i * minute,
    lastSeen: at('9:00') + i * minute + 30_000,
    alert: i < 2000 ? { ...alert, dedupKey: `key-${i}` } : null,
  }))
  const { page } = backtestOf(missionRules, missionEvents(), { episodes })
  assert.ok(page.length < 6e6, `${page.length} characters`)
  assert.equal(count(page, '<article'), mostCards)
  assert.ok(page.includes('9,800 more alerts are in the list only'))
  assert.ok(page.includes('9,000 more alerts not shown.'), 'rows of the list')
  assert.ok(page.includes('9,500 more alerts not shown.'), 'signs of the timeline')
})

test('the gravest alerts get the cards', () => {
  const [episode] = mission.result.episodes
  const episodes: Episode[] = Array.from({ length: 300 }, (_, i) => ({
    ...episode!,
    dedupKey: `key-${i}`,
    firstSeen: at('9:00') + i * hour,
    severity: i >= 290 ? 'critical' : 'low',
  }))
  const { page } = backtestOf(missionRules, missionEvents(), { episodes })
  for (let i = 290; i < 300; i++) assert.match(page, new RegExp(`<article[^>]*data-key="key-${i}"`))
})
