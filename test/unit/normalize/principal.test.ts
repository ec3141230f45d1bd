import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { principalOf } from '../../../src/normalize/principal.ts'
import type { Principal } from '../../../src/normalize/event.ts'

const account = '111122223333'

function principal(userIdentity: unknown, recipientAccountId: unknown = account): Principal {
  return principalOf({ userIdentity, recipientAccountId }, { sourceIdentity: 'trust' })
}

function assumed(role: string, session: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: 'AssumedRole',
    principalId: `AROAEXAMPLE:${session}`,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
    accountId: account,
    accessKeyId: 'ASIAEXAMPLE',
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: 'AROAEXAMPLE',
        arn: `arn:aws:iam::${account}:role/path/${role}`,
        accountId: account,
        userName: role,
      },
      ...extra,
    },
  }
}

function sso(arn: string | undefined): Record<string, unknown> {
  const userName = 'AWSReservedSSO_Admin_0123456789abcdef'
  const sessionIssuer = { type: 'Role', principalId: 'AROASSO', accountId: account, userName, arn }
  return {
    type: 'AssumedRole',
    principalId: 'AROASSO:alice@example.com',
    accountId: account,
    sessionContext: { sessionIssuer },
  }
}

const behalf = { userId: '0000-user', identityStoreArn: 'arn:aws:identitystore::111122223333:identitystore/d-1' }

// [what, userIdentity, key, kind, name]
const cases: readonly (readonly [string, unknown, string, Principal['kind'], string])[] = [
  ['a role by its unique id', assumed('reader', 's1'), `${account}/role/AROAEXAMPLE`, 'ROLE', 'reader'],
  [
    'Role like AssumedRole',
    { ...assumed('reader', 's1'), type: 'Role' },
    `${account}/role/AROAEXAMPLE`,
    'ROLE',
    'reader',
  ],
  [
    'a role by the ARN of its issuer where the unique id is missing',
    { type: 'AssumedRole', sessionContext: { sessionIssuer: { arn: `arn:aws:iam::444455556666:role/a/reader` } } },
    '444455556666/role/arn:aws:iam::444455556666:role%2Fa%2Freader',
    'ROLE',
    'reader',
  ],
  [
    'a role by its unique id in principalId where there is no issuer',
    { type: 'AssumedRole', principalId: 'AROAEXAMPLE:s1', accountId: account, sessionContext: { sessionIssuer: {} } },
    `${account}/role/AROAEXAMPLE`,
    'ROLE',
    'AROAEXAMPLE',
  ],
  [
    'a role by its own ARN without the session where nothing else is there',
    { type: 'AssumedRole', arn: `arn:aws:sts::${account}:assumed-role/reader/s1/x`, accountId: account },
    `${account}/role/arn:aws:sts::${account}:assumed-role%2Freader`,
    'ROLE',
    'reader',
  ],
  [
    'an IAM user by its unique id',
    { type: 'IAMUser', principalId: 'AIDAX', userName: 'bob' },
    `${account}/user/AIDAX`,
    'USER',
    'bob',
  ],
  [
    'an IAM user by name where the unique id is missing',
    { type: 'IAMUser', principalId: '', userName: 'bob' },
    `${account}/user/bob`,
    'USER',
    'bob',
  ],
  [
    'root without a user name',
    { type: 'Root', principalId: account, accountId: account },
    `${account}/root`,
    'ROOT',
    account,
  ],
  [
    'a federated user as the user who issued it',
    {
      type: 'FederatedUser',
      principalId: `${account}:chosen`,
      arn: `arn:aws:sts::${account}:federated-user/chosen`,
      accountId: account,
      sessionContext: { sessionIssuer: { type: 'IAMUser', principalId: 'AIDAX', accountId: account, userName: 'bob' } },
    },
    `${account}/user/AIDAX`,
    'FEDERATED',
    'bob',
  ],
  [
    'a federated user of root as root',
    {
      type: 'FederatedUser',
      accountId: account,
      sessionContext: { sessionIssuer: { type: 'Root', accountId: account } },
    },
    `${account}/root`,
    'FEDERATED',
    account,
  ],
  [
    'a federated user without issuer as unknown',
    { type: 'FederatedUser', principalId: `${account}:chosen`, accountId: account },
    `${account}/unknown`,
    'UNKNOWN',
    account,
  ],
  [
    'a SAML user by provider and name',
    { type: 'SAMLUser', principalId: 'x=:carol', userName: 'carol', identityProvider: 'x=' },
    `${account}/SAMLUser/x=/carol`,
    'SAML_USER',
    'carol',
  ],
  [
    'a web identity by provider and name',
    {
      type: 'WebIdentityUser',
      principalId: 'p',
      userName: 'repo:org/app:ref:refs/heads/main',
      identityProvider: 'token.actions.githubusercontent.com',
    },
    `${account}/WebIdentityUser/token.actions.githubusercontent.com/repo:org%2Fapp:ref:refs%2Fheads%2Fmain`,
    'WEB_IDENTITY_USER',
    'repo:org/app:ref:refs/heads/main',
  ],
  [
    'an Identity Center user by store and user id',
    { type: 'IdentityCenterUser', accountId: account, onBehalfOf: behalf, credentialId: 'rotates' },
    `${account}/IdentityCenterUser/arn:aws:identitystore::111122223333:identitystore%2Fd-1/0000-user`,
    'IDENTITY_CENTER_USER',
    '0000-user',
  ],
  [
    'a directory user without provider',
    { type: 'Directory', userName: 'dave' },
    `${account}/Directory/~/dave`,
    'DIRECTORY',
    'dave',
  ],
  [
    'an account by its own number and the unique id without the session',
    { type: 'AWSAccount', principalId: 'AROAFOREIGN:chosen', accountId: '444455556666' },
    '444455556666/account/AROAFOREIGN',
    'ACCOUNT',
    '444455556666',
  ],
  [
    'an account without unique id',
    { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' },
    '~ANONYMOUS_PRINCIPAL/account',
    'ACCOUNT',
    'ANONYMOUS_PRINCIPAL',
  ],
  [
    'a service by what invoked',
    { type: 'AWSService', invokedBy: 'inspector2.amazonaws.com' },
    'service/inspector2.amazonaws.com',
    'SERVICE',
    'inspector2.amazonaws.com',
  ],
  [
    'a service event, which has no type',
    { accountId: account, invokedBy: 'ec2.amazonaws.com' },
    'service/ec2.amazonaws.com',
    'SERVICE',
    'ec2.amazonaws.com',
  ],
  [
    'the user whom a service acts for, not the service',
    { type: 'IAMUser', principalId: 'AIDAX', userName: 'bob', invokedBy: 'AWS Internal' },
    `${account}/user/AIDAX`,
    'USER',
    'bob',
  ],
  [
    'a type of the future by its unique id',
    { type: 'AgentRole', principalId: 'AROAEXAMPLE:s1', accountId: account },
    `${account}/role/AROAEXAMPLE`,
    'ROLE',
    'AROAEXAMPLE',
  ],
  [
    'no type but a user id',
    { principalId: 'AIDAX', accountId: account, userName: 'bob' },
    `${account}/user/AIDAX`,
    'USER',
    'bob',
  ],
  [
    'no type but the ARN of root',
    { arn: `arn:aws:iam::${account}:root`, accountId: account },
    `${account}/root`,
    'ROOT',
    account,
  ],
  ['Unknown', { type: 'Unknown' }, `${account}/unknown`, 'UNKNOWN', account],
  ['nothing at all', undefined, `${account}/unknown`, 'UNKNOWN', account],
  ['text instead of an object', 'bob', `${account}/unknown`, 'UNKNOWN', account],
  [
    'the person of IAM Identity Center',
    sso(`arn:aws:iam::${account}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef`),
    'sso/alice@example.com',
    'SSO',
    'alice@example.com',
  ],
  [
    'the same person where only the ARN of the session names the role',
    {
      type: 'AssumedRole',
      accountId: account,
      principalId: 'AROASSO:alice@example.com',
      arn: `arn:aws:sts::${account}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/alice@example.com`,
    },
    'sso/alice@example.com',
    'SSO',
    'alice@example.com',
  ],
  ['the same person where the issuer has no ARN', sso(undefined), 'sso/alice@example.com', 'SSO', 'alice@example.com'],
  [
    'the same person where the ARN of the issuer has no path',
    sso(`arn:aws:iam::${account}:role/AWSReservedSSO_Admin_0123456789abcdef`),
    'sso/alice@example.com',
    'SSO',
    'alice@example.com',
  ],
  [
    'sourceIdentity before anything else',
    assumed('reader', 's1', { sourceIdentity: 'alice' }),
    'source-identity/alice',
    'SOURCE_IDENTITY',
    'alice',
  ],
  [
    'an empty sourceIdentity as absent',
    assumed('reader', 's1', { sourceIdentity: '' }),
    `${account}/role/AROAEXAMPLE`,
    'ROLE',
    'reader',
  ],
]

describe('the principal is', () => {
  for (const [what, identity, key, kind, name] of cases) {
    test(what, () => assert.deepEqual(principal(identity), { key, kind, name }))
  }
})

test('sourceIdentity can be ignored', () => {
  const identity = assumed('reader', 's1', { sourceIdentity: 'alice' })
  const found = principalOf({ userIdentity: identity }, { sourceIdentity: 'ignore' })
  assert.equal(found.key, `${account}/role/AROAEXAMPLE`)
})

test('without any account the key says so', () => {
  assert.deepEqual(principal(null, null), { key: 'unknown/unknown', kind: 'UNKNOWN', name: 'unknown' })
  assert.equal(principal({ type: 'IAMUser', userName: 'bob' }, '').key, 'unknown/user/bob')
})

test('an account that a shipper made a number is the same account', () => {
  assert.equal(principal({ type: 'Root', accountId: 12345678901 }).key, '012345678901/root')
})

test('no name that a caller may choose spells the key of somebody else', () => {
  const keys = [
    principal(assumed('reader', 's1', { sourceIdentity: `../${account}/root` })).key,
    principal(assumed('reader', 's1', { sourceIdentity: 'alice/bob' })).key,
    principal({ type: 'IAMUser', userName: 'AIDAX' }).key,
    principal({ type: 'IAMUser', userName: 'x/root' }).key,
    principal({ type: 'SAMLUser', identityProvider: 'a', userName: 'b/c' }).key,
    principal({ type: 'SAMLUser', identityProvider: 'a/b', userName: 'c' }).key,
    principal({ type: 'Root', accountId: 'source-identity' }).key,
    principal({ type: 'AWSService', invokedBy: 'a' }, account).key,
  ]
  const victims = [
    `${account}/root`,
    `${account}/user/AIDAX`,
    'source-identity/alice',
    'source-identity/root',
    'service/b',
  ]
  assert.equal(new Set([...keys, ...victims]).size, keys.length + victims.length)
})
