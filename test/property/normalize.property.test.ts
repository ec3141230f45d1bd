// Laws of the normalizer: total on anything, blind to wrapping, keyed by what the actor cannot choose.
// fast-check prints seed and counterexample on failure.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { eventToJson } from '../../src/normalize/json.ts'
import { principalOf } from '../../src/normalize/principal.ts'
import { rejectReasons, skipKinds } from '../../src/rejected.ts'
import { outcomes, principalKinds, sourceKinds } from '../../src/normalize/event.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import { secretsOf } from '../../src/normalize/secrets.ts'
import { parseTime } from '../../src/normalize/event-time.ts'
import { rfc3339 } from '../../src/rfc3339.ts'
import { collect, smallest } from '../unit/normalize/options.ts'
import type { Collected } from '../unit/normalize/options.ts'

// Strings with quotes, controls, separators and lone surrogates.
const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\ud800', '\udc00', '/', '%', '~', '#', ':', '\0', '\u202e', '{', '"', 'A'),
  ),
  maxLength: 24,
})
const anyJson = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 })
const account = fc.constantFrom('111122223333', '444455556666', '', '000000000001')

const fields = [
  'eventVersion',
  'eventTime',
  'eventSource',
  'eventName',
  'eventID',
  'sharedEventID',
  'eventType',
  'eventCategory',
  'awsRegion',
  'recipientAccountId',
  'sourceIPAddress',
  'userAgent',
  'errorCode',
  'errorMessage',
  'readOnly',
  'managementEvent',
  'vpcEndpointId',
  'requestID',
  'userIdentity',
  'requestParameters',
  'responseElements',
  'additionalEventData',
]
const wrappers = [
  'Records',
  'Events',
  'logEvents',
  'message',
  '_raw',
  'event',
  'event.original',
  'detail',
  'detail-type',
  'eventData',
  'awslogs',
  'CloudTrailEvent',
  'Type',
  'Message',
  'messageType',
  '__proto__',
  'constructor',
  'insightDetails',
  's3Bucket',
  '@timestamp',
]
const types = [
  'AssumedRole',
  'Role',
  'IAMUser',
  'Root',
  'FederatedUser',
  'SAMLUser',
  'WebIdentityUser',
  'IdentityCenterUser',
  'Directory',
  'AWSAccount',
  'AWSService',
  'Unknown',
  'Future',
]

/** Own keys also for `__proto__`, as JSON.parse makes them. */
const objectWith = (keys: readonly string[], value: fc.Arbitrary<unknown>) =>
  fc
    .array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 12 })
    .map(entries => Object.fromEntries(entries) as Record<string, unknown>)

const issuer = objectWith(['type', 'principalId', 'arn', 'accountId', 'userName'], fc.oneof(anyText, anyJson))
const anyIdentity = fc.record(
  {
    type: fc.oneof({ weight: 9, arbitrary: fc.constantFrom<unknown>(...types) }, anyJson),
    principalId: fc.oneof(anyText, anyJson),
    arn: fc.oneof(anyText, anyJson, fc.constant('arn:aws:sts::111122223333:assumed-role/r/s')),
    accountId: fc.oneof(anyText, anyJson, account),
    userName: fc.oneof(anyText, anyJson),
    invokedBy: fc.oneof(anyText, anyJson),
    identityProvider: fc.oneof(anyText, anyJson),
    onBehalfOf: objectWith(['userId', 'identityStoreArn'], fc.oneof(anyText, anyJson)),
    sessionContext: fc.oneof(
      anyJson,
      fc.record(
        { sessionIssuer: fc.oneof(issuer, anyJson), sourceIdentity: fc.oneof(anyText, anyJson), attributes: anyJson },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: [] },
)
const plausible = fc
  .tuple(objectWith(fields, fc.oneof(anyJson, anyText)), fc.option(anyIdentity), anyText, fc.boolean())
  .map(([record, userIdentity, eventName, inSecrets]) => ({
    ...record,
    eventTime: smallest.eventTime,
    eventName: `E${eventName}`,
    eventSource: inSecrets ? 'secretsmanager.amazonaws.com' : 'a.amazonaws.com',
    eventVersion: '1.11',
    userIdentity,
  }))

/** Every string anywhere in a value. */
function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* stringsIn(inner)
}

function assertSound({ events, skipped, rejected, order }: Collected): void {
  for (const event of events) {
    for (const text of stringsIn(event)) assert.ok(text.isWellFormed())
    assert.ok(Number.isSafeInteger(event.eventTime))
    assert.ok(event.eventName !== '' && event.eventSource !== '')
    assert.match(event.principal.key, /^[\x21-\x7e]{1,512}$/)
    assert.ok(event.principal.name.length > 0 && event.principal.name.length <= 256)
    assert.ok(principalKinds.includes(event.principal.kind) && outcomes.includes(event.outcome))
    assert.ok(sourceKinds.includes(event.sourceKind))
    assert.ok(event.secrets.length <= 20 && new Set(event.secrets).size === event.secrets.length)
    for (const text of [event.requestParameters, event.responseElements, event.additionalEventData]) {
      if (text !== null) JSON.parse(text)
    }
    assert.ok(!eventToJson(event).includes('\n'))
  }
  for (const kind of skipped) assert.ok((skipKinds as readonly string[]).includes(kind))
  for (const each of rejected) {
    assert.ok(rejectReasons.includes(each.rejected))
    assert.ok(each.detail.length <= 200)
  }
  assert.equal(order.length, events.length + skipped.length + rejected.length)
}

const without = ({ sourceKind: _, ...rest }: CloudTrailEvent) => rest

describe('total', () => {
  test('any bytes give events, skips and refusals, and never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => assertSound(collect(bytes))),
      { numRuns: 2000 },
    )
    const gzipHead = Uint8Array.of(0x1f, 0x8b, 0x08)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => assertSound(collect(Buffer.concat([gzipHead, bytes])))),
    )
  })

  test('any JSON value, in one piece or cut anywhere', () => {
    fc.assert(
      fc.property(anyJson, fc.nat(), (value, at) => {
        const text = JSON.stringify(value)
        assertSound(collect(text))
        assertSound(collect(text.slice(0, at % (text.length + 1))))
      }),
      { numRuns: 2000 },
    )
  })

  test('any nesting of the words that wrappers use', () => {
    const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.oneof(
          plausible,
          fc.constantFrom<unknown>('Notification', 'DATA_MESSAGE', null, 1, '{"eventName":', 'H4sI'),
          anyText,
        ),
        objectWith(wrappers, tie('tree')),
        fc.array(tie('tree'), { maxLength: 3 }),
        tie('tree').map(inner => JSON.stringify(inner)),
        tie('tree').map(inner => gzipSync(JSON.stringify(inner)).toString('base64')),
      ),
    }))
    fc.assert(
      fc.property(tree, value => assertSound(collect(JSON.stringify(value)))),
      { numRuns: 2000 },
    )
  })

  test('any record with the required fields is an event, unless its error cannot be read', () => {
    fc.assert(
      fc.property(plausible, record => {
        const found = collect(JSON.stringify(record))
        assertSound(found)
        const { errorCode, errorMessage } = record as Record<string, unknown>
        const unreadable = [errorCode, errorMessage].some(value => typeof value === 'object' && value !== null)
        const refused = unreadable && found.rejected[0]?.rejected === 'wrong-type'
        assert.ok(found.events.length === 1 || found.skipped.length === 1 || refused)
      }),
      { numRuns: 2000 },
    )
  })

  test('any damage to a byte of a file', () => {
    const file = Buffer.from(
      JSON.stringify({ Records: [smallest, { ...smallest, userIdentity: { type: 'Root', accountId: '1' } }] }),
    )
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(file)
        damaged[at] = byte
        assertSound(collect(damaged))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('wrapping', () => {
  const lambda = (text: string) => JSON.stringify({ awslogs: { data: gzipSync(logs(text)).toString('base64') } })
  const logs = (text: string) =>
    JSON.stringify({ messageType: 'DATA_MESSAGE', logEvents: [{ id: '1', message: text }] })
  const envelopes: Record<string, (text: string) => string | Uint8Array> = {
    array: text => `[${text}]`,
    Records: text => `{"Records":[${text}]}`,
    'one Record': text => `{"Records":${text}}`,
    EventBridge: text => `{"detail-type":"AWS API Call via CloudTrail","region":"wrong","detail":${text}}`,
    'CloudWatch Logs': logs,
    'CloudWatch Logs for Lambda': lambda,
    'CloudWatch Logs in base64': text => gzipSync(logs(text)).toString('base64'),
    LookupEvents: text => JSON.stringify({ Events: [{ CloudTrailEvent: text }] }),
    Lake: text => `{"eventData":${text}}`,
    'Lake as text': text => JSON.stringify({ eventData: text }),
    message: text => JSON.stringify({ message: text, region: 'wrong', timestamp: 'x', bucket: 'b' }),
    _raw: text => JSON.stringify({ _raw: text }),
    'event.original': text => JSON.stringify({ event: { original: text } }),
    SNS: text => JSON.stringify({ Type: 'Notification', Message: text }),
    Beats: text => `{"@timestamp":"x","@version":"1",${text.slice(1)}`,
    gzip: text => gzipSync(text),
    'gzip of SNS of EventBridge': text =>
      gzipSync(JSON.stringify({ Type: 'Notification', Message: `{"detail-type":"x","detail":${text}}` })),
    'a line among lines': text => `${text}\r\n\r\n{"Records":[]}\n`,
  }

  test('a record is the same event inside every envelope', () => {
    fc.assert(
      fc.property(plausible, record => {
        const text = JSON.stringify(record)
        const bare = collect(text)
        fc.pre(bare.events.length === 1)
        const expected = bare.events.map(without)
        for (const [name, wrap] of Object.entries(envelopes)) {
          assert.deepEqual(collect(wrap(text)).events.map(without), expected, name)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('a bad member never costs a good one', () => {
    const bad = fc.oneof(
      anyJson.filter(value => typeof value !== 'string'),
      fc.constant({ ...smallest, eventTime: 0 }),
    )
    const members = fc.array(
      fc.oneof(
        plausible.map(record => ({ good: record })),
        bad.map(value => ({ bad: value })),
      ),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(members, list => {
        const values = list.map(each => ('good' in each ? each.good : each.bad))
        const alone = list.flatMap(each =>
          'good' in each ? collect(JSON.stringify(each.good)).events.map(without) : [],
        )
        const together = collect(JSON.stringify({ Records: values })).events.map(without)
        assert.ok(together.length >= alone.length)
        for (const event of alone) assert.ok(together.some(other => JSON.stringify(other) === JSON.stringify(event)))
      }),
      { numRuns: 300 },
    )
  })
})

const key = (userIdentity: unknown, recipientAccountId: unknown = '111122223333') =>
  principalOf({ userIdentity, recipientAccountId }, { sourceIdentity: 'trust' }).key

describe('the principal key', () => {
  // What AWS issues, and what people choose: nobody but AWS writes the first kind.
  const roleId = fc.stringMatching(/^AROA[A-Z0-9]{8}$/)
  const userId = fc.stringMatching(/^AIDA[A-Z0-9]{8}$/)
  const number = fc.stringMatching(/^\d{12}$/)
  const chosen = fc.oneof(
    anyText,
    userId,
    roleId,
    number,
    fc.constantFrom('root', 'unknown', 'sso/a', '111122223333/root', '../root', 'AIDAX', '~', '%7E'),
  )
  const filledName = chosen.filter(name => name !== '')

  test('does not depend on session name, access key or address', () => {
    const session = fc.record({
      name: filledName,
      accessKeyId: anyText,
      sourceIPAddress: anyText,
      creationDate: anyText,
    })
    fc.assert(
      fc.property(
        fc.constantFrom('AssumedRole', 'Role', 'AWSAccount'),
        roleId,
        number,
        fc.boolean(),
        fc.boolean(),
        session,
        session,
        (type, id, accountId, hasIssuer, hasId, one, other) => {
          const identity = ({ name, accessKeyId, creationDate }: typeof one) => ({
            type,
            accountId,
            accessKeyId,
            ...(hasId ? { principalId: `${id}:${name}` } : {}),
            arn: `arn:aws:sts::${accountId}:assumed-role/reader/${name}`,
            sessionContext: {
              attributes: { creationDate },
              ...(hasIssuer ? { sessionIssuer: { type: 'Role', principalId: id, accountId, userName: 'reader' } } : {}),
            },
          })
          assert.equal(key(identity(one)), key(identity(other)))
        },
      ),
    )
  })

  test('of a federated session does not depend on the name its user chose', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('IAMUser', 'Root'),
        userId,
        number,
        filledName,
        filledName,
        (type, principalId, accountId, one, other) => {
          const identity = (name: string) => ({
            type: 'FederatedUser',
            principalId: `${accountId}:${name}`,
            arn: `arn:aws:sts::${accountId}:federated-user/${name}`,
            accountId,
            sessionContext: { sessionIssuer: { type, principalId, accountId } },
          })
          assert.equal(key(identity(one)), key(identity(other)))
          assert.equal(key(identity(one)), key({ type, principalId, accountId }))
        },
      ),
    )
  })

  // Who acts, as a label of our own, beside the identity that CloudTrail would show for it.
  const actor: fc.Arbitrary<readonly [readonly unknown[], unknown]> = fc.oneof(
    fc.tuple(number, roleId, chosen).map(
      ([accountId, id, name]) =>
        [
          ['role', accountId, id],
          {
            type: 'AssumedRole',
            principalId: `${id}:${name}`,
            accountId,
            sessionContext: { sessionIssuer: { principalId: id, accountId, userName: name } },
          },
        ] as const,
    ),
    fc
      .tuple(number, userId, chosen)
      .map(
        ([accountId, id, userName]) =>
          [['user', accountId, id], { type: 'IAMUser', principalId: id, accountId, userName }] as const,
      ),
    fc
      .tuple(number, filledName)
      .map(
        ([accountId, userName]) =>
          [['named', accountId, userName.toWellFormed()], { type: 'IAMUser', accountId, userName }] as const,
      ),
    number.map(accountId => [['root', accountId], { type: 'Root', accountId }] as const),
    fc
      .tuple(number, roleId, chosen)
      .map(
        ([accountId, id, name]) =>
          [['account', accountId, id], { type: 'AWSAccount', accountId, principalId: `${id}:${name}` }] as const,
      ),
    filledName.map(
      name =>
        [
          ['source', name.toWellFormed()],
          { type: 'Root', accountId: '1', sessionContext: { sourceIdentity: name } },
        ] as const,
    ),
    filledName.map(name => [['service', name.toWellFormed()], { type: 'AWSService', invokedBy: name }] as const),
    fc
      .tuple(fc.constantFrom('SAMLUser', 'WebIdentityUser', 'Directory'), number, filledName, filledName)
      .map(
        ([type, accountId, identityProvider, userName]) =>
          [
            [type, accountId, identityProvider.toWellFormed(), userName.toWellFormed()],
            { type, accountId, identityProvider, userName },
          ] as const,
      ),
    fc.tuple(roleId, filledName).map(
      ([id, person]) =>
        [
          ['sso', person.toWellFormed()],
          {
            type: 'AssumedRole',
            principalId: `${id}:${person}`,
            accountId: '1',
            sessionContext: {
              sessionIssuer: {
                principalId: id,
                userName: 'AWSReservedSSO_x',
                arn: 'arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x',
              },
            },
          },
        ] as const,
    ),
    number.map(accountId => [['unknown', accountId], { type: 'Unknown', accountId }] as const),
  )

  test('is equal for two identities exactly if they are one actor, whatever names were chosen', () => {
    fc.assert(
      fc.property(actor, actor, ([one, a], [other, b]) => {
        assert.equal(key(a) === key(b), JSON.stringify(one) === JSON.stringify(other))
      }),
      { numRuns: 5000 },
    )
    // Names aimed at each other: every pair among many actors of one small world.
    fc.assert(
      fc.property(fc.array(actor, { minLength: 20, maxLength: 40 }), actors => {
        const labels = new Map<string, string>()
        for (const [label, identity] of actors) {
          const found = key(identity)
          assert.equal(labels.get(found) ?? JSON.stringify(label), JSON.stringify(label))
          labels.set(found, JSON.stringify(label))
        }
      }),
      { numRuns: 200 },
    )
  })

  test('is printable and bounded for any identity', () => {
    fc.assert(
      fc.property(anyIdentity, fc.oneof(anyJson, account), (identity, recipient) => {
        assert.match(key(identity, recipient), /^[\x21-\x7e]{1,512}$/)
      }),
      { numRuns: 3000 },
    )
    const long = fc.string({ unit: 'binary', minLength: 400, maxLength: 3000 })
    fc.assert(fc.property(long, name => assert.ok(key({ type: 'IAMUser', userName: name }).length <= 512)))
  })
})

test('name, ARN and ARN without suffix of a secret are one value, and different secrets stay different', () => {
  // Names as AWS allows them, without the ending it advises against.
  const name = fc.stringMatching(/^[A-Za-z0-9/_+=.@-]{1,40}$/).filter(text => !/-[A-Za-z0-9]{6}$/.test(text))
  const suffix = fc.stringMatching(/^[A-Za-z0-9]{6}$/)
  const region = fc.constantFrom('us-east-1', 'eu-west-1')
  const place = fc.tuple(account, region)
  fc.assert(
    fc.property(name, name, suffix, place, place, (one, other, random, [owner, at], [caller, here]) => {
      const of = (secretId: string) =>
        secretsOf('secretsmanager.amazonaws.com', 'GetSecretValue', { secretId }, caller, here)
      const arn = (text: string) => `arn:aws:secretsmanager:${at}:${owner}:secret:${text}`
      assert.deepEqual(of(arn(`${one}-${random}`)), [`${owner}:${at}:${one}`])
      assert.deepEqual(of(arn(one)), of(arn(`${one}-${random}`)))
      assert.deepEqual(of(one), [`${caller}:${here}:${one}`])
      assert.equal(of(arn(one))[0] === of(arn(other))[0], one === other)
    }),
  )
})

test('a time written as RFC 3339 is read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), ms => {
      assert.equal(parseTime(rfc3339(ms)), ms)
    }),
  )
})
