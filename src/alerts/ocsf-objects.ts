// OCSF 1.8.0 objects inside a Detection Finding: the principal, its sample events, the secrets, the anomaly analysis.
// Pure. Part of ocsf.ts, which has the event class; names follow AWS's own CloudTrail mapping for OCSF
// (github.com/ocsf/examples, mappings/markdown/AWS), so that findings join with Security Lake's API Activity events.
import type { Alert, Anomaly, Evidence } from './alert.ts'
import type { Principal, PrincipalKind } from '../normalize/event.ts'
import { rfc3339 } from '../rfc3339.ts'

/** An OCSF object or event class: attribute names to JSON values. */
export type OcsfObject = Readonly<Record<string, unknown>>

/** OCSF user.type_id: 0 Unknown, 1 User, 2 Admin, 4 Service, 99 Other. */
function userTypeId(kind: PrincipalKind): number {
  if (kind === 'UNKNOWN') return 0
  if (kind === 'ROOT') return 2
  if (kind === 'SERVICE') return 4
  return kind === 'ROLE' || kind === 'ACCOUNT' || kind === 'FEDERATED' ? 99 : 1
}

/** The principal as a user: `uid` is the key that trailwarden counts by, not an ARN. */
export function principalUser(principal: Principal): OcsfObject {
  return {
    uid: principal.key,
    ...(principal.name === '' ? {} : { name: principal.name }),
    type: principal.kind,
    type_id: userTypeId(principal.kind),
  }
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/
const ipv6 = /^[0-9a-f:]+(:\d{1,3}(\.\d{1,3}){3})?$/i

/** CloudTrail's sourceIPAddress is an address, or the DNS name of an AWS service, or `AWS Internal`. */
function srcEndpoint(source: string): OcsfObject {
  if (ipv4.test(source) || (source.includes(':') && ipv6.test(source))) return { ip: source }
  return source.includes('.') && !source.includes(' ') ? { domain: source } : { name: source }
}

/**
 * One sample event. The class has no attribute for the time, region and recipient account of one evidence, so these three
 * stand in `data` under CloudTrail's names, and the summary fields of the rule with them.
 */
export function evidence(sample: Evidence, principal: Principal): OcsfObject {
  const { type, arn, accessKeyId, sessionName } = sample.userIdentity
  const session = {
    ...(sessionName === null ? {} : { uid: sessionName }),
    ...(accessKeyId === null ? {} : { credential_uid: accessKeyId }),
  }
  return {
    ...(sample.eventId === '' ? {} : { uid: sample.eventId }),
    api: {
      operation: sample.eventName,
      service: { name: sample.eventSource },
      ...(sample.errorCode === null ? {} : { response: { error: sample.errorCode } }),
    },
    actor: {
      user: {
        uid: arn ?? principal.key,
        ...(principal.name === '' ? {} : { name: principal.name }),
        ...(type === null ? {} : { type }),
        type_id: userTypeId(principal.kind),
      },
      ...(Object.keys(session).length === 0 ? {} : { session }),
    },
    ...(sample.sourceIPAddress === null || sample.sourceIPAddress === ''
      ? {}
      : { src_endpoint: srcEndpoint(sample.sourceIPAddress) }),
    ...(sample.userAgent === null ? {} : { http_request: { user_agent: sample.userAgent } }),
    data: {
      eventTime: rfc3339(sample.eventTime),
      awsRegion: sample.awsRegion,
      recipientAccountId: sample.recipientAccountId,
      ...(sample.fields.length === 0 ? {} : { fields: sample.fields }),
    },
  }
}

/** A secret, `account:region:name`, as an affected resource. */
export function secretResource(secret: string): OcsfObject {
  const parts = /^(\d{12}):([^:]*):(.*)$/s.exec(secret)
  const [, account = '', region = '', name = secret] = parts ?? []
  return {
    uid: secret,
    name,
    type: 'AWS::SecretsManager::Secret',
    role_id: 1,
    role: 'Target',
    ...(region === '' ? {} : { region }),
    ...(account === '' ? {} : { owner: { account: { uid: account, type_id: 10, type: 'AWS Account' } } }),
  }
}

/**
 * The rate anomaly. OCSF observations are a text `value` with `count` and `timespan`: the baseline is the expected number
 * per window over the effective history, the anomalies are what the window held and how probable that is.
 */
export function anomalyAnalysis(alert: Alert, anomaly: Anomaly): OcsfObject {
  const { start, end } = alert.window
  const window = { start_time: start, end_time: end, type_id: 9, type: 'Time Interval' }
  const observed = (observation_parameter: string, value: number, count: number) => ({
    observation_parameter,
    observation_type: 'Frequency Analysis',
    observed_pattern: 'RARE',
    observations: [{ value: String(value), count, timespan: window }],
  })
  return {
    analysis_targets: [{ name: alert.principal.key, type: alert.principal.kind }],
    baselines: [
      {
        observation_parameter: 'denied calls per window',
        observation_type: 'Frequency Analysis',
        observations: [
          {
            value: String(anomaly.expected),
            timespan: { duration: Math.round(anomaly.exposureMs), type_id: 1, type: 'Milliseconds' },
          },
        ],
      },
      {
        observation_parameter: 'dispersion (size of the negative binomial)',
        observation_type: 'Distribution Analysis',
        observations: [{ value: String(anomaly.dispersion) }],
      },
    ],
    anomalies: [
      observed('denied calls per window', anomaly.count, anomaly.count),
      observed('distinct secrets among them', anomaly.distinct, anomaly.distinct),
      observed('probability of at least this count', anomaly.pValue, anomaly.count),
    ],
  }
}
