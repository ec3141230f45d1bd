// Principals of sessions: Identity Center people, assumed roles, federated users, and the users and roots that issue them.
// Pure and total; null where the identity does not name one. Part of version 1 of the mapping in principal.ts.
import { filled } from './cloudtrail.ts'
import type { JsonObject } from './cloudtrail.ts'
import type { Principal, PrincipalKind, SessionIssuer } from './event.ts'
import { accountSegment, displayName, keyOf, nameSegment, segment } from './principal-key.ts'
import { issuedId, sessionIssuerOf, sessionNameOf } from './user-identity.ts'

/** A principal with a display name that is safe to print and never empty (an ARN of `/` ends in no name). */
export function principal(kind: PrincipalKind, key: string, name: string): Principal {
  return { key, kind, name: displayName(name === '' ? key : name) }
}

/** `sso/<session name>` or `<account>/role/<AROA… or role ARN>` for AssumedRole and Role. */
export function assumedOf(identity: JsonObject, account: string | null): Principal | null {
  const issuer = sessionIssuerOf(identity)
  return ssoOf(identity, issuer) ?? roleOf(identity, issuer, account)
}

/**
 * The person behind an Identity Center session, in whatever account. Known by the issuer's name, as analysts know it; who
 * may create roles could imitate the name, and with it choose a person's key, but such a one can make new roles, and so
 * new principals, at will.
 */
function ssoOf(identity: JsonObject, issuer: SessionIssuer | null): Principal | null {
  const arn = filled(issuer?.arn) ?? roleArn(filled(identity.arn))
  const role = filled(issuer?.userName) ?? arn?.slice(arn.lastIndexOf('/') + 1)
  if (role?.startsWith('AWSReservedSSO_') !== true) return null
  const person = sessionNameOf(identity)
  return person === null ? null : principal('SSO', keyOf('sso', segment(person)), person)
}

function roleOf(identity: JsonObject, issuer: SessionIssuer | null, account: string | null): Principal | null {
  const arn = filled(issuer?.arn) ?? roleArn(filled(identity.arn))
  const id = issuedId(issuer?.principalId) ?? issuedId(identity.principalId) ?? arn
  if (id === null) return null
  const owner = filled(issuer?.accountId) ?? accountInArn(arn) ?? account
  const name = filled(issuer?.userName) ?? arn?.slice(arn.lastIndexOf('/') + 1) ?? id
  return principal('ROLE', keyOf(accountSegment(owner), 'role', segment(id)), name)
}

/** `arn:aws:sts::…:assumed-role/Role/session` without the session, which the caller chose; other ARNs as they are. */
function roleArn(arn: string | null): string | null {
  return arn === null ? null : arn.replace(/(:assumed-role\/[^/]*)\/.*$/s, '$1')
}

function accountInArn(arn: string | null): string | null {
  return /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(arn ?? '')?.[1] ?? null
}

/** `<account>/user/<AIDA… or user name>`: records of failed sign-ins have no principalId. */
export function userOf(id: string | null, userName: string | null, account: string | null): Principal | null {
  if (id !== null) return principal('USER', keyOf(accountSegment(account), 'user', segment(id)), userName ?? id)
  return userName === null
    ? null
    : principal('USER', keyOf(accountSegment(account), 'user', nameSegment(userName)), userName)
}

/** `<account>/root`, null without an account. */
export function rootOf(account: string | null): Principal | null {
  return account === null ? null : principal('ROOT', keyOf(accountSegment(account), 'root'), account)
}

/** GetFederationToken lets its caller choose the federated name, so the key is that of the caller, who issued it. */
export function federatedOf(identity: JsonObject, account: string | null): Principal | null {
  const issuer = sessionIssuerOf(identity)
  if (issuer === null) return null
  const found = issuedBy(issuer, filled(issuer.accountId) ?? accountInArn(issuer.arn) ?? account)
  return found === null ? null : { ...found, kind: 'FEDERATED' }
}

function issuedBy(issuer: SessionIssuer, account: string | null): Principal | null {
  if (issuer.type === 'Root') return rootOf(account)
  if (issuer.type === 'IAMUser') return userOf(issuedId(issuer.principalId), filled(issuer.userName), account)
  const id = issuedId(issuer.principalId) ?? filled(issuer.arn)
  if (id === null) return null
  return principal('ROLE', keyOf(accountSegment(account), 'role', segment(id)), filled(issuer.userName) ?? id)
}
