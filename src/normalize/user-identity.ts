// userIdentity of a record in normal form, and the parts of it that are hidden in other fields: session name, issuer.
// Pure and total: an identity of the wrong type reads as an empty one.
// Elements: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
import { accountId, filled, flag, objectOf, text } from './cloudtrail.ts'
import type { JsonObject } from './cloudtrail.ts'
import { parseTime } from './event-time.ts'
import type { SessionIssuer, UserIdentity } from './event.ts'

/** userIdentity.sessionContext.sessionIssuer; null where absent or empty (`{}` on console sessions of users). */
export function sessionIssuerOf(identity: JsonObject): SessionIssuer | null {
  const issuer = objectOf(objectOf(identity.sessionContext)?.sessionIssuer)
  if (issuer === null) return null
  const { type, principalId, arn, accountId: account, userName } = issuer
  if ((type ?? principalId ?? arn ?? account ?? userName ?? null) === null) return null
  return {
    type: text(type),
    principalId: text(principalId),
    arn: text(arn),
    accountId: accountId(account),
    userName: text(userName),
  }
}

/** sourceIdentity, which AWS puts into sessionContext; null where empty. */
export function sourceIdentityOf(identity: JsonObject): string | null {
  return filled(objectOf(identity.sessionContext)?.sourceIdentity) ?? filled(identity.sourceIdentity)
}

/**
 * The name that the caller gave the session: what follows the first colon of principalId (`AROA…:session`), else the
 * third part of the ARN (`assumed-role/Role/session`). Null for identities that have no session of a name.
 */
export function sessionNameOf(identity: JsonObject): string | null {
  switch (identity.type) {
    case 'AssumedRole':
    case 'Role':
    case 'FederatedUser':
    case 'AWSAccount': {
      const principalId = filled(identity.principalId)
      const colon = principalId?.indexOf(':') ?? -1
      if (principalId !== null && colon !== -1 && colon < principalId.length - 1) return principalId.slice(colon + 1)
      const assumed = /:assumed-role\/[^/]+\/(.+)$/s.exec(text(identity.arn) ?? '')
      return assumed?.[1] ?? null
    }
    default:
      return null
  }
}

/** A principalId without the session name: the part that AWS issued (`AROA…`, `AIDA…`, an account). */
export function issuedId(principalId: unknown): string | null {
  const id = filled(principalId)
  const colon = id?.indexOf(':') ?? -1
  return id === null || colon === -1 ? id : filled(id.slice(0, colon))
}

/** The identity in normal form. Times are epoch milliseconds; an unreadable creationDate is null. */
export function userIdentityOf(value: unknown): UserIdentity {
  const identity = objectOf(value)
  if (identity === null) return nobody
  const attributes = objectOf(objectOf(identity.sessionContext)?.attributes)
  const created = attributes?.creationDate
  return {
    type: text(identity.type),
    principalId: text(identity.principalId),
    arn: text(identity.arn),
    accountId: accountId(identity.accountId),
    accessKeyId: text(identity.accessKeyId),
    userName: text(identity.userName),
    invokedBy: text(identity.invokedBy),
    sourceIdentity: sourceIdentityOf(identity),
    sessionIssuer: sessionIssuerOf(identity),
    sessionName: sessionNameOf(identity),
    mfaAuthenticated: flag(attributes?.mfaAuthenticated),
    sessionCreated: typeof created === 'string' ? parseTime(created) : null,
  }
}

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
