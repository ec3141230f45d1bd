// Subject: who an alert is about, in words, and which of the principal's facts an on-call person can act on.
// Pure. Kinds are those of the principal key (docs on principals); the words are AWS's own.
import type { PrincipalKind } from '../normalize/event.ts'
import type { Alert } from './alert.ts'
import { counted, inSentence, shortList } from './wording.ts'

/** The alert before its texts are written. */
export type AlertFacts = Omit<Alert, 'explanation' | 'runbook'>

const nouns: Readonly<Record<PrincipalKind, string>> = {
  UNKNOWN: 'An identity that CloudTrail does not name',
  SOURCE_IDENTITY: 'The person or system with source identity',
  SSO: 'The IAM Identity Center user',
  ROLE: 'The role',
  USER: 'The IAM user',
  ROOT: 'The root user',
  FEDERATED: 'The federated identity',
  SAML_USER: 'The SAML user',
  WEB_IDENTITY_USER: 'The web identity',
  IDENTITY_CENTER_USER: 'The IAM Identity Center user',
  DIRECTORY: 'The directory user',
  SERVICE: 'The AWS service',
  ACCOUNT: 'The AWS account',
}

/** Kinds whose noun says it all; a name after it would only repeat it. */
const nameless: ReadonlySet<PrincipalKind> = new Set(['UNKNOWN', 'ROOT'])

/** The account a principal belongs to: the first segment of its key where that is one, else null. */
function homeAccount(principal: Alert['principal']): string | null {
  const slash = principal.key.indexOf('/')
  const head = slash === -1 ? '' : principal.key.slice(0, slash)
  return /^\d{12}$/.test(head) ? head : null
}

/**
 * `The role Admin of account 111122223333`, and where it acted if that is not its own account alone:
 * `…, acting in accounts 111122223333 and 444455556666`.
 */
export function subject(alert: AlertFacts): string {
  const { principal } = alert
  // A kind that this version does not know can come from a newer normalizer; it is a value, not a failure.
  const noun = nouns[principal.kind] ?? 'The principal'
  const name = nameless.has(principal.kind)
    ? ''
    : ` ${inSentence(principal.name === '' ? principal.key : principal.name)}`
  const home = homeAccount(principal)
  const of = home === null || principal.kind === 'ACCOUNT' ? '' : ` of account ${home}`
  const elsewhere = alert.accounts.length > 0 && (alert.totals.accounts > 1 || alert.accounts[0] !== home)
  const acting = elsewhere
    ? `, acting in ${alert.totals.accounts === 1 ? 'account' : 'accounts'} ${shortList(alert.accounts, alert.totals.accounts)},`
    : ''
  return `${noun}${name}${of}${acting}`
}

/** The first thing to do, in one sentence, by what kind of identity acted. */
export function firstAction(alert: AlertFacts): string {
  const name = inSentence(alert.principal.name === '' ? alert.principal.key : alert.principal.name)
  const sessions = counted(alert.totals.sessionNames, 'session')
  switch (alert.principal.kind) {
    case 'SERVICE':
      return 'First: find the resource on whose behalf the service made these calls, and who configured it.'
    case 'ROOT':
      return 'First: reach the owner of the account; if they did not sign in as root, secure the root user and its access keys now.'
    case 'USER':
      return `First: reach the owner of ${name} by another channel; if the calls are not theirs, deactivate the access keys named above.`
    case 'ROLE':
    case 'FEDERATED':
      return alert.totals.sessionNames > 1
        ? `First: find out who or what opened these ${sessions}; if nobody can say, revoke all active sessions of ${name}, because a single key is not enough.`
        : `First: find out which workload or person uses ${name} in this session; if nobody can say, revoke its active sessions.`
    case 'ACCOUNT':
    case 'UNKNOWN':
      return 'First: look up the sample events in CloudTrail by their event ids and find out who holds the credentials.'
    case 'SOURCE_IDENTITY':
    case 'SSO':
    case 'SAML_USER':
    case 'WEB_IDENTITY_USER':
    case 'IDENTITY_CENTER_USER':
    case 'DIRECTORY':
    default:
      return `First: ask ${name} by another channel whether these calls are theirs; if not, end all of their sessions.`
  }
}
