// How the number of alerts would change with a threshold, so that a person can choose one: alerts per day for each value,
// the one in force marked. Pure.
import { nounOf } from '../alerts/comparison.ts'
import { measure, plainText, wholeNumber } from '../alerts/wording.ts'
import type { Sweep, SweepPoint } from './backtest.ts'
import { chartWidth, figure, tooltip, valueAxis } from './figure.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { linear, measureTicks } from './scale.ts'

const left = 48
const right = chartWidth - 16
const top = 30
const bottom = 176

/** What is varied, in a title. */
function subject({ parameter, field }: Sweep): string {
  if (parameter !== 'gte' && parameter !== 'gt') return parameter
  return `the number of ${field === null ? 'matching calls' : nounOf(field)[1]} (${parameter})`
}

/** What the parameter is, in words, below the axis. */
function meaning({ parameter, field }: Sweep): string {
  if (parameter === 'alpha') return 'alpha: a count less probable than this alerts (smaller is stricter)'
  if (parameter === 'gte' || parameter === 'gt')
    return `${field === null ? 'matching calls' : nounOf(field)[1]} in the window that alert${parameter === 'gt' ? ' when exceeded' : ''}`
  return plainText(parameter)
}

/** A parameter's value: exponents for probabilities, whole numbers for counts. */
function parameterValue(value: number): string {
  return value > 0 && value <= 0.01 ? value.toExponential().replace('e-0', 'e-') : String(value)
}

/** What the numbers say around the value in force: one step stricter, one step looser. */
function inWords(sweep: Sweep, days: number): string {
  const at = sweep.points.findIndex(({ value }) => value === sweep.current)
  const say = (point: SweepPoint | undefined): string | null =>
    point === undefined
      ? null
      : `${measure(point.alerts / days)} ${point.value === sweep.current ? `at ${parameterValue(point.value)}, which is in force` : `at ${parameterValue(point.value)}`}`
  const parts = [sweep.points[at], sweep.points[at - 1], sweep.points[at + 1]].map(say).filter(part => part !== null)
  return `Alerts per day: ${parts.join('; ')}.`
}

/** The chart of one sweep. `id` is ours, unique on the page; `days` is what alerts are divided by. */
export function sweepChart(id: string, sweep: Sweep, days: number): Markup {
  const { points, current, ruleId, parameter } = sweep
  const perDay = (alerts: number): number => alerts / days
  const most = Math.max(0, ...points.map(({ alerts, suppressed }) => perDay(alerts + suppressed)))
  const ticks = measureTicks(most, 4)
  const y = linear(0, ticks.at(-1) ?? 1, bottom, top)
  const slot = (right - left) / Math.max(1, points.length)
  const width = Math.min(64, slot * 0.62)
  const column = ({ value, alerts, suppressed }: SweepPoint, i: number): Markup => {
    const at = left + slot * (i + 0.5)
    const upper = y(perDay(alerts))
    const over = y(perDay(alerts + suppressed))
    const label = measure(perDay(alerts))
    const told = `${parameter} ${parameterValue(value)}: ${wholeNumber(alerts)} alerts, ${label} per day`
    const inForce = value === current
    return html`<g class="column${inForce && ' current'}">
      ${tooltip(suppressed > 0 ? `${told}, and ${wholeNumber(suppressed)} suppressed` : told)}
      ${
        suppressed > 0 &&
        html`<rect class="suppressed" x="${at - width / 2}" y="${over}" width="${width}" height="${upper - over}" />`
      }
      <rect class="alerts" x="${at - width / 2}" y="${upper}" width="${width}" height="${bottom - upper}" />
      <text x="${at}" y="${Math.min(over, upper) - 6}" text-anchor="middle">${label}</text>
      <text class="tick${inForce && ' in-force'}" x="${at}" y="${bottom + 18}" text-anchor="middle"
        >${parameterValue(value)}</text
      >
      ${inForce && html`<text class="in-force" x="${at}" y="${bottom + 34}" text-anchor="middle">in force</text>`}
    </g> `
  }
  return figure({
    id,
    title: `${ruleId}: alerts per day against ${subject(sweep)}`,
    description: inWords(sweep, days),
    height: bottom + 62,
    body: [
      html`<text class="tick" x="0" y="12">alerts per day</text>`,
      valueAxis(
        ticks.map(value => ({ value, label: measure(value) })),
        y,
        left,
        right,
      ),
      points.map(column),
      html`<text class="label" x="${(left + right) / 2}" y="${bottom + 54}" text-anchor="middle"
        >${meaning(sweep)}</text
      >`,
    ],
    legend: [
      [html`<g class="column current"><rect class="alerts" x="4" y="1" width="16" height="12" /></g>`, 'in force'],
      [html`<g class="column"><rect class="alerts" x="4" y="1" width="16" height="12" /></g>`, 'another value'],
      ...(points.some(({ suppressed }) => suppressed > 0)
        ? [[html`<rect class="suppressed" x="4" y="1" width="16" height="12" />`, 'suppressed'] as const]
        : []),
    ],
    tables: [
      {
        caption: `${ruleId} against ${parameter}`,
        heads: [parameter, 'alerts per day', 'alerts', 'suppressed'],
        rows: points.map(({ value, alerts, suppressed }) => [
          html`${parameterValue(value)}${value === current && ' (in force)'}`,
          perDay(alerts),
          alerts,
          suppressed,
        ]),
      },
    ],
    note: html`<p class="note">
      ${inWords(sweep, days)} Try another:
      <code>trailwarden replay --set ${ruleId}.${parameter}=${parameterValue(suggestion(sweep))}</code>
    </p>`,
  })
}

/** One step stricter: fewer alerts is what most people come for. */
function suggestion({ points, current, parameter }: Sweep): number {
  const at = points.findIndex(({ value }) => value === current)
  return points[parameter === 'alpha' ? at - 1 : at + 1]?.value ?? current
}
