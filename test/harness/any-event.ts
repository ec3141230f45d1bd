// Events by chance, for property tests of codecs: everything that fits the schema, sense or not.
import fc from 'fast-check'
import { outcomes, principalKinds, sourceKinds } from '../../src/normalize/event.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'

// UTF-8 has no lone surrogates; the normalizer replaces them before an event gets here.
const text = fc.string({ unit: 'binary', maxLength: 40 }).map(value => value.toWellFormed())
const optional = fc.option(text, { nil: null })
const flag = fc.option(fc.boolean(), { nil: null })
const time = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })
const issuer = fc.record({
  type: optional,
  principalId: optional,
  arn: optional,
  accountId: optional,
  userName: optional,
})
/** An event as the normalizer may write it, every member by chance. */
export const anyEvent: fc.Arbitrary<CloudTrailEvent> = fc.record({
  eventTime: time,
  eventSource: text,
  eventName: text,
  awsRegion: text,
  outcome: fc.constantFrom(...outcomes),
  principal: fc.record({ key: text, kind: fc.constantFrom(...principalKinds), name: text }),
  recipientAccountId: text,
  eventId: text,
  sharedEventId: optional,
  eventVersion: optional,
  eventType: optional,
  eventCategory: optional,
  sourceIPAddress: optional,
  userAgent: optional,
  errorCode: optional,
  errorMessage: optional,
  readOnly: flag,
  managementEvent: flag,
  vpcEndpointId: optional,
  requestId: optional,
  userIdentity: fc.record({
    type: optional,
    principalId: optional,
    arn: optional,
    accountId: optional,
    accessKeyId: optional,
    userName: optional,
    invokedBy: optional,
    sourceIdentity: optional,
    sessionIssuer: fc.option(issuer, { nil: null }),
    sessionName: optional,
    mfaAuthenticated: flag,
    sessionCreated: fc.option(time, { nil: null }),
  }),
  requestParameters: optional,
  responseElements: optional,
  additionalEventData: optional,
  secrets: fc.array(text, { maxLength: 5 }),
  sourceKind: fc.constantFrom(...sourceKinds),
})
