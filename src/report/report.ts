// The report of a backtest: one HTML file that opens from disk, asks the network for nothing, and runs only its own script.
// Pure: result and series in, text out; the same input gives the same bytes.
import { createHash } from 'node:crypto'
import { alertsSection } from './alerts-section.ts'
import type { Backtest } from './backtest.ts'
import { inputSection, principalsSection, suppressedSection } from './input-section.ts'
import { html, inline, verbatim } from './markup.ts'
import type { Markup } from './markup.ts'
import { script } from './script.ts'
import type { ReportSeries } from './series.ts'
import { style } from './style.ts'
import { subtitle, summarySection } from './summary-section.ts'
import { comparisonSection, tuningSection } from './tuning-section.ts'

const places: readonly (readonly [id: string, name: string])[] = [
  ['summary', 'Summary'],
  ['alerts', 'Alerts'],
  ['comparison', 'Comparison'],
  ['thresholds', 'Thresholds'],
  ['principals', 'Principals'],
  ['suppressed', 'Suppressed'],
  ['input', 'Input'],
]

/** `'sha256-…'` of an inline style sheet or script: all that the browser will accept on this page. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** Nothing is loaded, nothing is sent, nothing inline runs but what has one of the two hashes. */
const policy = [
  "default-src 'none'",
  `style-src ${hashOf(style)}`,
  `script-src ${hashOf(script)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** The page as HTML text. Size is bounded: every list has a cap and says how much is beyond it. */
export function reportHtml(result: Backtest, series: ReportSeries): string {
  const ordered = { ...result, episodes: [...result.episodes].sort((a, b) => a.firstSeen - b.firstSeen) }
  const comparison = comparisonSection(result.comparison)
  const shown = places.filter(([id]) => id !== 'comparison' || comparison !== null)
  return `<!doctype html>\n${page(ordered, series, comparison, shown).toString()}`
}

function page(result: Backtest, series: ReportSeries, comparison: Markup | null, shown: typeof places): Markup {
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policyMarkup}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="referrer" content="no-referrer" />
      <title>trailwarden backtest</title>
      ${inline('style', style)}
    </head>
    <body>
      <a class="skip" href="#main">Skip to the report</a>
      <div class="page">
        <header class="top">
          <div>
            <h1>CloudTrail backtest</h1>
            ${subtitle(result)}
          </div>
          <button type="button" id="theme" class="theme" hidden>Dark theme</button>
        </header>
        <nav aria-label="Sections">
          <ul>
            ${shown.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
          </ul>
        </nav>
        <main id="main">
          ${summarySection(result)} ${alertsSection(result, series)} ${comparison} ${tuningSection(result)}
          ${principalsSection(series)} ${suppressedSection(result)} ${inputSection(result)}
        </main>
        <footer>
          <p>
            Made by <code>trailwarden replay --report</code>. All times are UTC and event time. Values come from
            CloudTrail as the callers chose them.
          </p>
        </footer>
      </div>
      ${inline('script', script)}
    </body>
  </html> `
}

/** The policy stands in a double-quoted attribute; its single quotes must stay as they are. */
const policyMarkup = verbatim(policy)
