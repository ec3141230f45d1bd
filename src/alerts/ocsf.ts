// OCSF view of an alert: a Detection Finding (class 2004) of OCSF 1.8.0 with the cloud profile.
// Pure. https://schema.ocsf.io/1.8.0/classes/detection_finding; docs/alerts.md has the mapping. One dedup key is one
// finding (`finding_info.uid`), each alert of it one event (`metadata.uid`): CREATE and UPDATE are its activities.
import type { Alert, Attack } from './alert.ts'
import { anomalyAnalysis, evidence, principalUser, secretResource } from './ocsf-objects.ts'
import type { OcsfObject } from './ocsf-objects.ts'

const version = '1.8.0'
const classUid = 2004

/** Tactic, technique and sub-technique: OCSF keeps the parts apart, `T1555.006` is both of the latter. */
function attackObject({ tactic, technique }: Attack): OcsfObject {
  const dot = technique.indexOf('.')
  const parent = dot === -1 ? technique : technique.slice(0, dot)
  return {
    ...(tactic === '' ? {} : { tactic: { uid: tactic } }),
    ...(parent === '' ? {} : { technique: { uid: parent } }),
    ...(dot === -1 ? {} : { sub_technique: { uid: technique } }),
  }
}

function findingInfo(alert: Alert): OcsfObject {
  const created = alert.activity === 'CREATE'
  return {
    uid: alert.dedupKey,
    title: alert.ruleTitle,
    desc: alert.explanation,
    types: [alert.ruleId],
    data_sources: ['AWS CloudTrail'],
    first_seen_time: alert.firstSeen,
    last_seen_time: alert.lastSeen,
    // The time of the CREATE is not carried by an UPDATE, so it is not invented there.
    ...(created ? { created_time: alert.detectedAt } : { modified_time: alert.detectedAt }),
    analytic: {
      uid: alert.ruleId,
      name: alert.ruleTitle,
      type_id: alert.anomaly === null ? 1 : 3,
      type: alert.anomaly === null ? 'Rule' : 'Statistical',
      version: alert.ruleVersion,
    },
    attacks: alert.attack.filter(a => a.tactic !== '' || a.technique !== '').map(attackObject),
    related_events_count: alert.count,
    ...(alert.mergedInto === null
      ? {}
      : {
          related_events: [{ uid: alert.mergedInto, type_uid: classUid * 100 + 1, title: 'Joined with this finding' }],
        }),
    ...(alert.group.length === 0 ? {} : { tags: alert.group.map(({ field, value }) => ({ name: field, value })) }),
  }
}

/** Account and region, where there is one of each: a finding over several names them in its evidences and resources. */
function cloud(alert: Alert): OcsfObject {
  const [account] = alert.accounts
  const [region] = alert.regions
  return {
    provider: 'AWS',
    ...(account !== undefined && alert.totals.accounts === 1
      ? { account: { uid: account, type_id: 10, type: 'AWS Account' } }
      : {}),
    ...(region !== undefined && alert.totals.regions === 1 ? { region } : {}),
  }
}

/**
 * The alert as an OCSF 1.8.0 Detection Finding, ready for JSON. Times are epoch milliseconds (`timestamp_t`). Attributes
 * without a value are left out, as OCSF asks. A suppressed alert has `status_id` 3 and is no `is_alert`.
 *
 * @param productVersion version of trailwarden for `metadata.product.version`; left out when not given.
 */
export function toOcsf(alert: Alert, productVersion?: string): OcsfObject {
  const activityId = alert.activity === 'CREATE' ? 1 : 2
  const suppressed = alert.suppressed !== null
  return {
    activity_id: activityId,
    activity_name: activityId === 1 ? 'Create' : 'Update',
    category_uid: 2,
    category_name: 'Findings',
    class_uid: classUid,
    class_name: 'Detection Finding',
    type_uid: classUid * 100 + activityId,
    severity_id: alert.severityId,
    severity: `${alert.severity.charAt(0).toUpperCase()}${alert.severity.slice(1)}`,
    status_id: suppressed ? 3 : 1,
    status: suppressed ? 'Suppressed' : 'New',
    ...(alert.suppressed === null ? {} : { status_detail: `${alert.suppressed.id}: ${alert.suppressed.reason}` }),
    is_alert: !suppressed,
    time: alert.detectedAt,
    start_time: alert.firstSeen,
    end_time: alert.lastSeen,
    count: alert.count,
    message: alert.explanation,
    metadata: {
      version,
      uid: `${alert.dedupKey}/${alert.sequence}`,
      sequence: alert.sequence,
      profiles: ['cloud'],
      product: {
        name: 'trailwarden',
        vendor_name: 'trailwarden',
        ...(productVersion === undefined ? {} : { version: productVersion }),
      },
      ...(alert.input === null ? {} : { log_name: alert.input.topic }),
    },
    finding_info: findingInfo(alert),
    cloud: cloud(alert),
    actor: { user: principalUser(alert.principal) },
    evidences: alert.evidence.map(sample => evidence(sample, alert.principal)),
    resources: alert.secrets.map(secretResource),
    ...(alert.anomaly === null ? {} : { anomaly_analyses: [anomalyAnalysis(alert, alert.anomaly)] }),
    ...(alert.runbook === '' ? {} : { remediation: { desc: alert.runbook } }),
  }
}
