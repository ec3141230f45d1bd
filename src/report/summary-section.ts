// The head of the report: what was read and what came out, in a sentence, in figures, and by rule. Pure.
import { counted, duration, measure, utc, wholeNumber } from '../alerts/wording.ts'
import { daysOf } from './backtest.ts'
import type { Backtest, BacktestInput, Episode } from './backtest.ts'
import { dataTable } from './figure.ts'
import { html } from './markup.ts'
import type { Markup, Value } from './markup.ts'
import { severityName } from './severity.ts'

/** What the backtest is about, under the title. */
export function subtitle({ input, changed }: Backtest): Markup {
  const { kind, files, first, last, from, to } = input
  const sources = input.sources.map(source => (source === '-' ? 'standard input' : source))
  const named =
    sources.length > 3 ? `${sources.slice(0, 3).join(', ')} and ${sources.length - 3} more` : sources.join(', ')
  const range = [from === null ? null : `from ${utc(from)}`, to === null ? null : `before ${utc(to)}`].filter(
    part => part !== null,
  )
  return html`<p>
      ${kind === 'topic' ? `Topic ${named}` : files === 1 && sources.length === 1 ? named : `${counted(files, 'file')} from ${named}`}${
        first !== null && last !== null && `, ${utc(first)} to ${utc(last)} (${duration(last - first)})`
      }${range.length > 0 && `; asked for: ${range.join(', ')}`}.
    </p>
    ${
      input.partial &&
      html`<p class="warning" role="note">Interrupted: everything below is about a part of the input.</p>`
    }${
      changed.length > 0 &&
      html`<p class="note">
        With these parameters in place of those of the rule files:
        ${changed.map((one, i) => html`${i > 0 && ', '}<code>${one}</code>`)}.
      </p>`
    }`
}

/** Figures and the table by rule. */
export function summarySection(result: Backtest): Markup {
  const { input, rules, episodes } = result
  const open = episodes.filter(({ suppressed }) => suppressed === null)
  const principals = new Set(open.map(({ principal }) => principal.key)).size
  const days = daysOf(input)
  const shown = rules.filter(rule => episodes.some(({ ruleId }) => ruleId === rule.id))
  const quiet = rules.filter(rule => !shown.includes(rule))
  return html`<section id="summary" aria-labelledby="summary-title">
    <h2 id="summary-title">Summary</h2>
    <dl class="figures">
      ${figureOf('Alerts', open.length, days > 1 ? `${measure(open.length / days)} per day` : `in ${duration(covered(input))}`)}
      ${figureOf('Suppressed', episodes.length - open.length, 'alerts that were not sent')}
      ${figureOf('Principals with alerts', principals, 'suppressed ones left out')}
      ${figureOf('Events read', input.events, `${wholeNumber(input.matched)} looked at by a rule`)}
    </dl>
    ${
      rows(shown, episodes, days).length > 0
        ? dataTable({
            caption: 'Rules with alerts',
            heads: ['Rule', 'Severity', 'Alerts', 'per day', 'Suppressed', 'Principals'],
            rows: rows(shown, episodes, days),
          })
        : html`<p class="empty-state">
            No rule alerted.
            ${input.matched === 0 ? 'No event was of a kind that a rule looks at.' : 'Below is what the rules looked at, and what a lower threshold would have shown.'}
          </p>`
    }
    ${quiet.length > 0 && html`<p class="note">Without alerts: ${quiet.map(({ id }, i) => html`${i > 0 && ', '}<code>${id}</code>`)}.</p>`}
  </section> `
}

function figureOf(name: string, value: number, note: string): Markup {
  return html`<div>
    <dt>${name}</dt>
    <dd><strong>${wholeNumber(value)}</strong> <span>${note}</span></dd>
  </div>`
}

function covered({ first, last }: BacktestInput): number {
  return first === null || last === null ? 0 : last - first
}

function rows(rules: Backtest['rules'], episodes: readonly Episode[], days: number): Value[][] {
  return rules.map(rule => {
    const own = episodes.filter(({ ruleId }) => ruleId === rule.id)
    const open = own.filter(({ suppressed }) => suppressed === null)
    return [
      html`${rule.title}<br /><code>${rule.id}</code>`,
      severityName(rule.level),
      open.length,
      open.length / days,
      own.length - open.length,
      new Set(own.map(({ principal }) => principal.key)).size,
    ]
  })
}
