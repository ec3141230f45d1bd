// What an alert shows of an event: never request or response bodies, every text cut to what its field can honestly hold.
// Pure. The caps are what bounds detector state under hostile input (docs/decisions/0010-windows-and-episodes.md).
import type { Evidence } from '../alerts/alert.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
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
} as const

/** Secrets kept of one event: a BatchGetSecretValue call names at most 20, and not all of them need be long. */
const maxSecrets = 20
const maxSecretsText = 1200

/** The event as evidence. Total: anything that is not a text is null or empty. */
export function evidenceOf(event: CloudTrailEvent): Evidence {
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
  }
}

/** The secrets an event names, as far as they are kept. */
export function secretsOf(event: CloudTrailEvent): string[] {
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

/** UTF-16 units of an evidence record. */
export function evidenceText(evidence: Evidence): number {
  const { userIdentity } = evidence
  return (
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

/** True when an event would give the same evidence, id and time apart, and the same secrets. Allocates nothing for short texts. */
export function alike(evidence: Evidence, secrets: readonly string[], event: CloudTrailEvent): boolean {
  const identity = event.userIdentity as CloudTrailEvent['userIdentity'] | null | undefined
  return (
    same(evidence.eventName, event.eventName, most.eventName) &&
    same(evidence.awsRegion, event.awsRegion, most.awsRegion) &&
    same(evidence.sourceIPAddress, event.sourceIPAddress, most.sourceIPAddress) &&
    same(evidence.errorCode, event.errorCode, most.errorCode) &&
    same(evidence.userAgent, event.userAgent, most.userAgent) &&
    same(evidence.recipientAccountId, event.recipientAccountId, most.recipientAccountId) &&
    same(evidence.eventSource, event.eventSource, most.eventSource) &&
    same(evidence.userIdentity.accessKeyId, identity?.accessKeyId, most.accessKeyId) &&
    same(evidence.userIdentity.sessionName, identity?.sessionName, most.sessionName) &&
    same(evidence.userIdentity.arn, identity?.arn, most.arn) &&
    same(evidence.userIdentity.type, identity?.type, most.type) &&
    sameSecrets(secrets, event)
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
