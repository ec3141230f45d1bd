// The demo's scenario: half an hour of invented CloudTrail of a small company, with an attack inside, as raw topic values
// in the envelopes that real backbones carry. Deterministic: the same seed gives the same bytes. Nothing in it is real.
import { account, inEnvelopes, timeOf } from './demo-envelopes.ts'
import type { Json, RawValue } from './demo-envelopes.ts'

/** The scenario and what is inside, so that the demo can say what it sent. */
export interface Scenario {
  readonly values: readonly RawValue[]
  /** CloudTrail records, copies included. */
  readonly records: number
  readonly copies: number
  readonly principals: number
  readonly attacker: string
}

const start = Date.UTC(2026, 0, 15, 9, 0, 0)
const minute = 60_000
const homeRegions = ['us-east-1', 'us-west-2', 'eu-central-1']
const attackRegions = ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-south-1', 'sa-east-1']
const ordinaryCalls = [
  ['ec2.amazonaws.com', 'DescribeInstances'],
  ['s3.amazonaws.com', 'GetBucketLocation'],
  ['kms.amazonaws.com', 'Decrypt'],
  ['logs.amazonaws.com', 'CreateLogStream'],
  ['ssm.amazonaws.com', 'GetParameter'],
  ['sts.amazonaws.com', 'GetCallerIdentity'],
] as const
const ordinaryPrincipals = 40

/** Builds the scenario. `seed` is any 32-bit integer. */
export function demoScenario(seed = 7): Scenario {
  const { delivered, copies, random } = delivery(seed)
  return {
    values: inEnvelopes(delivered, random),
    records: delivered.length,
    copies,
    principals: ordinaryPrincipals + 2,
    attacker: `${account}/role/AROADEMOATTACKER00001`,
  }
}

/** The scenario as JSON lines of bare records, in the order of delivery: what `replay` reads. */
export function demoLines(seed = 7): string {
  return `${delivery(seed)
    .delivered.map(item => JSON.stringify(item))
    .join('\n')}\n`
}

function delivery(seed: number): { delivered: Json[]; copies: number; random: () => number } {
  const random = generator(seed)
  const records = [...ordinaryTraffic(random), ...attack(random), ...enumeration(random)]
  // 10 % arrive twice, as two trails on one account deliver them.
  const copies = records.filter(() => random() < 0.1)
  // CloudTrail delivers in files written minutes apart: disorder of up to four minutes is ordinary.
  const delivered = [...records, ...copies]
    .map(item => ({ item, at: timeOf(item) + random() * 4 * minute }))
    .sort((a, b) => a.at - b.at)
    .map(entry => entry.item)
  return { delivered, copies: copies.length, random }
}

function* ordinaryTraffic(random: () => number): Generator<Json> {
  for (let index = 0; index < ordinaryPrincipals; index++) {
    const name = `service-${String(index).padStart(2, '0')}`
    const region = homeRegions[index % homeRegions.length]!
    const calls = 20 + Math.floor(random() * 40)
    for (let call = 0; call < calls; call++) {
      const time = start + Math.floor(random() * 30 * minute)
      if (random() < 0.15) {
        // Reads its own two secrets; a few misconfigured ones are refused now and then.
        const secretId = `prod/${name}/${random() < 0.5 ? 'database' : 'token'}`
        const denied = index % 9 === 0 && random() < 0.1
        yield record(time, region, 'secretsmanager.amazonaws.com', 'GetSecretValue', role(name, `i-${index}`), random, {
          requestParameters: { secretId },
          ...(denied
            ? { errorCode: 'AccessDenied', errorMessage: 'is not authorized to perform: secretsmanager:GetSecretValue' }
            : {}),
        })
      } else {
        const [source, operation] = ordinaryCalls[Math.floor(random() * ordinaryCalls.length)]!
        yield record(time, region, source, operation, role(name, `i-${index}`), random, {})
      }
    }
  }
}

/** Two sessions of one role read secrets in batches, in seven regions, within four minutes. */
function* attack(random: () => number): Generator<Json> {
  const begin = start + 20 * minute
  for (const [index, region] of attackRegions.entries()) {
    const session = index % 2 === 0 ? 'deploy-1768471200' : 'deploy-1768471317'
    const time = begin + Math.floor((index * 4 * minute) / (attackRegions.length - 1))
    for (let page = 0; page < 2; page++)
      yield record(
        time + page * 1000,
        region,
        'secretsmanager.amazonaws.com',
        'BatchGetSecretValue',
        attacker(session),
        random,
        {
          sourceIPAddress: index % 2 === 0 ? '198.51.100.23' : '203.0.113.77',
          userAgent: 'Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux lang/python#3.11.6',
          requestParameters: { filters: [{ key: 'tag-key', values: ['!none'] }], maxResults: 20 },
        },
      )
  }
}

/** A user tries secrets it may not read, one after another, until one opens. */
function* enumeration(random: () => number): Generator<Json> {
  const begin = start + 24 * minute
  const identity = {
    type: 'IAMUser',
    principalId: 'AIDADEMOCONTRACTOR01',
    arn: `arn:aws:iam::${account}:user/contractor`,
    accountId: account,
    accessKeyId: 'AKIADEMOKEY000000003',
    userName: 'contractor',
  }
  const names = ['billing', 'payroll', 'mail', 'sso', 'backup', 'vpn', 'crm', 'warehouse', 'staging']
  for (const [index, name] of names.entries()) {
    const opened = index === names.length - 1
    yield record(
      begin + index * 20_000,
      'us-east-1',
      'secretsmanager.amazonaws.com',
      'GetSecretValue',
      identity,
      random,
      {
        sourceIPAddress: '203.0.113.140',
        userAgent: 'aws-cli/2.15.0 Python/3.11.6 Linux/5.10 exe/x86_64',
        requestParameters: { secretId: `prod/${name}/password` },
        ...(opened
          ? {}
          : {
              errorCode: 'AccessDenied',
              errorMessage: `User: ${identity.arn} is not authorized to perform: secretsmanager:GetSecretValue`,
            }),
      },
    )
  }
}

function attacker(session: string): Json {
  return role(
    'ci-deployer',
    session,
    'AROADEMOATTACKER00001',
    session.endsWith('200') ? 'ASIADEMOKEY000000001' : 'ASIADEMOKEY000000002',
  )
}

function role(
  name: string,
  session: string,
  id = `AROADEMO${name.toUpperCase().replaceAll('-', '')}00001`,
  key = 'ASIADEMOKEY000000000',
): Json {
  return {
    type: 'AssumedRole',
    principalId: `${id}:${session}`,
    arn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
    accountId: account,
    accessKeyId: key,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: id,
        arn: `arn:aws:iam::${account}:role/${name}`,
        accountId: account,
        userName: name,
      },
      attributes: { creationDate: '2026-01-15T08:55:00Z', mfaAuthenticated: 'false' },
    },
  }
}

function record(
  time: number,
  region: string,
  source: string,
  operation: string,
  identity: Json,
  random: () => number,
  extra: Json,
): Json {
  return {
    eventVersion: '1.11',
    userIdentity: identity,
    eventTime: `${new Date(time).toISOString().slice(0, 19)}Z`,
    eventSource: source,
    eventName: operation,
    awsRegion: region,
    sourceIPAddress: '10.0.12.34',
    userAgent: 'aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5',
    requestParameters: null,
    responseElements: null,
    requestID: uuid(random),
    eventID: uuid(random),
    readOnly: true,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
    ...extra,
  }
}

function uuid(random: () => number): string {
  const hex = Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** Mulberry32: 32 bits of state are plenty for a scenario that must only be the same every time. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
