// One alert in full: what happened, the chart, the facts, sample events and what to do. Pure.
import type { Alert } from '../alerts/alert.ts'
import { counted, duration, measure, plainText, probability, utc, wholeNumber } from '../alerts/wording.ts'
import type { Rule } from '../rules/rule.ts'
import type { Episode } from './backtest.ts'
import { countChart } from './count-chart.ts'
import type { CountSeries } from './count-series.ts'
import { dataTable } from './figure.ts'
import { filterData } from './filter-data.ts'
import { html } from './markup.ts'
import type { Markup, Value } from './markup.ts'
import { rateChart } from './rate-chart.ts'
import type { RateSeries } from './rate-series.ts'
import { severityName } from './severity.ts'

/** Lines of a runbook that are shown; rule files are ours, but not all of them. */
const runbookLines = 200

/** Values of a list that are shown. */
const listed = 12

/** The card of one episode. `id` is ours, unique on the page. */
export function alertCard(
  id: string,
  episode: Episode,
  alert: Alert,
  rule: Rule | undefined,
  series: CountSeries | RateSeries | undefined,
): Markup {
  const { principal, suppressed } = episode
  return html`<article
    class="card${suppressed !== null && ' is-suppressed'}"
    id="${id}"
    tabindex="-1"
    aria-labelledby="${id}-title"
    data-key="${episode.dedupKey}"
    ${filterData(episode)}
  >
    <header>
      <h3 id="${id}-title"><span class="who">${principal.name || principal.key}</span>${alert.ruleTitle}</h3>
      <p class="meta">
        ${severityName(alert.severity)} <time>${utc(episode.firstSeen)}</time>
        <span>for ${duration(episode.lastSeen - episode.firstSeen)}</span>
        <span>${wholeNumber(episode.count)} events</span>${
          suppressed !== null && html` <strong class="tag">suppressed</strong>`
        }
      </p>
    </header>
    <p class="explanation">${alert.explanation}</p>
    ${
      suppressed !== null &&
      html`<p class="note">Suppressed by <code>${suppressed.id}</code> (${suppressed.owner}): ${suppressed.reason}</p>`
    }
    ${series !== undefined && rule !== undefined && chart(`${id}-chart`, rule, series)}
    <div class="more-about">
      <details>
        <summary>Facts</summary>
        <dl class="facts">${facts(alert, episode)}</dl>
      </details>
      <details>
        <summary>${counted(alert.evidence.length, 'sample event')}</summary>
        ${evidence(alert)}
      </details>
      <details>
        <summary>What to do</summary>
        <div class="runbook">${lines(alert.runbook)}</div>
      </details>
    </div>
  </article> `
}

function chart(id: string, rule: Rule, series: CountSeries | RateSeries): Markup | null {
  return series.kind === 'rate' ? rateChart(id, rule, series) : countChart(id, rule, series)
}

function facts(alert: Alert, episode: Episode): Markup[] {
  const { totals, anomaly } = alert
  const pairs: (readonly [string, Value])[] = [
    ['Principal', html`<code>${alert.principal.key}</code> (${alert.principal.kind})`],
    ...alert.group.map(({ field, value }) => [field, value] as const),
    ['First and last seen', `${utc(alert.firstSeen)} to ${utc(alert.lastSeen)}`],
    ['Announced', episode.updates === 0 ? 'once' : `once, and ${wholeNumber(episode.updates)} updates`],
    ...(anomaly === null
      ? []
      : [
          [
            'Anomaly',
            `${wholeNumber(anomaly.count)} denied, ${measure(anomaly.expected)} expected; probability ${probability(anomaly.pValue)}, alerts at ${probability(anomaly.alpha)}; ${duration(anomaly.exposureMs)} of effective history`,
          ] as const,
        ]),
    ['Regions', list(alert.regions, totals.regions)],
    ['Accounts', list(alert.accounts, totals.accounts)],
    ['Secrets', list(alert.secrets, totals.secrets)],
    ['Source addresses', list(alert.sourceIPs, totals.sourceIPs)],
    ['User agents', list(alert.userAgents, totals.userAgents)],
    ['Sessions', list(alert.sessionNames, totals.sessionNames)],
    ['Access keys', list(alert.accessKeys, totals.accessKeys)],
    ['ATT&CK', alert.attack.map(({ tactic, technique }) => `${tactic} ${technique}`.trim()).join(', ')],
    ['Rule', html`<code>${alert.ruleId}</code>, version ${alert.ruleVersion}`],
    ['Dedup key', html`<code>${alert.dedupKey}</code>`],
    ...(alert.mergedInto === null ? [] : [['Part of', html`<code>${alert.mergedInto}</code>`] as const]),
  ]
  return pairs
    .filter(([, value]) => value !== null && value !== '')
    .map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )
}

function list(values: readonly string[], total: number): Markup | null {
  if (values.length === 0) return null
  const more = Math.max(total, values.length) - Math.min(values.length, listed)
  return html`${values.slice(0, listed).map((value, i) => html`${i > 0 && ', '}<span class="value">${value}</span>`)}${more > 0 && ` and ${wholeNumber(more)} more`}`
}

function evidence({ evidence: samples }: Alert): Markup {
  return dataTable({
    caption: 'Sample events (UTC)',
    heads: ['Time', 'Call', 'Region', 'Account', 'Source address', 'User agent', 'Outcome', 'Session', 'Event id'],
    rows: samples.map(sample => [
      utc(sample.eventTime),
      html`${sample.eventName}${sample.fields.map(({ field, value }) => html`<br /><span class="field">${field}: ${value}</span>`)}`,
      sample.awsRegion,
      sample.recipientAccountId,
      sample.sourceIPAddress,
      sample.userAgent,
      sample.errorCode ?? 'succeeded',
      sample.userIdentity.sessionName ?? sample.userIdentity.arn,
      html`<code>${sample.eventId}</code>`,
    ]),
  })
}

/** Text with its line breaks: what is Markdown stays readable as it is, and stays text. */
function lines(text: string): Markup[] {
  const all = text.split('\n')
  const shown = all.slice(0, runbookLines).map(line => html`${plainText(line)} `)
  return all.length > shown.length ? [...shown, html`… ${all.length - shown.length} more lines`] : shown
}
