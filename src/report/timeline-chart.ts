// The alerts over time: a row per rule, a sign per alert where it was first seen, a line as long as it went on; above
// them what the rules looked at. Pure.
import { levels } from '../alerts/alert.ts'
import { duration, utc, wholeNumber } from '../alerts/wording.ts'
import type { Backtest, Episode } from './backtest.ts'
import { filterData } from './filter-data.ts'
import { chartWidth, figure, moreNote, severitySign, timeAxis, tooltip } from './figure.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { linear, timeTicks } from './scale.ts'
import type { Scale } from './scale.ts'
import type { ActivityBin, ReportSeries } from './series.ts'

/** Signs on the chart. */
const mostSigns = 500

const left = 232
const right = chartWidth - 16
const laneHeight = 15
const mostLanes = 12

/** An episode with its place. */
interface Placed {
  readonly episode: Episode
  readonly lane: number
  /** False where its line would run through others. */
  readonly free: boolean
}

/** Puts what would overlap into lanes below one another; beyond {@link mostLanes} signs share the last one. */
function placed(episodes: readonly Episode[], x: Scale): Placed[] {
  const ends: number[] = []
  return episodes.map(episode => {
    const from = x(episode.firstSeen) - 7
    const free = ends.findIndex(end => end <= from)
    const lane = free >= 0 ? free : Math.min(ends.length, mostLanes - 1)
    const isFree = free >= 0 || ends.length < mostLanes
    if (isFree) ends[lane] = Math.max(x(episode.lastSeen), x(episode.firstSeen)) + 7
    return { episode, lane, free: isFree }
  })
}

function sign({ episode, lane, free }: Placed, top: number, x: Scale): Markup {
  const y = top + 12 + lane * laneHeight
  const [from, to] = [x(episode.firstSeen), x(episode.lastSeen)]
  const { severity, principal, ruleTitle, suppressed } = episode
  const told = [
    ruleTitle,
    principal.name || principal.key,
    suppressed === null ? severity : `${severity}, suppressed`,
    `${utc(episode.firstSeen)} for ${duration(episode.lastSeen - episode.firstSeen)}`,
  ].join(' · ')
  return html`<g class="mark" data-key="${episode.dedupKey}" ${filterData(episode)}>
    ${tooltip(told)} ${free && to - from > 1 && html`<path class="extent ${severity}" d="M${from} ${y}H${to}" />`}
    ${severitySign(severity, from, y, suppressed !== null)}
  </g> `
}

function activityBars(bins: readonly ActivityBin[], x: Scale, top: number, height: number): Markup[] {
  const most = Math.max(1, ...bins.map(({ events }) => events))
  const y = linear(0, most, 0, height)
  return bins
    .filter(({ events }) => events > 0)
    .map(({ from, to, events, denied }) => {
      const at = x(from)
      const width = Math.max(1, x(to) - at - 0.5)
      const tall = Math.max(1, y(events))
      const part = denied > 0 ? Math.max(1, y(denied)) : 0
      return html`<g
        >${tooltip(`${utc(from)}: ${wholeNumber(events)} events, ${wholeNumber(denied)} of them denied`)}<rect
          class="events"
          x="${at}"
          y="${top + height - tall}"
          width="${width}"
          height="${tall}"
        />${
          part > 0 &&
          html`<rect class="denied" x="${at}" y="${top + height - part}" width="${width}" height="${part}" />`
        }</g
      >`
    })
}

/** The timeline of all alerts, or null where there is no time to draw. */
export function timelineChart(result: Backtest, series: ReportSeries): Markup | null {
  const { first, last } = result.input
  if (first === null || last === null) return null
  const shown = result.episodes.slice(0, mostSigns)
  // Alerts at the very edge keep room for their sign.
  const margin = Math.max((last - first) * 0.01, 500)
  const [from, to] = [first - margin, last + margin]
  const x = linear(from, to, left, right)
  const barsTop = 20
  const barsHeight = 44
  let y = barsTop + barsHeight + 14
  const rows = result.rules.flatMap(rule => {
    const own = placed(
      shown.filter(({ ruleId }) => ruleId === rule.id),
      x,
    )
    if (own.length === 0) return []
    const lanes = Math.max(...own.map(({ lane }) => lane)) + 1
    const top = y
    y += lanes * laneHeight + 12
    return [
      html`<path class="row" d="M0 ${top}H${right}" /><text class="label" x="0" y="${top + 16}">${cut(rule.id)}</text
        >${own.map(one => sign(one, top, x))}`,
    ]
  })
  const bottom = y + 4
  const most = Math.max(0, ...series.activity.map(({ events }) => events))
  const total = result.episodes.length
  return figure({
    id: 'timeline-chart',
    title: 'Alerts over time, by rule',
    description: `${wholeNumber(total)} alerts between ${utc(first)} and ${utc(last)}. Every alert is in the list below the chart.`,
    height: bottom + 28,
    body: [
      html`<text class="label" x="0" y="${barsTop + 12}">Events the rules look at</text
        ><text class="tick" x="0" y="${barsTop + 30}">highest bar: ${wholeNumber(most)}</text>`,
      timeAxis(timeTicks(from, to, 7), x, barsTop, bottom),
      activityBars(series.activity, x, barsTop, barsHeight),
      rows.length > 0
        ? rows
        : html`<text class="empty" x="${(left + right) / 2}" y="${bottom}" text-anchor="middle">no alerts</text>`,
    ],
    legend: [
      ...levels
        .filter(level => shown.some(({ severity }) => severity === level))
        .map((level): [Markup, string] => [severitySign(level, 12, 7), level]),
      ...(shown.some(({ suppressed }) => suppressed !== null)
        ? [[severitySign('informational', 12, 7, true), 'hollow: suppressed'] as const]
        : []),
      [html`<rect class="events" x="4" y="2" width="16" height="11" />`, 'events'],
      [html`<rect class="denied" x="4" y="2" width="16" height="11" />`, 'of them denied'],
    ],
    tables: [
      {
        caption: 'Events over time (UTC)',
        heads: ['from', 'events', 'denied'],
        rows: series.activity
          .filter(({ events }) => events > 0)
          .map(({ from: start, events, denied }) => [utc(start), events, denied]),
      },
    ],
    note: total > shown.length && moreNote(total - shown.length, 'alerts'),
  })
}

/** Rule ids in the left margin; the whole id stands in the list. */
function cut(id: string): string {
  return id.length > 33 ? `${id.slice(0, 32)}…` : id
}
