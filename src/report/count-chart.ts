// A counting rule around one alert: the values seen over time (the regions), and how many of them the sliding window held
// against the number that alerts. Pure.
import { bounds, nounOf } from '../alerts/comparison.ts'
import { duration, plainText, utc, wholeNumber } from '../alerts/wording.ts'
import type { Condition, Rule } from '../rules/rule.ts'
import type { CountSeries } from './count-series.ts'
import { chartWidth, figure, moreNote, stepPath, timeAxis, tooltip, valueAxis } from './figure.ts'
import { html } from './markup.ts'
import type { Markup, Value } from './markup.ts'
import { countTicks, linear, timeTicks } from './scale.ts'

const left = 232
const right = chartWidth - 16
const rowHeight = 20
const panelHeight = 104

/** The smallest count at which the condition holds, where more can only make it true; null for any other condition. */
export function lowest({ gt, gte, lt, lte, eq, neq }: Condition): number | null {
  if (lt !== undefined || lte !== undefined || eq !== undefined || neq !== undefined) return null
  return Math.max(gte === undefined ? 0 : Math.ceil(gte), gt === undefined ? 0 : Math.floor(gt) + 1)
}

/** The chart of one episode. `id` is ours, unique on the page. */
export function countChart(id: string, rule: Rule, series: CountSeries): Markup | null {
  const { body } = rule
  if (body.kind !== 'event_count' && body.kind !== 'value_count') return null
  const [one, many] = body.kind === 'value_count' ? nounOf(body.field.name) : ['call', 'matching calls']
  const { from, to, rows, marks, steps } = series
  const shared = sharedPrefix(rows)
  const threshold = lowest(body.condition)
  const most = Math.max(1, ...steps.map(({ count }) => count))
  const ticks = countTicks(Math.max(most, threshold ?? 0), 4)
  const x = linear(from, to, left, right)
  const rowsTop = 8
  const panelTop = rowsTop + rows.length * rowHeight + (rows.length > 0 ? 30 : 14)
  const bottom = panelTop + panelHeight
  const y = linear(0, ticks.at(-1) ?? 1, bottom, panelTop)
  const span = duration(body.timespanMs)
  return figure({
    id,
    title: `${capital(many)} in the last ${span}${rows.length === 0 ? '' : `, and when each was seen${shared === '' ? '' : `, all in ${plainText(shared.slice(0, -1), 60)}`}`}`,
    description: `At most ${wholeNumber(most)} ${most === 1 ? one : many} within ${span}; the rule fires ${bounds(body.condition)}. From ${utc(from)} to ${utc(to)}.`,
    height: bottom + 28,
    body: [
      timeAxis(timeTicks(from, to, 7), x, rowsTop, bottom),
      rows.map((value, row) => rowOf(value, value.slice(shared.length), row, marks, x)),
      html`<text class="label" x="0" y="${panelTop + 12}">${capital(many)}</text
        ><text class="label" x="0" y="${panelTop + 28}">in the last ${span}</text>`,
      valueAxis(
        ticks.map(value => ({ value, label: wholeNumber(value) })),
        y,
        left,
        right,
      ),
      html`<path class="fill" d="${stepPath(steps, x, y, to)}V${bottom}H${left}Z" /><path
          class="line"
          d="${stepPath(steps, x, y, to)}"
        />`,
      threshold !== null && thresholdLine(threshold, y(threshold)),
    ],
    legend: [
      ...(rows.length > 0
        ? [[html`<circle class="seen" cx="12" cy="7" r="4" />`, `a call (larger: several)`] as const]
        : []),
      [html`<path class="line" d="M2 11H10V4H22" />`, `${many} in the window`],
      ...(threshold === null
        ? []
        : [[html`<path class="threshold" d="M2 7H22" />`, `alerts at ${wholeNumber(threshold)}`] as const]),
    ],
    tables: [
      {
        caption: `${capital(many)} in the last ${span}, wherever the number changes (UTC)`,
        heads: ['from', many],
        rows: steps.map(({ time, count }) => [utc(time), count]),
      },
      ...(rows.length === 0
        ? []
        : [
            {
              caption: 'When each was seen (UTC)',
              heads: [one, 'at', 'calls'],
              rows: [...marks]
                .sort((a, b) => a.row - b.row || a.time - b.time)
                .map(({ row, time, count }) => [rows[row] ?? '', utc(time), count]),
            },
          ]),
    ],
    note: notes(series, many),
  })
}

function rowOf(
  value: string,
  label: string,
  row: number,
  marks: CountSeries['marks'],
  x: (time: number) => number,
): Markup {
  const y = 8 + row * rowHeight + rowHeight / 2
  return html`<path class="row" d="M${left} ${y}H${right}" /><text class="label" x="0" y="${y + 4}"
      >${plainText(label, 34)}</text
    >${marks
      .filter(mark => mark.row === row)
      .map(
        ({ time, count }) =>
          html`<circle class="seen" cx="${x(time)}" cy="${y}" r="${Math.min(8, 3.5 + Math.log2(count))}"
            >${tooltip(`${value}, ${utc(time)}${count > 1 ? `: ${wholeNumber(count)} calls` : ''}`)}</circle
          >`,
      )} `
}

/** What all values begin with, up to a colon: account and region of secrets, which say nothing where they are the same. */
export function sharedPrefix(values: readonly string[]): string {
  const [first] = values
  if (first === undefined || values.length < 2) return ''
  const prefixes = Array.from(first.slice(0, 200).matchAll(/:/g), ({ index }) => first.slice(0, index + 1))
  return prefixes.findLast(prefix => values.every(value => value.startsWith(prefix) && value !== prefix)) ?? ''
}

/** The line of a threshold with its value, readable on whatever lies below. */
function thresholdLine(threshold: number, y: number): Markup {
  return html`<path class="threshold" d="M${left} ${y}H${right}" /><text
      class="threshold-label"
      x="${right}"
      y="${y - 6}"
      text-anchor="end"
      >alerts at ${wholeNumber(threshold)}</text
    >`
}

function notes({ moreRows, beyond }: CountSeries, many: string): Value {
  return [
    moreRows > 0 && moreNote(moreRows, many),
    beyond > 0 && html`<p class="more">The chart ends early: ${wholeNumber(beyond)} later calls are not drawn.</p>`,
  ]
}

/** With a capital letter at its beginning. */
function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
