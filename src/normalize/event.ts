// CloudTrailEvent: CloudTrail in normal form, the value of cloudtrail.events.v1 (topics/cloudtrail.events.v1/value.avsc).
// Pure. Everything after the normalizer (rules, detectors, alerts) reads this shape and nothing else.

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
