// Tables of field names: CloudTrail's own, where CloudTrailEvent keeps them, and those the events topic leaves behind. Pure.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { EventMember } from './rule.ts'

type Read = (event: CloudTrailEvent) => string | boolean | null

/** Members of the event and what the normalizer derives from them. */
export const members: Readonly<Record<string, Read>> = {
  eventSource: e => e.eventSource,
  eventName: e => e.eventName,
  // Empty in the normal form means absent in the record: the schema has no null for these three.
  awsRegion: e => e.awsRegion || null,
  recipientAccountId: e => e.recipientAccountId || null,
  eventID: e => e.eventId || null,
  sharedEventID: e => e.sharedEventId,
  requestID: e => e.requestId,
  eventVersion: e => e.eventVersion,
  eventType: e => e.eventType,
  eventCategory: e => e.eventCategory,
  sourceIPAddress: e => e.sourceIPAddress,
  userAgent: e => e.userAgent,
  errorCode: e => e.errorCode,
  errorMessage: e => e.errorMessage,
  readOnly: e => e.readOnly,
  managementEvent: e => e.managementEvent,
  vpcEndpointId: e => e.vpcEndpointId,
  'userIdentity.type': e => e.userIdentity.type,
  'userIdentity.principalId': e => e.userIdentity.principalId,
  'userIdentity.arn': e => e.userIdentity.arn,
  'userIdentity.accountId': e => e.userIdentity.accountId,
  'userIdentity.accessKeyId': e => e.userIdentity.accessKeyId,
  'userIdentity.userName': e => e.userIdentity.userName,
  'userIdentity.invokedBy': e => e.userIdentity.invokedBy,
  'userIdentity.sessionContext.sourceIdentity': e => e.userIdentity.sourceIdentity,
  'userIdentity.sessionContext.sessionIssuer.type': e => e.userIdentity.sessionIssuer?.type ?? null,
  'userIdentity.sessionContext.sessionIssuer.principalId': e => e.userIdentity.sessionIssuer?.principalId ?? null,
  'userIdentity.sessionContext.sessionIssuer.arn': e => e.userIdentity.sessionIssuer?.arn ?? null,
  'userIdentity.sessionContext.sessionIssuer.accountId': e => e.userIdentity.sessionIssuer?.accountId ?? null,
  'userIdentity.sessionContext.sessionIssuer.userName': e => e.userIdentity.sessionIssuer?.userName ?? null,
  'userIdentity.sessionContext.attributes.mfaAuthenticated': e => e.userIdentity.mfaAuthenticated,
  'userIdentity.sessionName': e => e.userIdentity.sessionName,
  'principal.key': e => e.principal.key,
  'principal.kind': e => e.principal.kind,
  'principal.name': e => e.principal.name,
  principal: e => e.principal.key,
  outcome: e => e.outcome,
  status: e => (e.outcome === 'SUCCESS' ? 'success' : 'failure'),
  sourceKind: e => e.sourceKind,
}

// The topic spells these four as Avro readers expect; a rule may use either spelling. The last two are no CloudTrail names,
// but published SigmaHQ rules use them: `type` for the identity's, `status` (below) for the outcome of other products.
export const aliases: Readonly<Record<string, string>> = {
  eventId: 'eventID',
  sharedEventId: 'sharedEventID',
  requestId: 'requestID',
  'userIdentity.sourceIdentity': 'userIdentity.sessionContext.sourceIdentity',
  type: 'userIdentity.type',
}

// Where the name in the event is not that of CloudTrail.
const renamed: Readonly<Record<string, EventMember>> = {
  eventID: 'eventId',
  sharedEventID: 'sharedEventId',
  requestID: 'requestId',
  status: 'outcome',
  'userIdentity.creationDate': 'userIdentity.sessionCreated',
}

/** The member of the event that a field is read from, by the field's resolved name; null for a search over everything. */
export function memberOf(name: string): EventMember | null {
  if (name === '') return null
  const steps = name.split('.').filter(step => step !== 'sessionContext' && step !== 'attributes')
  const member = steps.slice(0, steps[0] === 'userIdentity' ? 2 : 1).join('.')
  return Object.hasOwn(renamed, member) ? (renamed[member] ?? null) : (member as EventMember)
}

/** Fields that are times, epoch milliseconds. */
export const times: Readonly<Record<string, (event: CloudTrailEvent) => number | null>> = {
  eventTime: e => e.eventTime,
  'userIdentity.sessionContext.attributes.creationDate': e => e.userIdentity.sessionCreated,
}

/** Columns that hold JSON text; rules look into them by path. */
export const jsonTexts = ['requestParameters', 'responseElements', 'additionalEventData'] as const

/** CloudTrail fields that cloudtrail.events.v1 leaves behind. */
export const notCarried = [
  'apiVersion',
  'resources',
  'serviceEventDetails',
  'tlsDetails',
  'addendum',
  'edgeDeviceDetails',
  'sessionCredentialFromConsole',
  'vpcEndpointAccountId',
  'eventContext',
  'insightDetails',
  'userIdentity.onBehalfOf',
  'userIdentity.credentialId',
  'userIdentity.identityProvider',
  'userIdentity.inScopeOf',
  'userIdentity.invokedByDelegate',
  'userIdentity.sessionContext.webIdFederationData',
  'userIdentity.sessionContext.ec2RoleDelivery',
  'userIdentity.sessionContext.assumedRoot',
] as const
