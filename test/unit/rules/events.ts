// CloudTrailEvents for tests of rules: everything that does not matter is filled in.
import type { CloudTrailEvent, UserIdentity } from '../../../src/normalize/event.ts'

const nobody: UserIdentity = {
  type: null,
  principalId: null,
  arn: null,
  accountId: null,
  accessKeyId: null,
  userName: null,
  invokedBy: null,
  sourceIdentity: null,
  sessionIssuer: null,
  sessionName: null,
  mfaAuthenticated: null,
  sessionCreated: null,
}

/** An event with the given fields; `userIdentity` may be partial. */
export function eventWith(
  fields: Partial<Omit<CloudTrailEvent, 'userIdentity'>> & { readonly userIdentity?: Partial<UserIdentity> } = {},
): CloudTrailEvent {
  return {
    eventTime: Date.UTC(2026, 0, 1, 12),
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'GetSecretValue',
    awsRegion: 'eu-west-1',
    outcome: 'SUCCESS',
    principal: { key: '111122223333/role/AROAEXAMPLE', kind: 'ROLE', name: 'deploy' },
    recipientAccountId: '111122223333',
    eventId: '',
    sharedEventId: null,
    eventVersion: '1.11',
    eventType: 'AwsApiCall',
    eventCategory: 'Management',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.15',
    errorCode: null,
    errorMessage: null,
    readOnly: true,
    managementEvent: true,
    vpcEndpointId: null,
    requestId: null,
    requestParameters: null,
    responseElements: null,
    additionalEventData: null,
    secrets: [],
    sourceKind: 'RECORD',
    ...fields,
    userIdentity: { ...nobody, ...fields.userIdentity },
  }
}
