// The data of the benchmarks: CloudTrail as JSON lines, about 1.2 kB a record, deterministic. 20,000 principals with a
// long tail, 12 % Secrets Manager calls, 1 % denials. The shape follows what the published peers were measured on.

const regions =
  'us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-west-2 eu-central-1 eu-north-1 ap-south-1 ap-southeast-1 ap-southeast-2 ap-northeast-1 sa-east-1 ca-central-1'.split(
    ' ',
  )
const calls = [
  ['s3', 'ListBuckets'],
  ['ec2', 'DescribeInstances'],
  ['sts', 'AssumeRole'],
  ['kms', 'Decrypt'],
  ['iam', 'GetRole'],
  ['logs', 'CreateLogStream'],
  ['lambda', 'GetFunction'],
  ['ssm', 'GetParameter'],
] as const
const start = Date.UTC(2026, 0, 1)

/** How dense the traffic is. */
export interface Traffic {
  /** Default 20,000. */
  readonly principals?: number
  /** Milliseconds between records, default 20; each comes up to a minute late. */
  readonly spacingMs?: number
  /** Only so many of them call Secrets Manager, one after the other; so do all others with what they call. */
  readonly withState?: number
}

/** Yields `count` records as JSON text. `secretsOnly` makes every record a denied read: the worst case for the detector. */
export function* cloudTrailLines(
  count: number,
  secretsOnly = false,
  { principals = 20_000, spacingMs = 20, withState }: Traffic = {},
): Generator<string> {
  let state = 12_345
  const random = () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return ((state ^ (state >>> 13)) >>> 0) / 4294967296
  }
  const hex = (digits: number) => {
    let text = ''
    while (text.length < digits) text += ((random() * 4294967296) >>> 0).toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const home = Array.from({ length: principals }, () => regions[Math.floor(random() * random() * regions.length)]!)
  const turns = { stateful: 0, other: 0 }
  for (let index = 0; index < count; index++) {
    let who = Math.min(principals - 1, Math.floor(principals * random() ** 3))
    const dice = secretsOnly ? 0 : random()
    if (withState !== undefined)
      who = dice < 0.12 ? turns.stateful++ % withState : withState + (turns.other++ % (principals - withState))
    const account = String(100_000_000_000 + (who % 50) * 7919)
    let service = 'secretsmanager'
    let name = 'GetSecretValue'
    let denied = false
    let requestParameters: object
    if (dice < 0.1) {
      requestParameters = { secretId: `prod/app-${Math.floor(random() * 400)}/db` }
      denied = secretsOnly || random() < 0.08
    } else if (dice < 0.12) {
      name = 'BatchGetSecretValue'
      requestParameters = { filters: [{ key: 'tag-key', values: ['team'] }] }
    } else {
      ;[service, name] = pick(calls)
      requestParameters = { x: hex(16) }
      denied = random() < 0.01
    }
    const region = random() < 0.93 ? home[who]! : pick(regions)
    const time = start + index * spacingMs + Math.floor(random() * 60_000)
    const session = `i-${hex(16)}`
    const id = `AROA${String(who).padStart(16, 'Q')}`
    const arn = `arn:aws:sts::${account}:assumed-role/app-role-${who}/${session}`
    yield JSON.stringify({
      eventVersion: '1.11',
      userIdentity: {
        type: 'AssumedRole',
        principalId: `${id}:${session}`,
        arn,
        accountId: account,
        accessKeyId: `ASIA${hex(16).toUpperCase()}`,
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            principalId: id,
            arn: `arn:aws:iam::${account}:role/app-role-${who}`,
            accountId: account,
            userName: `app-role-${who}`,
          },
          attributes: {
            creationDate: `${new Date(time - 3_600_000).toISOString().slice(0, 19)}Z`,
            mfaAuthenticated: 'false',
          },
        },
      },
      eventTime: `${new Date(time).toISOString().slice(0, 19)}Z`,
      eventSource: `${service}.amazonaws.com`,
      eventName: name,
      awsRegion: region,
      sourceIPAddress: `10.${who & 255}.${(who >> 8) & 255}.${Math.floor(random() * 255)}`,
      userAgent: `aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/${service}#1.32.4`,
      ...(denied
        ? {
            errorCode: 'AccessDenied',
            errorMessage: `User: ${arn} is not authorized to perform: ${service}:${name} on resource: * because no identity-based policy allows the action`,
          }
        : {}),
      requestParameters,
      responseElements: null,
      requestID: uuid(),
      eventID: uuid(),
      readOnly: true,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: 'Management',
      tlsDetails: {
        tlsVersion: 'TLSv1.3',
        cipherSuite: 'TLS_AES_128_GCM_SHA256',
        clientProvidedHostHeader: `${service}.${region}.amazonaws.com`,
      },
    })
  }
}
