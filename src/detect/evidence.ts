// What an alert shows of an event: of request and response only the rule's summary fields, every text cut to what its field
// can honestly hold.
// Pure. The caps are what bounds detector state under hostile input (docs/decisions/0010-windows-and-episodes.md).
import type { Evidence } from '../alerts/alert.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Field } from '../rules/rule.ts'
import { weightOfNumber } from './detector.ts'
import { boundedText } from './text.ts'

/**
 * Longest texts kept, UTF-16 units. AWS allows 64 for session names and role names, 128 for service names; user agents
 * and role paths can be longer and lose their end.
 */
const most = {
  eventId: 64,
  eventName: 64,
  eventSource: 128,
  awsRegion: 32,
  recipientAccountId: 32,
  sourceIPAddress: 128,
  userAgent: 256,
  errorCode: 64,
  type: 32,
  arn: 256,
  accessKeyId: 64,
  sessionName: 64,
  secret: 200,
  summary: 256,
} as const

/** Secrets kept of one event: a BatchGetSecretValue call names at most 20, and not all of them need be long. */
const maxSecrets = 20
const maxSecretsText = 1200

/** Summary fields shown of one event. */
export const maxSummaryFields = 16

/** The summary fields of one event, as {@link Evidence} holds them. */
export type Summary = Evidence['fields']

/** No summary fields: one list for all evidence without them. */
export const noSummary: Summary = []

/** The values of a rule's summary fields; absent and empty ones are left out, beyond {@link maxSummaryFields} the rest. */
export function summaryOf(event: CloudTrailEvent, fields: readonly Field[]): Summary {
  if (fields.length === 0) return noSummary
  const shown: { field: string; value: string }[] = []
  for (const { name, read } of fields) {
    const value = boundedText(read(event), most.summary) ?? ''
    if (value === '' || shown.some(known => known.field === name)) continue
    shown.push({ field: name, value })
    if (shown.length === maxSummaryFields) break
  }
  return shown
}

/** The event as evidence, with its summary. Total: anything that is not a text is null or empty. */
export function evidenceOf(event: CloudTrailEvent, fields: Summary): Evidence {
  const identity = event.userIdentity as CloudTrailEvent['userIdentity'] | null | undefined
  return {
    eventId: boundedText(event.eventId, most.eventId) ?? '',
    eventTime: event.eventTime,
    eventName: boundedText(event.eventName, most.eventName) ?? '',
    eventSource: boundedText(event.eventSource, most.eventSource) ?? '',
    awsRegion: boundedText(event.awsRegion, most.awsRegion) ?? '',
    recipientAccountId: boundedText(event.recipientAccountId, most.recipientAccountId) ?? '',
    sourceIPAddress: boundedText(event.sourceIPAddress, most.sourceIPAddress),
    userAgent: boundedText(event.userAgent, most.userAgent),
    errorCode: boundedText(event.errorCode, most.errorCode),
    userIdentity: {
      type: boundedText(identity?.type, most.type),
      arn: boundedText(identity?.arn, most.arn),
      accessKeyId: boundedText(identity?.accessKeyId, most.accessKeyId),
      sessionName: boundedText(identity?.sessionName, most.sessionName),
    },
    fields,
  }
}

/**
 * Evidence and secrets of one event, made once however many rules take the event in: their states then hold the same
 * object, and a state record writes it once.
 */
export class Exhibit {
  readonly event: CloudTrailEvent
  #plain: Evidence | null = null
  #secrets: readonly string[] | null = null

  constructor(event: CloudTrailEvent) {
    this.event = event
  }

  /** The event as evidence, with its summary. */
  evidence(fields: Summary): Evidence {
    if (fields.length > 0) return evidenceOf(this.event, fields)
    return (this.#plain ??= evidenceOf(this.event, noSummary))
  }

  secrets(): readonly string[] {
    return (this.#secrets ??= secretsOf(this.event))
  }
}

/** The secrets an event names, as far as they are kept. */
function secretsOf(event: CloudTrailEvent): string[] {
  const secrets: string[] = []
  let text = 0
  for (const name of (event.secrets as CloudTrailEvent['secrets'] | null | undefined) ?? []) {
    const secret = boundedText(name, most.secret) ?? ''
    text += secret.length
    if (secrets.length === maxSecrets || text > maxSecretsText) break
    secrets.push(secret)
  }
  return secrets
}

/** UTF-16 units of an evidence record; the name of a summary field counts as a number, because a state holds it once. */
export function evidenceText(evidence: Evidence): number {
  const { userIdentity } = evidence
  let summary = 0
  for (const { value } of evidence.fields) summary += value.length + 2 * weightOfNumber
  return (
    summary +
    evidence.eventId.length +
    evidence.eventName.length +
    evidence.eventSource.length +
    evidence.awsRegion.length +
    evidence.recipientAccountId.length +
    (evidence.sourceIPAddress?.length ?? 0) +
    (evidence.userAgent?.length ?? 0) +
    (evidence.errorCode?.length ?? 0) +
    (userIdentity.type?.length ?? 0) +
    (userIdentity.arn?.length ?? 0) +
    (userIdentity.accessKeyId?.length ?? 0) +
    (userIdentity.sessionName?.length ?? 0)
  )
}

/**
 * True when an event with the summary `fields` would give the same evidence, id and time apart, and the same secrets.
 * Allocates nothing for short texts.
 */
export function alike(
  evidence: Evidence,
  secrets: readonly string[],
  event: CloudTrailEvent,
  fields: Summary,
): boolean {
  const identity = event.userIdentity as CloudTrailEvent['userIdentity'] | null | undefined
  // what differs most often first: rows of one principal mostly have everything but the session in common
  return (
    same(evidence.userIdentity.accessKeyId, identity?.accessKeyId, most.accessKeyId) &&
    same(evidence.userIdentity.sessionName, identity?.sessionName, most.sessionName) &&
    same(evidence.eventName, event.eventName, most.eventName) &&
    same(evidence.awsRegion, event.awsRegion, most.awsRegion) &&
    same(evidence.sourceIPAddress, event.sourceIPAddress, most.sourceIPAddress) &&
    same(evidence.errorCode, event.errorCode, most.errorCode) &&
    same(evidence.userAgent, event.userAgent, most.userAgent) &&
    same(evidence.recipientAccountId, event.recipientAccountId, most.recipientAccountId) &&
    same(evidence.eventSource, event.eventSource, most.eventSource) &&
    same(evidence.userIdentity.arn, identity?.arn, most.arn) &&
    same(evidence.userIdentity.type, identity?.type, most.type) &&
    sameSummary(evidence.fields, fields) &&
    sameSecrets(secrets, event)
  )
}

function sameSummary(kept: Summary, fields: Summary): boolean {
  if (kept === fields) return true
  return (
    kept.length === fields.length &&
    kept.every(({ field, value }, i) => field === fields[i]?.field && value === fields[i].value)
  )
}

function same(kept: string | null, text: string | null | undefined, longest: number): boolean {
  return kept === (typeof text === 'string' && text.length > longest ? boundedText(text, longest) : (text ?? null))
}

function sameSecrets(kept: readonly string[], event: CloudTrailEvent): boolean {
  const { secrets } = event
  if (kept.length === secrets?.length && kept.every((secret, i) => secret === secrets[i])) return true
  if (kept.length === 0 || kept.length === secrets?.length) return kept.length === 0 && !secrets?.length
  const cut = secretsOf(event)
  return cut.length === kept.length && cut.every((secret, i) => secret === kept[i])
}
