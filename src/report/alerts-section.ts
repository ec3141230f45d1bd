// The alerts: filters, the timeline, the list of all of them, and a card for each. Pure.
import { levels, severityIdOf } from '../alerts/alert.ts'
import { utc, wholeNumber } from '../alerts/wording.ts'
import { alertCard } from './alert-card.ts'
import type { Backtest, Episode } from './backtest.ts'
import { carded } from './chart-choice.ts'
import { moreNote } from './figure.ts'
import { filterData } from './filter-data.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import type { ReportSeries } from './series.ts'
import { severityName } from './severity.ts'
import { timelineChart } from './timeline-chart.ts'

/** Rows of the list of alerts. */
const mostRows = 1000

/** The section with everything about single alerts. */
export function alertsSection(result: Backtest, series: ReportSeries): Markup {
  const { episodes, rules } = result
  const cards = carded(result)
  const idOf = new Map(cards.map(({ dedupKey }, i) => [dedupKey, `alert-${i + 1}`]))
  const rows = episodes.slice(0, mostRows)
  if (episodes.length === 0) {
    return html`<section id="alerts" aria-labelledby="alerts-title">
      <h2 id="alerts-title">Alerts</h2>
      <p class="empty-state">No alerts in this input.</p>
      ${timelineChart(result, series)}
    </section> `
  }
  return html`<section id="alerts" aria-labelledby="alerts-title">
    <h2 id="alerts-title">Alerts</h2>
    ${filters(result)} ${timelineChart(result, series)}
    <div class="scroll" tabindex="0" role="group" aria-label="List of alerts">
      <table class="alert-list">
        <caption>
          All alerts, by time (UTC)
        </caption>
        <thead>
          <tr>
            <th scope="col">First seen</th>
            <th scope="col">Severity</th>
            <th scope="col">Rule</th>
            <th scope="col">Principal</th>
            <th scope="col">Events</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(episode => listRow(episode, idOf.get(episode.dedupKey)))}
        </tbody>
      </table>
    </div>
    ${episodes.length > rows.length && moreNote(episodes.length - rows.length, 'alerts')}
    <div id="cards">
      ${cards.map(episode =>
        episode.alert === null
          ? null
          : alertCard(
              idOf.get(episode.dedupKey) ?? '',
              episode,
              episode.alert,
              rules.find(({ id }) => id === episode.ruleId),
              series.charts.get(episode.dedupKey),
            ),
      )}
    </div>
    ${episodes.length > cards.length && html`<p class="more">${wholeNumber(episodes.length - cards.length)} more alerts are in the list only: the page shows the gravest ${wholeNumber(cards.length)} in full.</p>`}
  </section> `
}

function listRow(episode: Episode, id: string | undefined): Markup {
  const { firstSeen, severity, ruleId, principal, count, suppressed } = episode
  const name = principal.name || principal.key
  return html`<tr ${filterData(episode)}>
    <th scope="row">${utc(firstSeen).slice(0, 19)}</th>
    <td>${severityName(severity)}</td>
    <td><code>${ruleId}</code></td>
    <td>${id === undefined ? name : html`<a href="#${id}">${name}</a>`}</td>
    <td class="number">${wholeNumber(count)}</td>
    <td>${suppressed === null ? 'alert' : 'suppressed'}</td>
  </tr> `
}

/** Hidden until the script shows it: without one there is nothing to filter with. */
function filters({ episodes }: Backtest): Markup {
  const ruleIds = [...new Set(episodes.map(({ ruleId }) => ruleId))].sort()
  return html`<form id="filters" role="search" aria-label="Filter the alerts" hidden>
    <label
      >Rule
      <select id="filter-rule">
        <option value="">all rules</option>
        ${ruleIds.map(id => html`<option value="${id}">${id}</option>`)}
      </select></label
    >
    <label
      >Severity
      <select id="filter-severity">
        ${levels.map((level, i) => html`<option value="${severityIdOf(level)}">${i === 0 ? 'any' : i === levels.length - 1 ? level : `${level} and above`}</option>`)}
      </select></label
    >
    <label
      >Principal
      <input id="filter-principal" type="search" placeholder="name or key" autocomplete="off" spellcheck="false"
    /></label>
    <label
      >Suppressed
      <select id="filter-suppressed">
        <option value="">shown</option>
        <option value="no">hidden</option>
        <option value="yes">only these</option>
      </select></label
    >
    <button type="button" id="filter-reset">Reset</button>
    <output id="filter-count" for="filter-rule filter-severity filter-principal filter-suppressed"
      >${wholeNumber(episodes.length)} of ${wholeNumber(episodes.length)} alerts</output
    >
  </form>`
}
