// JSON view of an alert: one line of `--json` output and, by configuration, the value of the alert topic.
// Pure. Field names and order are those of Alert; times are RFC 3339 UTC with milliseconds, everything else as it is.
// docs/alerts.md is the contract.
import { jsonLine } from '../json-line.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { Alert } from './alert.ts'

/**
 * The alert as one line of JSON without a newline, spelled as {@link jsonLine} does: no control characters.
 * Every field is present, absent values as `null`.
 */
export function alertToJson(alert: Alert): string {
  const view = {
    dedupKey: alert.dedupKey,
    activity: alert.activity,
    sequence: alert.sequence,
    mergedInto: alert.mergedInto,
    ruleId: alert.ruleId,
    ruleTitle: alert.ruleTitle,
    ruleVersion: alert.ruleVersion,
    severity: alert.severity,
    severityId: alert.severityId,
    attack: alert.attack,
    principal: alert.principal,
    group: alert.group,
    firstSeen: rfc3339(alert.firstSeen),
    lastSeen: rfc3339(alert.lastSeen),
    detectedAt: rfc3339(alert.detectedAt),
    window: { start: rfc3339(alert.window.start), end: rfc3339(alert.window.end) },
    count: alert.count,
    distinctValues: alert.distinctValues.map(d => ({ ...d, first: rfc3339(d.first), last: rfc3339(d.last) })),
    regions: alert.regions,
    accounts: alert.accounts,
    sourceIPs: alert.sourceIPs,
    userAgents: alert.userAgents,
    accessKeys: alert.accessKeys,
    sessionNames: alert.sessionNames,
    secrets: alert.secrets,
    totals: alert.totals,
    evidence: alert.evidence.map(e => ({ ...e, eventTime: rfc3339(e.eventTime) })),
    anomaly: alert.anomaly,
    explanation: alert.explanation,
    runbook: alert.runbook,
    input: alert.input,
    suppressed: alert.suppressed,
  } satisfies Record<keyof Alert, unknown>
  return jsonLine(view)
}
