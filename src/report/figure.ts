// The frame of every chart: an SVG with name and description for those who cannot see it, a caption, a legend, and the
// numbers as a table. Pure; data in, markup out.
import type { Level } from '../alerts/alert.ts'
import { measure, wholeNumber } from '../alerts/wording.ts'
import { html, nothing } from './markup.ts'
import type { Markup, Value } from './markup.ts'
import type { Scale, Tick } from './scale.ts'

/** Width of every chart in its own units; the page scales it down to what is there. */
export const chartWidth = 960

/** Rows of a table of numbers; the rest is counted. */
const mostRows = 200

/** A table: heads and rows of cells. Cells that are numbers are set right. */
export interface TableData {
  readonly caption: string
  readonly heads: readonly string[]
  readonly rows: readonly (readonly Value[])[]
  /** Rows that were left out before this one was made. */
  readonly more?: number
}

/** What a chart is made of. `id` is unique on the page and ours, never from data. */
export interface FigureData {
  readonly id: string
  readonly title: string
  /** What the chart shows, in a sentence with its numbers. */
  readonly description: string
  readonly height: number
  readonly body: Value
  readonly legend: readonly (readonly [mark: Markup, text: string])[]
  /** The same for those who cannot see it, or want the numbers. */
  readonly tables: readonly TableData[]
  readonly note?: Value
}

/** A chart with everything that belongs to it. */
export function figure({ id, title, description, height, body, legend, tables, note }: FigureData): Markup {
  return html`<figure class="chart" id="${id}">
    <figcaption id="${id}-caption">${title}</figcaption>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="${id}-caption">
      <svg
        viewBox="0 0 ${chartWidth} ${height}"
        role="img"
        aria-labelledby="${id}-caption"
        aria-describedby="${id}-description"
      >
        <desc id="${id}-description">${description}</desc>
        ${body}
      </svg>
    </div>
    ${
      legend.length > 0 &&
      html`<ul class="legend">
        ${legend.map(
          ([mark, text]) =>
            html`<li><svg viewBox="0 0 24 14" width="24" height="14" aria-hidden="true">${mark}</svg>${text}</li>`,
        )}
      </ul>`
    }
    ${note ?? nothing}
    <details class="numbers">
      <summary>Numbers as a table</summary>
      ${tables.map(dataTable)}
    </details>
  </figure> `
}

/** A table in a box that scrolls sideways where it must, with the rows beyond the cap counted below. */
export function dataTable({ caption, heads, rows, more = 0 }: TableData): Markup {
  const hidden = Math.max(0, rows.length - mostRows) + more
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}">
      <table>
        <caption>
          ${caption}
        </caption>
        <thead>
          <tr>
            ${heads.map((head, i) => html`<th scope="col" ${isNumeric(rows, i) && numberClass}>${head}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, mostRows).map(
            row =>
              html`<tr>
                ${row.map(cell)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${hidden > 0 && moreNote(hidden)}`
}

const numberClass = html` class="number"`

/** A column is set right when its cells are numbers. */
function isNumeric(rows: TableData['rows'], column: number): boolean {
  return column > 0 && rows.some(row => typeof row[column] === 'number')
}

function cell(value: Value, index: number): Markup {
  if (index === 0) return html`<th scope="row">${value}</th>`
  if (typeof value !== 'number') return html`<td>${value}</td>`
  return html`<td class="number">${Number.isInteger(value) ? wholeNumber(value) : measure(value)}</td>`
}

/** `12 more`, where a list ends before its end. */
export function moreNote(count: number, what = ''): Markup {
  return html`<p class="more">${wholeNumber(count)} more${what === '' ? '' : ` ${what}`} not shown.</p>`
}

/** What a mark says when it is pointed at; the same stands in the table. */
export function tooltip(text: string): Markup {
  return html`<title>${text}</title>`
}

/** Horizontal lines with their values at the left, from `left` to `right`. */
export function valueAxis(ticks: readonly Tick[], y: Scale, left: number, right: number): Markup[] {
  return ticks.map(
    ({ value, label }) =>
      html`<path class="grid" d="M${left} ${y(value)}H${right}" /><text
          class="tick"
          x="${left - 8}"
          y="${y(value) + 4}"
          text-anchor="end"
          >${label}</text
        >`,
  )
}

/** Times along the bottom: small lines from `top` to `bottom`, text below, cut to stay within the picture. */
export function timeAxis(ticks: readonly Tick[], x: Scale, top: number, bottom: number): Markup[] {
  return ticks.map(({ value, label }) => {
    const at = x(value)
    const anchor = at > chartWidth - 60 ? 'end' : 'middle'
    return html`<path class="grid" d="M${at} ${top}V${bottom}" /><text
        class="tick"
        x="${at}"
        y="${bottom + 18}"
        text-anchor="${anchor}"
        >${label}</text
      >`
  })
}

/** A line that steps: from each time on its count, until `to`. */
export function stepPath(
  steps: readonly { readonly time: number; readonly count: number }[],
  x: Scale,
  y: Scale,
  to: number,
): string {
  const round = (value: number): string => String(Math.round(value * 100) / 100)
  let path = ''
  for (const { time, count } of steps) {
    path += path === '' ? `M${round(x(time))} ${round(y(count))}` : `H${round(x(time))}V${round(y(count))}`
  }
  return path === '' ? '' : `${path}H${round(x(to))}`
}

const shapes: Readonly<Record<Level, string>> = {
  informational: 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z',
  low: 'M-4.6 -4.6H4.6V4.6H-4.6z',
  medium: 'M0 -6.2L5.8 4.4H-5.8z',
  high: 'M0 -6.6L6.6 0L0 6.6L-6.6 0z',
  critical: 'M-2.2 -6H2.2V-2.2H6V2.2H2.2V6H-2.2V2.2H-6V-2.2H-2.2z',
}

/** The sign of a severity, around a point: told by its form as well as by its colour. Hollow where it is suppressed. */
export function severitySign(level: Level, x: number, y: number, suppressed = false): Markup {
  return html`<path
    class="sign ${level}${suppressed ? ' hollow' : ''}"
    transform="translate(${x} ${y})"
    d="${shapes[level]}"
  />`
}
