// What stands behind the numbers: who was looked at, what was suppressed, and what became of everything that was read. Pure.
import { utc, wholeNumber } from '../alerts/wording.ts'
import type { RejectReason, SkipKind } from '../rejected.ts'
import type { Backtest, BacktestInput } from './backtest.ts'
import { dataTable, moreNote } from './figure.ts'
import { html } from './markup.ts'
import type { Markup, Value } from './markup.ts'
import { linear } from './scale.ts'
import type { PrincipalActivity, ReportSeries } from './series.ts'

const barWidth = 140

/** What the reasons mean to someone who sees them for the first time. */
const reasonTexts: Readonly<Record<RejectReason, string>> = {
  'null-value': 'a record without a value',
  empty: 'nothing in it',
  'too-large': 'larger than the limit',
  'bad-gzip': 'gzip that does not unpack',
  'bad-base64': 'base64 that does not decode',
  'not-json': 'not JSON',
  'too-deep': 'nested deeper than the limit',
  'too-many-records': 'more records than the limit',
  'unknown-envelope': 'JSON, but of no known kind',
  'not-an-object': 'a record that is no object',
  'missing-event-time': 'no eventTime',
  'bad-event-time': 'an eventTime that is not ISO 8601 with a zone',
  'missing-event-name': 'no eventName',
  'missing-event-source': 'no eventSource',
  'unsupported-event-version': 'an eventVersion other than 1.x',
  'wrong-type': 'a field of the wrong type',
  'unreadable-codec': 'compressed in a way that cannot be read',
  'too-large-to-produce': 'too large to be written',
  'null-key': 'a record without a key',
  'bad-magic-byte': 'not in Confluent wire format',
  'unknown-schema-id': 'of a schema that the registry does not know',
  'bad-avro': 'Avro that does not decode',
  'key-mismatch': 'under the key of another principal',
  'internal-error': 'a defect of trailwarden: please report it',
}

const skipTexts: Readonly<Record<SkipKind, string>> = {
  digest: 'digest file of CloudTrail',
  insight: 'Insight event',
  's3-notification': 'S3 notification',
  's3-test-event': 'S3 test event',
  'sns-notification': 'SNS notification',
  'control-message': 'control message of CloudWatch Logs',
}

function textOf(texts: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(texts, name) ? (texts[name] ?? '') : ''
}

/** The principals with most alerts, denied calls and events. */
export function principalsSection({ principals, principalCount, principalCountCapped }: ReportSeries): Markup {
  const most = Math.max(1, ...principals.map(({ events }) => events))
  const x = linear(0, most, 0, barWidth)
  const more = principalCount - principals.length
  return html`<section id="principals" aria-labelledby="principals-title">
    <h2 id="principals-title">Top principals</h2>
    ${
      principals.length === 0
        ? html`<p class="empty-state">No event was of a kind that a rule looks at.</p>`
        : html`<p>
              Events that some rule looks at, copies left out. Those with alerts come first, then those with most denied
              calls.
            </p>
            ${dataTable({
              caption: 'Principals',
              heads: ['Principal', 'Kind', 'Alerts', 'Suppressed', 'Denied', 'Events', 'Events, and denied ones'],
              rows: principals.map(principal => principalRow(principal, x)),
            })}
            ${more > 0 && moreNote(more, 'principals')}
            ${principalCountCapped && html`<p class="more">Beyond ${wholeNumber(principalCount)} principals, further ones are not told apart.</p>`}`
    }
  </section> `
}

function principalRow(principal: PrincipalActivity, x: (events: number) => number): Value[] {
  const { name, key, kind, alerts, suppressed, denied, events } = principal
  return [
    html`${name || key}<br /><code>${key}</code>`,
    kind.toLowerCase().replaceAll('_', ' '),
    alerts,
    suppressed,
    denied,
    events,
    html`<svg class="bar" viewBox="0 0 ${barWidth} 12" width="${barWidth}" height="12" aria-hidden="true">
      <rect class="events" width="${Math.max(1, x(events))}" height="12" />
      <rect class="denied" width="${x(denied)}" height="12" />
    </svg>`,
  ]
}

/** What was suppressed, by entry of the suppressions file. */
export function suppressedSection({ episodes }: Backtest): Markup {
  const entries = new Map<
    string,
    { reason: string; owner: string; alerts: number; rules: Set<string>; principals: Set<string> }
  >()
  for (const { suppressed, ruleId, principal } of episodes) {
    if (suppressed === null) continue
    const { id, reason, owner } = suppressed
    const entry = entries.get(id) ?? {
      reason,
      owner,
      alerts: 0,
      rules: new Set<string>(),
      principals: new Set<string>(),
    }
    entry.alerts++
    entry.rules.add(ruleId)
    entry.principals.add(principal.key)
    entries.set(id, entry)
  }
  return html`<section id="suppressed" aria-labelledby="suppressed-title">
    <h2 id="suppressed-title">Suppressed</h2>
    ${
      entries.size === 0
        ? html`<p class="empty-state">No alert was suppressed.</p>`
        : dataTable({
            caption: 'Alerts that a suppression held back',
            heads: ['Entry', 'Reason', 'Owner', 'Rules', 'Alerts', 'Principals'],
            rows: Array.from(entries, ([id, { reason, owner, alerts, rules, principals }]) => [
              html`<code>${id}</code>`,
              reason,
              owner,
              [...rules].sort().join(', '),
              alerts,
              principals.size,
            ]),
          })
    }
  </section> `
}

/** What was read and what became of it: everything is accounted for. */
export function inputSection({ input, rules }: Backtest): Markup {
  return html`<section id="input" aria-labelledby="input-title">
    <h2 id="input-title">Input</h2>
    ${dataTable({ caption: 'What was read, and what became of it', heads: ['What', 'Number', 'Meaning'], rows: accounts(input) })}
    ${reasons('Rejected, by reason', input.rejected, reasonTexts, 'Nothing was rejected.')}
    ${reasons('Skipped, by kind', input.skipped, skipTexts, 'Nothing was skipped.')}
    <details>
      <summary>Rule versions</summary>
      ${dataTable({
        caption: 'Rules that were evaluated',
        heads: ['Rule', 'Version', 'File'],
        rows: rules.map(({ id, version, origin }) => [html`<code>${id}</code>`, html`<code>${version}</code>`, origin]),
      })}
    </details>
  </section> `
}

function accounts(input: BacktestInput): Value[][] {
  const { kind, files, events, inRange, matched, duplicates, late, skewed, first, last } = input
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)
  return [
    ...(kind === 'files' ? [['Files', files, 'read to their end']] : []),
    ['Events', events, 'CloudTrail records in normal form'],
    ['In range', inRange, first === null || last === null ? 'none' : `${utc(first)} to ${utc(last)}`],
    ['Matched', matched, 'of a kind that some rule looks at; only these are evaluated'],
    ['Duplicates', duplicates, 'further copies of a matched event, which count once'],
    [
      'Late',
      late ?? 'not known',
      late === null
        ? 'files have no order of arrival, so nothing can be late'
        : 'matched events that came too late for the live detector; here they are evaluated in their place',
    ],
    ['Clock skew', skewed, 'events more than five minutes ahead of their record, evaluated at its time'],
    [
      'Rejected',
      sum(input.rejected),
      'could not be read as CloudTrail; the normalizer sends these to the dead-letter topic',
    ],
    ['Skipped', sum(input.skipped), 'no CloudTrail events by design'],
  ]
}

function reasons(
  caption: string,
  counts: Readonly<Record<string, number>>,
  texts: Readonly<Record<string, string>>,
  none: string,
): Markup {
  const all = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  if (all.length === 0) return html`<p class="note">${none}</p>`
  return dataTable({
    caption,
    heads: ['Which', 'Number', 'Meaning'],
    rows: all.map(([name, count]) => [html`<code>${name}</code>`, count, textOf(texts, name)]),
  })
}
