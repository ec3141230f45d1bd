// Thresholds: how many alerts each rule would give at other values, and what another rule set makes of the same input. Pure.
import { duration, utc, wholeNumber } from '../alerts/wording.ts'
import { daysOf } from './backtest.ts'
import type { Backtest, Change, Comparison, Sweep } from './backtest.ts'
import { dataTable } from './figure.ts'
import { html } from './markup.ts'
import type { Markup, Value } from './markup.ts'
import { severityName } from './severity.ts'
import { sweepChart } from './sweep-chart.ts'

/** Charts of thresholds. */
const mostSweeps = 24

/** The section on thresholds: those that make a difference in this input first. */
export function tuningSection({ sweeps, input }: Backtest): Markup {
  const speaking = sweeps.filter(({ points }) => points.some(({ alerts, suppressed }) => alerts + suppressed > 0))
  const varies = ({ points }: Sweep): number => Number(new Set(points.map(({ alerts }) => alerts)).size > 1)
  speaking.sort((a, b) => varies(b) - varies(a))
  const silent = sweeps.filter(sweep => !speaking.includes(sweep))
  const days = daysOf(input)
  const { first, last } = input
  return html`<section id="thresholds" aria-labelledby="thresholds-title">
    <h2 id="thresholds-title">Choosing a threshold</h2>
    <p>
      How many alerts this input would have given with one parameter at another value and everything else as it
      is.${
        first !== null &&
        last !== null &&
        last - first < 86_400_000 &&
        ` The input covers ${duration(last - first)} and counts as one day.`
      }
    </p>
    ${speaking.slice(0, mostSweeps).map((sweep, i) => sweepChart(`sweep-${i + 1}`, sweep, days))}
    ${speaking.length > mostSweeps && html`<p class="more">${speaking.length - mostSweeps} more parameters not shown.</p>`}
    ${
      silent.length > 0 &&
      html`<p class="note">
        No alerts at any value that was tried:
        ${silent.slice(0, mostSweeps).map(({ ruleId, parameter }, i) => html`${i > 0 && ', '}<code>${ruleId}.${parameter}</code>`)}.
      </p>`
    }
    ${sweeps.length === 0 && html`<p class="empty-state">No rule has a threshold to vary.</p>`}
  </section> `
}

/** What the old rules saw differently; null where there was no comparison. */
export function comparisonSection(comparison: Comparison | null): Markup | null {
  if (comparison === null) return null
  const { against, changes, unchanged } = comparison
  return html`<section id="comparison" aria-labelledby="comparison-title">
    <h2 id="comparison-title">Compared with other rules</h2>
    <p>
      Against
      ${against === 'unchanged' ? 'the same rules as they stand in their files' : html`<code>${against}</code>`}:
      ${wholeNumber(changes.length)} different, ${wholeNumber(unchanged)} the same. Before is what those rules say,
      after what these do.
    </p>
    ${
      changes.length === 0
        ? html`<p class="empty-state">Both rule sets give the same alerts.</p>`
        : dataTable({
            caption: 'Alerts that differ, by time (UTC)',
            heads: ['Change', 'First seen', 'Rule', 'Principal', 'Before', 'After'],
            rows: changes.map(changeRow),
          })
    }
  </section> `
}

function changeRow({ change, before, after }: Change): Value[] {
  const some = after[0] ?? before[0]
  const side = (episodes: Change['before']): Value =>
    episodes.length === 0
      ? 'none'
      : episodes.map(
          ({ severity, count, suppressed }) =>
            html`${severityName(severity)}, ${wholeNumber(count)} events${suppressed !== null && ', suppressed'}<br />`,
        )
  return [
    change,
    some === undefined ? null : utc(some.firstSeen).slice(0, 19),
    html`<code>${some?.ruleId ?? ''}</code>`,
    some === undefined ? null : some.principal.name || some.principal.key,
    side(before),
    side(after),
  ]
}
