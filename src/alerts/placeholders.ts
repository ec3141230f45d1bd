// Placeholders: what each {name} in a runbook stands for. The names are the paths of Alert, and three derived ones.
// Pure. Values are raw here; runbook.ts escapes them for the place they are put in. docs/alerts.md lists the names.
import type { AlertFacts } from './subject.ts'
import { duration, measure, probability, wholeNumber } from './wording.ts'

/** Text, a list, or a time in epoch milliseconds. */
export type Filler = (alert: AlertFacts) => string | readonly string[] | number

/** What an absent value reads. */
export const none = 'none'

/** Longest list in a runbook; the alert has the rest. */
const listLimit = 10

/** A list that the alert has capped: `total` values in all. */
function capped(values: readonly string[], total: number): readonly string[] {
  const all = Math.max(total, values.length)
  const shown = values.slice(0, listLimit)
  return all > shown.length ? [...shown, `and ${wholeNumber(all - shown.length)} more`] : shown
}

/** What each placeholder stands for: the fields of Alert by their paths, times in UTC, and three that are derived. */
export const fillers: Readonly<Record<string, Filler>> = {
  dedupKey: a => a.dedupKey,
  activity: a => a.activity,
  sequence: a => String(a.sequence),
  mergedInto: a => a.mergedInto ?? none,
  ruleId: a => a.ruleId,
  ruleTitle: a => a.ruleTitle,
  ruleVersion: a => a.ruleVersion,
  severity: a => a.severity,
  severityId: a => String(a.severityId),
  attack: a => a.attack.map(({ tactic, technique }) => [tactic, technique].filter(Boolean).join(' ')),
  principal: a => (a.principal.name === '' ? a.principal.key : a.principal.name),
  'principal.key': a => a.principal.key,
  'principal.kind': a => a.principal.kind,
  'principal.name': a => (a.principal.name === '' ? a.principal.key : a.principal.name),
  group: a => a.group.map(({ field, value }) => `${field} ${value}`),
  firstSeen: a => a.firstSeen,
  lastSeen: a => a.lastSeen,
  detectedAt: a => a.detectedAt,
  duration: a => duration(a.lastSeen - a.firstSeen),
  'window.start': a => a.window.start,
  'window.end': a => a.window.end,
  count: a => wholeNumber(a.count),
  distinctValues: a =>
    capped(
      a.distinctValues.map(d => d.value),
      a.totals.distinctValues,
    ),
  regions: a => capped(a.regions, a.totals.regions),
  accounts: a => capped(a.accounts, a.totals.accounts),
  sourceIPs: a => capped(a.sourceIPs, a.totals.sourceIPs),
  userAgents: a => capped(a.userAgents, a.totals.userAgents),
  accessKeys: a => capped(a.accessKeys, a.totals.accessKeys),
  sessionNames: a => capped(a.sessionNames, a.totals.sessionNames),
  secrets: a => capped(a.secrets, a.totals.secrets),
  'totals.distinctValues': a => wholeNumber(a.totals.distinctValues),
  'totals.regions': a => wholeNumber(a.totals.regions),
  'totals.accounts': a => wholeNumber(a.totals.accounts),
  'totals.sourceIPs': a => wholeNumber(a.totals.sourceIPs),
  'totals.userAgents': a => wholeNumber(a.totals.userAgents),
  'totals.accessKeys': a => wholeNumber(a.totals.accessKeys),
  'totals.sessionNames': a => wholeNumber(a.totals.sessionNames),
  'totals.secrets': a => wholeNumber(a.totals.secrets),
  eventIds: a => a.evidence.map(e => e.eventId).filter(Boolean),
  eventNames: a => [...new Set(a.evidence.map(e => e.eventName))],
  'anomaly.count': a => (a.anomaly === null ? none : wholeNumber(a.anomaly.count)),
  'anomaly.distinct': a => (a.anomaly === null ? none : wholeNumber(a.anomaly.distinct)),
  'anomaly.expected': a => (a.anomaly === null ? none : measure(a.anomaly.expected)),
  'anomaly.pValue': a => (a.anomaly === null ? none : probability(a.anomaly.pValue)),
  'anomaly.alpha': a => (a.anomaly === null ? none : probability(a.anomaly.alpha)),
  'anomaly.exposureMs': a => (a.anomaly === null ? none : duration(a.anomaly.exposureMs)),
  'anomaly.dispersion': a => (a.anomaly === null ? none : measure(a.anomaly.dispersion)),
  'input.topic': a => a.input?.topic ?? none,
  'input.partition': a => String(a.input?.partition ?? none),
  'input.offset': a => String(a.input?.offset ?? none),
}
