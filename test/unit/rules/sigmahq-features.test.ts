// What the public CloudTrail rules of SigmaHQ are made of (fields, modifiers, conditions), in rules of our own words: each
// must load, match the event it is about and pass over its twin.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import { eventWith } from './events.ts'
import { detection, load } from './loading.ts'

type Fields = Parameters<typeof eventWith>[0]
interface Case {
  readonly name: string
  readonly block: string
  readonly hits: readonly Fields[]
  readonly misses: readonly Fields[]
}
const json = JSON.stringify

const cases: readonly Case[] = [
  {
    name: 'lists of sources and of names',
    block: `selection:
  eventSource: ['sso.amazonaws.com', 'sso-directory.amazonaws.com']
  eventName:
    - CreatePermissionSet
    - AssociateDirectory
condition: selection`,
    hits: [{ eventSource: 'sso-directory.amazonaws.com', eventName: 'AssociateDirectory' }],
    misses: [{ eventSource: 'iam.amazonaws.com', eventName: 'AssociateDirectory' }],
  },
  {
    name: 'results of a sign-in and additional data of it',
    block: `selection:
  eventName: ConsoleLogin
  responseElements.ConsoleLogin: Success
  additionalEventData.MFAUsed: 'NO'
condition: selection`,
    hits: [
      {
        eventName: 'ConsoleLogin',
        responseElements: json({ ConsoleLogin: 'Success' }),
        additionalEventData: json({ MFAUsed: 'No' }),
      },
    ],
    misses: [
      {
        eventName: 'ConsoleLogin',
        responseElements: json({ ConsoleLogin: 'Failure' }),
        additionalEventData: json({ MFAUsed: 'No' }),
      },
    ],
  },
  {
    name: 'an expression over the ARN and a list of exceptions',
    block: `selection:
  userIdentity.arn|re: ':assumed-role/aws:.+'
filter_main_known:
  - eventSource: ssm.amazonaws.com
  - sourceIPAddress: AWS Internal
condition: selection and not 1 of filter_main_*`,
    hits: [{ userIdentity: { arn: 'arn:aws:sts::1:assumed-role/aws:ec2-instance/i-1' } }],
    misses: [
      { userIdentity: { arn: 'arn:aws:sts::1:assumed-role/aws:ec2-instance/i-1' }, sourceIPAddress: 'AWS Internal' },
      { userIdentity: { arn: 'arn:aws:sts::1:assumed-role/deploy/i-1' } },
    ],
  },
  {
    name: 'a field that must not hold anything, written as contains star',
    block: `selection:
  eventName: CreateInstanceExportTask
filter1:
  errorMessage|contains: '*'
filter2:
  errorCode|contains: '*'
filter3:
  responseElements|contains: 'Failure'
condition: selection and not 1 of filter*`,
    hits: [
      { eventName: 'CreateInstanceExportTask' },
      { eventName: 'CreateInstanceExportTask', responseElements: json({ state: 'active' }) },
    ],
    misses: [
      { eventName: 'CreateInstanceExportTask', errorCode: 'Client.X' },
      { eventName: 'CreateInstanceExportTask', errorMessage: 'no' },
      { eventName: 'CreateInstanceExportTask', responseElements: json({ state: 'failure' }) },
    ],
  },
  {
    name: 'a success that is null or a word',
    block: `selection_source:
  eventSource: guardduty.amazonaws.com
selection_action_delete:
  eventName: DeleteDetector
selection_action_update:
  eventName: UpdateDetector
  requestParameters.enable: 'false'
selection_status_success:
  errorCode: Success
selection_status_null:
  errorCode: null
condition: selection_source and 1 of selection_action_* and 1 of selection_status_*`,
    hits: [
      { eventSource: 'guardduty.amazonaws.com', eventName: 'DeleteDetector' },
      {
        eventSource: 'guardduty.amazonaws.com',
        eventName: 'UpdateDetector',
        requestParameters: json({ enable: false }),
      },
      { eventSource: 'guardduty.amazonaws.com', eventName: 'DeleteDetector', errorCode: 'Success' },
    ],
    misses: [
      {
        eventSource: 'guardduty.amazonaws.com',
        eventName: 'UpdateDetector',
        requestParameters: json({ enable: true }),
      },
      { eventSource: 'guardduty.amazonaws.com', eventName: 'DeleteDetector', errorCode: 'AccessDenied' },
    ],
  },
  {
    name: 'a policy document inside the request, asked for as a whole column and as a member',
    block: `whole:
  requestParameters|contains|all: ['"arn:aws:s3:::<BUCKET>/*"', '"Allow"']
member:
  requestParameters.policyDocument|contains|all: ['"Effect": "Allow"', '"Action": "*"']
condition: whole or member`,
    hits: [
      { requestParameters: json({ policyDocument: json({ Effect: 'Allow', Resource: 'arn:aws:s3:::<BUCKET>/*' }) }) },
      { requestParameters: json({ policyDocument: '{"Effect": "Allow", "Action": "*"}' }) },
    ],
    misses: [{ requestParameters: json({ policyDocument: '{"Effect": "Deny", "Action": "*"}' }) }],
  },
  {
    name: 'a reference to another field, and lists inside the request',
    block: `selection:
  eventName: UpdateLoginProfile
filter_main_self:
  userIdentity.userName|fieldref: requestParameters.userName
command:
  requestParameters.containerDefinitions.command|contains: '$AWS_CONTAINER_CREDENTIALS'
condition: selection and not 1 of filter_main_* or command`,
    hits: [
      {
        eventName: 'UpdateLoginProfile',
        userIdentity: { userName: 'ana' },
        requestParameters: json({ userName: 'bob' }),
      },
      {
        requestParameters: json({
          containerDefinitions: [{ command: ['sh'] }, { command: ['curl $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] }],
        }),
      },
    ],
    misses: [
      {
        eventName: 'UpdateLoginProfile',
        userIdentity: { userName: 'ana' },
        requestParameters: json({ userName: 'ana' }),
      },
    ],
  },
  {
    name: 'names that begin with one of many words, and who is excepted',
    block: `selection:
  eventName|startswith: [Create, Delete, Put]
filter_tool:
  userAgent|contains: terraform
filter_arn:
  userIdentity.arn: 'arn:*/*terraform*'
filter_service:
  userIdentity.type: AWSService
condition: selection and not (filter_tool or filter_arn or filter_service)`,
    hits: [{ eventName: 'PutUserPolicy' }],
    misses: [
      { eventName: 'PutUserPolicy', userAgent: 'HashiCorp Terraform/1.9' },
      { eventName: 'PutUserPolicy', userIdentity: { arn: 'arn:aws:sts::1:assumed-role/terraform-ci/x' } },
      { eventName: 'GetUserPolicy' },
    ],
  },
  {
    name: 'names of other products for the outcome and the identity type',
    block: `selection:
  eventName: DeleteSAMLProvider
  status: success
filter:
  type: AssumedRole
condition: selection and not filter`,
    hits: [{ eventName: 'DeleteSAMLProvider' }],
    misses: [
      { eventName: 'DeleteSAMLProvider', outcome: 'DENIED', errorCode: 'AccessDenied' },
      { eventName: 'DeleteSAMLProvider', userIdentity: { type: 'AssumedRole' } },
    ],
  },
  {
    name: 'calls that ended without an error, by a long-lived key',
    block: `selection:
  userIdentity.accessKeyId|startswith: AKIA
  eventSource: bedrock.amazonaws.com
filter_error:
  errorCode|exists: true
condition: selection and not filter_error`,
    hits: [{ eventSource: 'bedrock.amazonaws.com', userIdentity: { accessKeyId: 'AKIAEXAMPLE' } }],
    misses: [
      { eventSource: 'bedrock.amazonaws.com', userIdentity: { accessKeyId: 'ASIAEXAMPLE' } },
      {
        eventSource: 'bedrock.amazonaws.com',
        userIdentity: { accessKeyId: 'AKIAEXAMPLE' },
        errorCode: 'AccessDenied',
        outcome: 'DENIED',
      },
    ],
  },
  {
    name: 'a member of the result that must hold anything at all',
    block: `selection:
  responseElements.pendingModifiedValues.masterUserPassword|contains: '*'
  eventName: ModifyDBInstance
condition: selection`,
    hits: [
      {
        eventName: 'ModifyDBInstance',
        responseElements: json({ pendingModifiedValues: { masterUserPassword: '****' } }),
      },
    ],
    misses: [
      { eventName: 'ModifyDBInstance', responseElements: json({ pendingModifiedValues: {} }) },
      { eventName: 'ModifyDBInstance' },
    ],
  },
  {
    name: 'the session issuer, booleans of the request and a nested configuration',
    block: `issuer:
  userIdentity.type: AssumedRole
  userIdentity.sessionContext.sessionIssuer.type: Role
flag:
  requestParameters.setAsDefault: true
  requestParameters.PublicAccessBlockConfiguration.BlockPublicAcls: 'false'
condition: 1 of them`,
    hits: [
      {
        userIdentity: {
          type: 'AssumedRole',
          sessionIssuer: { type: 'Role', principalId: null, arn: null, accountId: null, userName: null },
        },
      },
      { requestParameters: json({ setAsDefault: true, PublicAccessBlockConfiguration: { BlockPublicAcls: false } }) },
    ],
    misses: [{ userIdentity: { type: 'AssumedRole' } }, { requestParameters: json({ setAsDefault: true }) }],
  },
]

for (const { name, block, hits, misses } of cases) {
  test(name, () => {
    const { rules } = load(detection(block))
    const matches = (event: CloudTrailEvent): boolean => rules.match(event).length > 0
    for (const fields of hits) assert.equal(matches(eventWith(fields)), true, json(fields))
    for (const fields of misses) assert.equal(matches(eventWith(fields)), false, json(fields))
  })
}

test('a head as published ones are: other dates, underscores in tags, prose where a list could be, keys of no meaning here', () => {
  const { rules } = load(`title: Key material brought in or taken away
id: 3a0f8c1e-5a40-4f6e-8f5e-6d4f2c9b7a11
related:
    - id: 8c0f1b46-2a53-4a4d-9c5f-0a4d8f3b2c77
      type: similar
status: experimental
description: |
  A line with a colon: and 'quotes'.

author: Somebody (@somebody), Another
date: 2024/02/26
modified: 2025-10-18
tags:
    - attack.impact
    - attack.resource_development
    - attack.defense-impairment
    - attack.t1608.003
    - detection.threat-hunting
logsource:
    product: aws
    service: cloudtrail
detection:
    selection:
        eventName: 
            - ImportKeyMaterial
    condition: selection
fields:
    - userIdentity.arn
    - responseElements.accessKey.userName
falsepositives: |
    Few:
      - tests


level: high
`)
  const [rule] = rules.rules
  assert.equal(rule?.id, '3a0f8c1e-5a40-4f6e-8f5e-6d4f2c9b7a11')
  assert.deepEqual(
    rule.attack.map(({ tactic, technique }) => tactic || technique),
    ['TA0040', 'TA0042', 'TA0112', 'T1608.003'],
  )
  assert.deepEqual(rule.falsePositives, ['Few:\n  - tests'])
})
