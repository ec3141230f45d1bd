// Who acted: userIdentity to a principal key that the actor cannot rotate, version 1 of the mapping. Pure and total.
// The key partitions the events topic and owns all detection state. Session name, access key and address never enter it:
// whoever assumes a role chooses the first and gets a new second each time. Changing this mapping re-homes every principal.
import { accountId, filled, isJsonObject, parametersOf } from './cloudtrail.ts'
import type { CloudTrailRecord, JsonObject } from './cloudtrail.ts'
import type { Principal, PrincipalKind } from './event.ts'
import { accountSegment, keyOf, segment } from './principal-key.ts'
import { assumedOf, federatedOf, principal, rootOf, userOf } from './session-principal.ts'
import { issuedId, sessionIssuerOf, sourceIdentityOf } from './user-identity.ts'

/** `ignore` where roles let callers set any sts:SourceIdentity, who could then choose their own key. */
export interface PrincipalOptions {
  readonly sourceIdentity: 'trust' | 'ignore'
}

/**
 * The principal of a record: the first of these that the identity can name.
 *
 *     source-identity/<value>                       sourceIdentity, which survives role chaining
 *     sso/<session name>                            IAM Identity Center: the person, in whatever account
 *     <account>/role/<AROA… or role ARN>            AssumedRole, Role
 *     <account>/user/<AIDA… or user name>           IAMUser
 *     <account>/root                                Root
 *     the key of the session issuer                 FederatedUser
 *     <account>/<type>/<provider>/<user>            SAMLUser, WebIdentityUser, IdentityCenterUser, Directory
 *     <account>/account/<principalId>               AWSAccount: a caller of another account, seen by the resource's owner
 *     service/<invokedBy>                           AWSService, and service events without a type
 *     <account>/unknown                             nothing usable
 */
export function principalOf(record: CloudTrailRecord, options: PrincipalOptions): Principal {
  const recipient = filled(accountId(record.recipientAccountId))
  const identity = record.userIdentity
  if (!isJsonObject(identity)) return unknownOf(recipient)
  const account = filled(accountId(identity.accountId)) ?? recipient
  if (options.sourceIdentity === 'trust') {
    const source = sourceIdentityOf(identity)
    if (source !== null) return principal('SOURCE_IDENTITY', keyOf('source-identity', segment(source)), source)
  }
  return ofType(record, identity, account) ?? serviceOf(identity) ?? unknownOf(account)
}

function ofType(record: CloudTrailRecord, identity: JsonObject, account: string | null): Principal | null {
  switch (identity.type) {
    case 'AssumedRole':
    case 'Role':
      return assumedOf(identity, account)
    case 'IAMUser':
      return userOf(issuedId(identity.principalId), filled(identity.userName), account)
    case 'Root':
      return rootOf(account)
    case 'FederatedUser':
      return federatedOf(identity, account)
    case 'SAMLUser':
      return providedOf('SAML_USER', 'SAMLUser', identity, account)
    case 'WebIdentityUser':
      return providedOf('WEB_IDENTITY_USER', 'WebIdentityUser', identity, account)
    case 'IdentityCenterUser':
      return named(
        providedOf('IDENTITY_CENTER_USER', 'IdentityCenterUser', identity, account),
        filled(parametersOf(record.additionalEventData)?.['UserName']),
      )
    case 'Directory':
      return providedOf('DIRECTORY', 'Directory', identity, account)
    case 'AWSAccount':
      return accountOf(identity, account)
    case 'AWSService':
      return serviceOf(identity)
    default:
      return untypedOf(identity, account)
  }
}

/** Users of an outside directory. IdentityCenterUser has neither provider nor user name but onBehalfOf. */
function providedOf(kind: PrincipalKind, type: string, identity: JsonObject, account: string | null): Principal | null {
  const behalf = isJsonObject(identity.onBehalfOf) ? identity.onBehalfOf : null
  const provider = filled(behalf?.identityStoreArn) ?? filled(identity.identityProvider)
  const user = filled(behalf?.userId) ?? filled(identity.userName) ?? filled(identity.principalId)
  if (user === null) return null
  const key = keyOf(accountSegment(account), type, segment(provider), segment(user))
  return principal(kind, key, filled(identity.userName) ?? user)
}

/** The name that CloudTrail gives an Identity Center user outside userIdentity; the key stays the immutable id. */
function named(found: Principal | null, name: string | null): Principal | null {
  return found === null || name === null ? found : principal(found.kind, found.key, name)
}

/** principalId may be `AROA…:session` here too; the session is cut. */
function accountOf(identity: JsonObject, account: string | null): Principal | null {
  const id = issuedId(identity.principalId)
  if (id !== null) return principal('ACCOUNT', keyOf(accountSegment(account), 'account', segment(id)), account ?? id)
  const own = filled(accountId(identity.accountId))
  return own === null ? null : principal('ACCOUNT', keyOf(accountSegment(own), 'account'), own)
}

/** An absent or new type: AWS's own unique ids say what they are by their first four letters. */
function untypedOf(identity: JsonObject, account: string | null): Principal | null {
  const id = issuedId(sessionIssuerOf(identity)?.principalId) ?? issuedId(identity.principalId)
  if (id?.startsWith('AROA') === true) return assumedOf(identity, account)
  if (id?.startsWith('AIDA') === true) return userOf(id, filled(identity.userName), account)
  return filled(identity.arn)?.endsWith(':root') === true ? rootOf(account) : null
}

function serviceOf(identity: JsonObject): Principal | null {
  const service = filled(identity.invokedBy)
  return service === null ? null : principal('SERVICE', keyOf('service', segment(service)), service)
}

function unknownOf(account: string | null): Principal {
  return principal('UNKNOWN', keyOf(accountSegment(account), 'unknown'), account ?? 'unknown')
}
