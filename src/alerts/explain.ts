// Explain: the paragraph that tells the person on call who did what, since when, how unusual that is, from where, and
// what to do first. Pure and deterministic: the same alert and rule give the same text, byte for byte.
// Plain text without markup or control characters, whatever the events contain (wording.ts).
import type { Rule } from '../rules/rule.ts'
import { levels } from './alert.ts'
import type { Alert, Anomaly } from './alert.ts'
import { extent, whatHappened } from './comparison.ts'
import { firstAction, subject } from './subject.ts'
import type { AlertFacts } from './subject.ts'
import { counted, duration, inSentence, plainText, shortList, utc, wholeNumber } from './wording.ts'

/** Effective history below which the prior, not the principal's own past, carries the prediction. */
const thinHistoryMs = 86_400_000

function history(anomaly: Anomaly): string {
  return anomaly.exposureMs < thinHistoryMs
    ? `There is little history of this principal yet (${duration(anomaly.exposureMs)}), so the prediction rests on what is usual for principals in general.`
    : `The prediction rests on ${duration(anomaly.exposureMs)} of effective history.`
}

function raised(alert: AlertFacts, rule: Rule): string | null {
  if (levels.indexOf(alert.severity) <= levels.indexOf(rule.level)) return null
  const why =
    rule.body.kind === 'rate_anomaly' ? 'A successful read followed the denials' : 'The circumstances are worse'
  return `${why}: severity is raised from ${rule.level} to ${alert.severity}.`
}

function when(alert: AlertFacts): string {
  const { from, to } = extent(alert)
  return to - from < 1000 ? `Seen at ${utc(from)}.` : `Seen from ${utc(from)} to ${utc(to)} (${duration(to - from)}).`
}

/** `Regions (7): a, b, c, d, e and 2 more.`; null when there is none. A single value needs no count. */
function listed(label: readonly [string, string], values: readonly string[], total: number, limit = 5): string | null {
  if (values.length === 0) return null
  const all = Math.max(total, values.length)
  return all === 1
    ? `${label[0]}: ${shortList(values)}.`
    : `${label[1]} (${wholeNumber(all)}): ${shortList(values, all, limit)}.`
}

/** Secrets are `account:region:name`; the name is what people know them by. */
function secretNames(alert: AlertFacts): readonly string[] {
  return [...new Set(alert.secrets.map(secret => secret.replace(/^\d{12}:[^:]*:/, '')))]
}

function fromWhere(alert: AlertFacts): string[] {
  const { totals } = alert
  const lines = [
    listed(['Region', 'Regions'], alert.regions, totals.regions, 10),
    listed(['Secret', 'Secrets'], secretNames(alert), totals.secrets),
    listed(['Source address', 'Source addresses'], alert.sourceIPs, totals.sourceIPs),
    listed(['User agent', 'User agents'], alert.userAgents, totals.userAgents),
    listed(['Session', 'Sessions'], alert.sessionNames, totals.sessionNames),
    listed(['Access key', 'Access keys'], alert.accessKeys, totals.accessKeys),
  ]
  return lines.filter(line => line !== null)
}

/** What the rule's author wants to see of the sample events, each field with its distinct values: never more than ten. */
function summary(alert: AlertFacts): string | null {
  const fields = new Map<string, Set<string>>()
  for (const sample of alert.evidence) {
    for (const { field, value } of sample.fields) fields.set(field, (fields.get(field) ?? new Set()).add(value))
  }
  if (fields.size === 0) return null
  const parts = Array.from(
    fields,
    ([field, values]) => `${inSentence(field)} ${shortList([...values], values.size, 3)}`,
  )
  return `The sample events show ${parts.join('; ')}.`
}

/** One principal under several sessions or keys is what a baseline per session would not see. */
function rotation(alert: AlertFacts): string | null {
  const { sessionNames, accessKeys } = alert.totals
  const parts: string[] = []
  if (sessionNames > 1) parts.push(counted(sessionNames, 'session'))
  if (accessKeys > 1) parts.push(counted(accessKeys, 'access key'))
  return parts.length === 0 ? null : `It is one principal, though it used ${parts.join(' and ')}.`
}

function counting(alert: AlertFacts): string | null {
  if (alert.group.length === 0) return null
  const pairs = alert.group.map(({ field, value }) => `${inSentence(field)} ${inSentence(value)}`)
  return `Counted separately for ${pairs.join(' and ')}.`
}

/**
 * Explains an alert to the person on call, in a paragraph of plain text: who, what, how unusual in numbers, since when,
 * from where, and the first thing to do. Lists are shortened, times are UTC.
 *
 * @param rule the rule that raised it; its body says what the numbers are compared with.
 */
export function explain(alert: Omit<Alert, 'explanation' | 'runbook'>, rule: Rule): string {
  const sentences = [
    `${subject(alert)} ${whatHappened(alert, rule.body)}.`,
    counting(alert),
    alert.anomaly === null ? null : history(alert.anomaly),
    raised(alert, rule),
    when(alert),
    ...fromWhere(alert),
    summary(alert),
    rotation(alert),
    alert.mergedInto === null
      ? null
      : `A late event joined this episode with an earlier one: treat it together with alert ${plainText(alert.mergedInto)}.`,
    firstAction(alert),
  ]
  return sentences.filter(sentence => sentence !== null).join(' ')
}
