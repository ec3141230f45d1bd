// A denied-rate alert: the principal's denials in the sliding window against the band that its own history predicts, and
// the count at which the rule alerts. Pure.
import { duration, measure, probability, utc, wholeNumber } from '../alerts/wording.ts'
import type { Rule } from '../rules/rule.ts'
import { chartWidth, figure, stepPath, timeAxis, valueAxis } from './figure.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { bandShare } from './rate-series.ts'
import type { Predicted, RateSeries } from './rate-series.ts'
import { countTicks, linear, timeTicks } from './scale.ts'
import type { Scale } from './scale.ts'

const left = 48
const right = chartWidth - 16
const top = 22
const bottom = 232

/** The chart of one episode. `id` is ours, unique on the page. */
export function rateChart(id: string, rule: Rule, series: RateSeries): Markup | null {
  const { body } = rule
  if (body.kind !== 'rate_anomaly') return null
  const { from, to, predicted, steps, beyond } = series
  const window = duration(body.rate.windowMs)
  const most = Math.max(0, ...steps.map(({ count }) => count))
  // A threshold far above everything would press the rest to the ground; it is then named and not drawn.
  const thresholds = predicted.map(({ threshold }) => threshold)
  const lowestThreshold = Math.min(Infinity, ...thresholds)
  const uppers = predicted.map(({ upper }) => upper)
  const ticks = countTicks(Math.max(most, lowestThreshold < 1e9 ? lowestThreshold : 1, ...uppers) * 1.08, 5)
  const x = linear(from, to, left, right)
  const y = linear(0, ticks.at(-1) ?? 1, bottom, top)
  const [first, last] = [predicted[0], predicted.at(-1)]
  const highest = ticks.at(-1) ?? 1
  const varies = last?.threshold !== first?.threshold
  const named = highestAfter(to - 0.12 * (to - from), steps) * 2 > (last?.threshold ?? 0) ? 'start' : 'end'
  const thresholdText = ({ threshold }: Predicted, at: number, anchor: 'start' | 'end'): Markup => {
    const above = Math.max(top + 10, y(Math.min(threshold, highest)) - 6)
    return html`<text class="threshold-label" x="${at}" y="${above}" text-anchor="${anchor}"
      >alerts at ${wholeNumber(threshold)}</text
    >`
  }
  return figure({
    id,
    title: `Denied calls in the last ${window}, against what the principal's own history predicts`,
    description:
      `At most ${wholeNumber(most)} denied calls within ${window}. ` +
      (last === undefined
        ? 'There is no prediction.'
        : `Expected at the end: ${measure(last.expected)}; ${share()} of windows would hold at most ${wholeNumber(last.upper)}; the rule alerts at ${wholeNumber(last.threshold)}.`),
    height: bottom + 28,
    body: [
      timeAxis(timeTicks(from, to, 8), x, top, bottom),
      valueAxis(
        ticks.map(value => ({ value, label: wholeNumber(value) })),
        y,
        left,
        right,
      ),
      html`<text class="tick" x="0" y="12">denied calls in ${window}</text>`,
      band(predicted, x, y),
      html`<path class="fill" d="${stepPath(steps, x, y, to)}V${bottom}H${left}Z" /><path
          class="line"
          d="${stepPath(steps, x, y, to)}"
        />`,
      html`<path class="threshold" d="${polyline(predicted, x, y, point => Math.min(point.threshold, highest))}" />`,
      // Where the denials themselves are high the line is named at its other end; where it moves, at both.
      first !== undefined && (named === 'start' || varies) && thresholdText(first, x(first.time) + 4, 'start'),
      last !== undefined && (named === 'end' || varies) && thresholdText(last, right, 'end'),
    ],
    legend: [
      [html`<path class="line" d="M2 11H10V4H22" />`, 'denied calls, observed'],
      [html`<rect class="band" x="2" y="2" width="20" height="10" />`, `predicted: ${share()} of windows`],
      [html`<path class="expected" d="M2 7H22" />`, 'predicted mean'],
      [
        html`<path class="threshold" d="M2 7H22" />`,
        `alerts here (probability ${probability(body.rate.alpha)} or less)`,
      ],
    ],
    tables: [
      {
        caption: `Prediction for the last ${window} (UTC)`,
        heads: ['at', 'predicted mean', `${share()} at most`, 'alerts at', 'observed'],
        rows: predicted.map(point => [
          utc(point.time),
          point.expected,
          point.upper,
          point.threshold,
          observedAt(point.time, steps),
        ]),
      },
    ],
    note: html`<p class="note">
      A count on or above the dashed line alerts if it is spread over at least ${wholeNumber(body.rate.minDistinct)}
      distinct values of
      ${body.rate.distinct.name}.${
        body.rate.model === 'first-denials' &&
        ' This rule also judges first denials as a stream of their own, so it can alert below the line.'
      }${beyond > 0 && ` The line ends early: ${wholeNumber(beyond)} later denials are not drawn.`}
    </p>`,
  })
}

function share(): string {
  return `${wholeNumber(bandShare * 100)} %`
}

function observedAt(time: number, steps: RateSeries['steps']): number {
  return steps.findLast(step => step.time <= time)?.count ?? 0
}

/** The highest count at or after a time. */
function highestAfter(time: number, steps: RateSeries['steps']): number {
  return Math.max(observedAt(time, steps), ...steps.filter(step => step.time >= time).map(({ count }) => count))
}

function polyline(points: readonly Predicted[], x: Scale, y: Scale, value: (point: Predicted) => number): string {
  const at = (n: number): number => Math.round(n * 100) / 100
  return points.map((point, i) => `${i === 0 ? 'M' : 'L'}${at(x(point.time))} ${at(y(value(point)))}`).join('')
}

function band(points: readonly Predicted[], x: Scale, y: Scale): Markup | null {
  if (points.length === 0) return null
  const upper = polyline(points, x, y, point => point.upper)
  const end = x(points.at(-1)?.time ?? 0)
  const begin = x(points[0]?.time ?? 0)
  return html`<path class="band" d="${upper}L${end} ${y(0)}L${begin} ${y(0)}Z" /><path
      class="expected"
      d="${polyline(points, x, y, point => point.expected)}"
    />`
}
