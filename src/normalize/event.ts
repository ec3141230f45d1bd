// CloudTrailEvent: CloudTrail in normal form, the value of cloudtrail.events.v1 (topics/cloudtrail.events.v1/value.avsc).
// Pure. Everything after the normalizer (rules, detectors, alerts) reads this shape and nothing else.
// normalizeRecord makes it from a record, or says why it cannot; it never throws.
import type { Rejected, RejectReason } from '../rejected.ts'
import { accountId, filled, flag, isJsonObject, jsonText, text } from './cloudtrail.ts'
import type { CloudTrailRecord } from './cloudtrail.ts'
import { parseTime } from './event-time.ts'
import { outcomeOf } from './outcome.ts'
import { principalOf } from './principal.ts'
import type { PrincipalOptions } from './principal.ts'
import { secretsOf } from './secrets.ts'
import { userIdentityOf } from './user-identity.ts'

/** How a call ended. The classification is in outcome.ts. */
export const outcomes = ['SUCCESS', 'DENIED', 'NOT_FOUND', 'THROTTLED', 'ERROR'] as const
export type Outcome = (typeof outcomes)[number]

/** What kind of identity a principal key names. The classification is in principal.ts. */
export const principalKinds = [
  'UNKNOWN',
  'SOURCE_IDENTITY',
  'SSO',
  'ROLE',
  'USER',
  'ROOT',
  'FEDERATED',
  'SAML_USER',
  'WEB_IDENTITY_USER',
  'IDENTITY_CENTER_USER',
  'DIRECTORY',
  'SERVICE',
  'ACCOUNT',
] as const
export type PrincipalKind = (typeof principalKinds)[number]

/** Which envelope a record came in; the label of `trailwarden_envelopes_total`. */
export const sourceKinds = [
  'UNKNOWN',
  'RECORD',
  'ARRAY',
  'RECORDS_ARRAY',
  'RECORDS_OBJECT',
  'JSON_LINES',
  'EVENTBRIDGE',
  'CLOUDWATCH_LOGS',
  'LOOKUP_EVENTS',
  'LAKE',
  'MESSAGE',
  'RAW',
  'EVENT_ORIGINAL',
  'BEATS',
  'SNS',
] as const
export type SourceKind = (typeof sourceKinds)[number]

/** Who acted, in a form an attacker cannot rotate. `key` is the Kafka key and the unit of all detection state. */
export interface Principal {
  readonly key: string
  readonly kind: PrincipalKind
  /** Display name: the role, user or service name (Panther's `actor_user`). */
  readonly name: string
}

export interface SessionIssuer {
  readonly type: string | null
  readonly principalId: string | null
  readonly arn: string | null
  readonly accountId: string | null
  readonly userName: string | null
}

export interface UserIdentity {
  readonly type: string | null
  readonly principalId: string | null
  readonly arn: string | null
  readonly accountId: string | null
  readonly accessKeyId: string | null
  readonly userName: string | null
  readonly invokedBy: string | null
  readonly sourceIdentity: string | null
  readonly sessionIssuer: SessionIssuer | null
  readonly sessionName: string | null
  readonly mfaAuthenticated: boolean | null
  /** Epoch milliseconds. */
  readonly sessionCreated: number | null
}

/** One CloudTrail event. Times are epoch milliseconds; absent fields are null. Field names are CloudTrail's own. */
export interface CloudTrailEvent {
  readonly eventTime: number
  readonly eventSource: string
  readonly eventName: string
  readonly awsRegion: string
  readonly outcome: Outcome
  readonly principal: Principal
  readonly recipientAccountId: string
  readonly eventId: string
  readonly sharedEventId: string | null
  readonly eventVersion: string | null
  readonly eventType: string | null
  readonly eventCategory: string | null
  readonly sourceIPAddress: string | null
  readonly userAgent: string | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly readOnly: boolean | null
  readonly managementEvent: boolean | null
  readonly vpcEndpointId: string | null
  readonly requestId: string | null
  readonly userIdentity: UserIdentity
  /** JSON text as it stood in the record, null where absent or configured away. */
  readonly requestParameters: string | null
  readonly responseElements: string | null
  readonly additionalEventData: string | null
  /** Secrets named by the request as `account:region:name`; a name, an ARN and a suffix-less ARN of one secret are one value. */
  readonly secrets: readonly string[]
  readonly sourceKind: SourceKind
}

/** What the operator chose, and which envelope the record came in. */
export interface NormalizeContext extends PrincipalOptions {
  readonly sourceKind: SourceKind
  readonly keepRequestParameters: boolean
  readonly keepResponseElements: boolean
  readonly keepAdditionalEventData: boolean
}

/**
 * One record in normal form, or the reason why it is none.
 *
 * Required are eventTime, eventName and eventSource; the rest may be absent or of a wrong type, and is then null (empty
 * text where the schema has no null). An eventVersion of another major version than 1 is refused, absent or any minor
 * version is not. recipientAccountId falls back to the caller's account, as records before version 1.02 have none.
 */
export function normalizeRecord(record: unknown, context: NormalizeContext): CloudTrailEvent | Rejected {
  if (!isJsonObject(record)) return refused('not-an-object', 'a record is an object')
  return refusalOf(record) ?? normalized(record, context)
}

function refusalOf(record: CloudTrailRecord): Rejected | null {
  const { eventName, eventSource, eventVersion } = record
  if (eventName == null || eventName === '') return refused('missing-event-name', 'no eventName')
  if (typeof eventName !== 'string') return refused('wrong-type', 'eventName is not text')
  if (eventSource == null || eventSource === '') return refused('missing-event-source', 'no eventSource')
  if (typeof eventSource !== 'string') return refused('wrong-type', 'eventSource is not text')
  // An error that cannot be read is still an error: as null it would pass for a success.
  if (record.errorCode != null && text(record.errorCode) === null) return refused('wrong-type', 'errorCode is not text')
  if (record.errorMessage != null && text(record.errorMessage) === null)
    return refused('wrong-type', 'errorMessage is not text')
  if (eventVersion == null) return null
  const version = text(eventVersion)
  if (version === null) return refused('wrong-type', 'eventVersion is not text')
  return /^1(\.\d+)*$/.test(version) ? null : refused('unsupported-event-version', 'eventVersion is not 1.x')
}

function normalized(record: CloudTrailRecord, context: NormalizeContext): CloudTrailEvent | Rejected {
  const time = record.eventTime
  if (time == null || time === '') return refused('missing-event-time', 'no eventTime')
  // A number is refused too: whether it counts seconds or milliseconds, and since when, would be a guess.
  const eventTime = typeof time === 'string' ? parseTime(time) : null
  if (eventTime === null) return refused('bad-event-time', 'eventTime is not ISO 8601 with a zone')

  let requestParameters: string | null
  let responseElements: string | null
  let additionalEventData: string | null
  try {
    requestParameters = context.keepRequestParameters ? jsonText(record.requestParameters) : null
    responseElements = context.keepResponseElements ? jsonText(record.responseElements) : null
    additionalEventData = context.keepAdditionalEventData ? jsonText(record.additionalEventData) : null
  } catch {
    return refused('too-deep', 'request or response nested too deeply to write as JSON')
  }

  const userIdentity = userIdentityOf(record.userIdentity)
  const eventSource = text(record.eventSource) ?? ''
  const eventName = text(record.eventName) ?? ''
  const awsRegion = text(record.awsRegion) ?? ''
  const recipientAccountId = filled(accountId(record.recipientAccountId)) ?? userIdentity.accountId ?? ''
  const errorCode = filled(record.errorCode)
  const errorMessage = filled(record.errorMessage)
  return {
    eventTime,
    eventSource,
    eventName,
    awsRegion,
    outcome: outcomeOf(errorCode, errorMessage),
    principal: principalOf(record, context),
    recipientAccountId,
    eventId: text(record.eventID) ?? '',
    sharedEventId: text(record.sharedEventID),
    eventVersion: text(record.eventVersion),
    eventType: text(record.eventType),
    eventCategory: text(record.eventCategory),
    sourceIPAddress: text(record.sourceIPAddress),
    userAgent: text(record.userAgent),
    errorCode,
    errorMessage,
    readOnly: flag(record.readOnly),
    managementEvent: flag(record.managementEvent),
    vpcEndpointId: text(record.vpcEndpointId),
    requestId: text(record.requestID),
    userIdentity,
    requestParameters,
    responseElements,
    additionalEventData,
    secrets: secretsOf(eventSource, eventName, record.requestParameters, recipientAccountId, awsRegion),
    sourceKind: context.sourceKind,
  }
}

function refused(rejected: RejectReason, detail: string): Rejected {
  return { rejected, detail }
}
