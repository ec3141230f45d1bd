// The fast path against the general one: what it takes, it writes to the byte as the general path and the Avro codec do,
// and it takes nothing that the general path would skip, refuse or read otherwise. Records as AWS writes them, bent in
// every way that JSON allows (order, white space, escapes, keys twice, numbers, depth), and then damaged byte by byte.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { cloudTrailLines } from '../../bench/data.ts'
import { eventDecoder, eventEncoder } from '../../src/codecs/cloudtrail-event.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import { EventWriter } from '../../src/normalize/fast/event-writer.ts'
import { FastReader } from '../../src/normalize/fast/raw-value.ts'
import { normalizeBytes } from '../../src/normalize/raw-value.ts'
import type { NormalizeOptions } from '../../src/normalize/raw-value.ts'
import { SiftingReader } from '../../src/pipeline/sift.ts'
import { topicContract } from '../../src/topics.ts'
import { keepAll as options } from '../unit/normalize/options.ts'

const schema = topicContract('EVENTS_TOPIC').schema!
const encoder = eventEncoder(schema)
const decoder = eventDecoder(schema)
decoder.learn(7, schema)
const root = join(import.meta.dirname, '..', '..')

interface Result {
  readonly keys: string[]
  readonly values: string[]
}

function fast(value: Buffer, chosen: NormalizeOptions = options): Result | null {
  const writer = new EventWriter(chosen, 7)
  const result: Result = { keys: [], values: [] }
  const taken = new FastReader(chosen.limits).read(value, (scan, start, end, kind) => {
    const record = writer.write(scan, end - start, kind)
    if (record === null) return false
    result.keys.push(record.key.toString())
    result.values.push(record.value.toString('hex'))
    return true
  })
  if (taken === null) return null
  assert.equal(taken.records, result.values.length)
  return result
}

/** What the general path makes of a value, null if it makes anything but events of it. */
function general(value: Buffer, chosen: NormalizeOptions = options): Result | null {
  const events: CloudTrailEvent[] = []
  let others = 0
  normalizeBytes(value, chosen, {
    event: event => events.push(event),
    skipped: () => others++,
    rejected: () => others++,
  })
  if (others > 0) return null
  return {
    keys: events.map(event => event.principal.key),
    values: events.map(event => Buffer.from(encoder.encode(event, 7)).toString('hex')),
  }
}

/** True where the fast path took the value. */
function agree(value: Buffer, chosen?: NormalizeOptions): boolean {
  const quick = fast(value, chosen)
  if (quick === null) return false
  const full = general(value, chosen)
  const read = (result: Result | null) => result?.values.map(bytes => decoder.decode(Buffer.from(bytes, 'hex')))
  // Events first, because they say what differs; the bytes also differ where the reading does not.
  assert.deepEqual(read(quick), read(full))
  assert.deepEqual(quick, full)
  return true
}

const anyText = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constantFrom('\ud800', '"', '\\', '/', '\n', '\x7f', ':', '#')), maxLength: 20 }) // prettier-ignore
const plainText = fc.string({ maxLength: 24 })
const account = fc.constantFrom('111122223333', '000000000001', '', '12a', '1'.repeat(300))
const arn = fc.constantFrom(
  'arn:aws:sts::111122223333:assumed-role/r/s',
  'arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_1',
  '',
)
const text = fc.oneof({ weight: 6, arbitrary: plainText }, anyText)
const id = fc.oneof(fc.constantFrom('AROAQQQQ', 'AIDAQQQQ', '', 'AROA/X', 'A'.repeat(600)), text)
const name = fc.oneof(fc.constantFrom('deploy', 'AWSReservedSSO_Admin_1', 'AWSReservedSSO', '', 'n'.repeat(300)), text)
const json = fc.oneof(
  fc.record({ secretId: fc.oneof(text, fc.constant('arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf')) }),
  fc.record({ secretIdList: fc.array(text, { maxLength: 25 }), filters: fc.jsonValue() }),
  fc.dictionary(fc.oneof(text, fc.constantFrom('1', '01', '__proto__', 'secretId')), fc.jsonValue({ maxDepth: 3 })),
  fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 4 }),
)
/** Mostly the first, so that most records stay what the fast path takes. */
const mostly = (usual: fc.Arbitrary<unknown>, ...odd: unknown[]) =>
  fc.oneof({ weight: 40, arbitrary: usual }, fc.constantFrom<unknown>(...odd))
const flag = mostly(fc.constantFrom<unknown>(true, false, 'true', 'false', null), 'TRUE', 1)
const maybe = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary: value }, fc.constantFrom<unknown>(null, undefined))
const issuer = fc.record({
  type: maybe(fc.constantFrom('Role', 'IAMUser', 'Root')),
  principalId: maybe(id),
  arn: maybe(arn),
  accountId: maybe(account),
  userName: maybe(name),
})
const identity = fc.record({
  type: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('AssumedRole', 'IAMUser') },
    fc.constantFrom(
      'Root',
      'Role',
      'AWSService',
      'FederatedUser',
      'AWSAccount',
      'IdentityCenterUser',
      'SAMLUser',
      null,
    ),
  ),
  principalId: maybe(
    fc.oneof(
      fc.tuple(id, plainText).map(([a, b]) => `${a}:${b}`),
      id,
    ),
  ),
  arn: maybe(arn),
  accountId: maybe(account),
  accessKeyId: maybe(text),
  userName: maybe(name),
  invokedBy: fc.constantFrom(undefined, undefined, 'ec2.amazonaws.com'),
  sourceIdentity: fc.constantFrom(undefined, undefined, undefined, 'alice', null),
  onBehalfOf: fc.constantFrom(undefined, undefined, { userId: 'u', identityStoreArn: 'arn' }),
  sessionContext: maybe(
    fc.record({
      sourceIdentity: fc.constantFrom(undefined, undefined, undefined, 'alice', ''),
      sessionIssuer: fc.oneof({ weight: 6, arbitrary: issuer }, fc.constantFrom({}, null)),
      attributes: maybe(
        fc.record({ creationDate: fc.constantFrom('2026-01-02T03:04:05Z', 'x', ''), mfaAuthenticated: flag }),
      ),
    }),
  ),
})
const record = fc.record({
  eventVersion: mostly(fc.constantFrom('1.11', '1.08', '1', undefined), '2.0', 1.11, ''),
  eventTime: mostly(
    fc.constantFrom('2026-01-02T03:04:05Z', '2026-01-02T03:04:05.678Z'),
    '2026-02-30T00:00:00Z',
    'x',
    '',
  ),
  eventSource: mostly(fc.constantFrom('secretsmanager.amazonaws.com', 's3.amazonaws.com'), 'aws:s3', ''),
  eventName: mostly(
    fc.oneof(
      fc.constantFrom('GetSecretValue', 'CreateSecret'),
      plainText.map(s => `E${s}`),
    ),
    '',
    '\u00e4',
    'a"',
  ),
  awsRegion: maybe(fc.oneof(fc.constant('eu-west-1'), text)),
  eventID: maybe(text),
  sharedEventID: maybe(text),
  eventType: mostly(fc.constantFrom('AwsApiCall', null), 'AwsCloudTrailInsight'),
  eventCategory: maybe(text),
  sourceIPAddress: maybe(text),
  userAgent: maybe(text),
  errorCode: fc.constantFrom(undefined, undefined, '', 'AccessDenied', 'ResourceNotFoundException', 'Client.X'),
  errorMessage: fc.oneof(fc.constant(undefined), text),
  readOnly: flag,
  managementEvent: flag,
  vpcEndpointId: maybe(text),
  requestID: maybe(text),
  recipientAccountId: maybe(account),
  requestParameters: maybe(json),
  responseElements: maybe(json),
  additionalEventData: fc.oneof(maybe(json), fc.constant({ UserName: 'bob' })),
  userIdentity: maybe(identity),
  tlsDetails: fc.oneof(fc.constant(undefined), fc.jsonValue()),
})

/** JSON text with white space, keys in another order, members that are no field, a key twice, escapes for letters. */
const written = fc
  .tuple(
    record,
    fc.constantFrom<string | number>('', '', '', 1, '\t'),
    fc.nat(),
    fc.constantFrom(...'sssssssssooooooedn'.split('')),
  )
  .map(([value, indent, seed, twist]) => {
    const entries = Object.entries(value)
    const turned = [...entries.slice(seed % entries.length), ...entries.slice(0, seed % entries.length)]
    const text = JSON.stringify(Object.fromEntries(twist === 's' ? entries : turned), null, indent)
    if (twist === 'e') return text.replace(/"event(Name|Source)"/, '"\\u0065vent$1"')
    if (twist === 'd') return `${text.slice(0, -1)},"eventName":"Other"}`
    if (twist === 'n') return `${text.slice(0, -1)},"@timestamp":null}`
    return text
  })

test('takes records as AWS writes them: all of the benchmark, alone, as lines, in Records, in an array', () => {
  const lines = [...cloudTrailLines(300)]
  for (const line of lines) assert.ok(agree(Buffer.from(line)))
  assert.ok(agree(Buffer.from(lines.join('\n'))))
  assert.ok(agree(Buffer.from(`${lines.join('\r\n')}\r\n`)))
  assert.ok(agree(Buffer.from(`{"Records":[${lines.join(',')}]}`)))
  assert.ok(agree(Buffer.from(` { "Records" : [ ${lines.join(' , ')} ] } `)))
  assert.ok(agree(Buffer.from(`[${lines.join(',')}]`)))
})

test('what it takes is what the general path writes', () => {
  let taken = 0
  let runs = 0
  fc.assert(
    fc.property(written, text => {
      runs++
      if (agree(Buffer.from(text))) taken++
    }),
    { numRuns: 4000 },
  )
  // Otherwise the property would hold for a fast path that takes nothing.
  assert.ok(taken > runs / 4, `${taken} of ${runs} taken`)
})

test('several records in one value: lines, lists, one that is odd among them', () => {
  const joint = fc.constantFrom('\n', '\r\n', ' \n\n', ' ', '', ',\n')
  fc.assert(
    fc.property(
      fc.array(written, { minLength: 1, maxLength: 4 }),
      joint,
      fc.constantFrom('', '{"Records":[', '['),
      (texts, by, open) => {
        const close = open === '' ? '' : open === '[' ? ']' : ']}'
        agree(Buffer.from(`${open}${texts.join(open === '' ? by : ',')}${close}`))
      },
    ),
    { numRuns: 1500 },
  )
})

test('damage of any kind: cut, overwritten, inserted', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('put', 'insert', 'cut')), {
    minLength: 1,
    maxLength: 3,
  })
  fc.assert(
    fc.property(written, damage, (text, strokes) => {
      let bytes = Buffer.from(text)
      for (const [where, byte, how] of strokes) {
        const at = where % bytes.length
        if (how === 'put') bytes[at] = byte
        else if (how === 'cut') bytes = bytes.subarray(0, Math.max(1, at))
        else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at)])
      }
      agree(bytes)
    }),
    { numRuns: 4000 },
  )
})

const smallest = '"eventTime":"2026-01-02T03:04:05Z","eventSource":"s","eventName":"n"'

describe('told apart', () => {
  for (const [what, text, taken] of [
    ['the smallest record', `{${smallest}}`, true],
    ['a key twice in the request', `{${smallest},"requestParameters":{"a":1,"a":2}}`, true],
    ['keys that read as indices', `{${smallest},"requestParameters":{"b":1,"1":2}}`, true],
    ['numbers that are written otherwise', `{${smallest},"requestParameters":[1.0,1e3,-0,12345678901234567890]}`, true],
    [
      'seventeen keys',
      `{${smallest},"requestParameters":{${[...'abcdefghijklmnopq'].map(c => `"${c}":1`).join()}}}`,
      true,
    ],
    ['an escape in the request', `{${smallest},"requestParameters":{"a":"\\u0041"}}`, true],
    ['a lone surrogate', `{${smallest},"userAgent":"\\ud800"}`, true],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from(`{${smallest},"userAgent":"`), Buffer.from([0xc3]), Buffer.from('"}')]),
      true,
    ],
    ['depth of a hundred', `{${smallest},"x":${'['.repeat(100)}${']'.repeat(100)}}`, false],
    ['a number where text is usual', `{${smallest},"eventID":5}`, false],
    ['a request that is text', `{${smallest},"requestParameters":"{}"}`, false],
    ['a comma too many', `{${smallest},}`, false],
    ['a control character', `{${smallest},"x":"\t"}`, false],
    ['a bad escape', `{${smallest},"x":"\\x"}`, false],
    ['a number with a leading zero', `{${smallest},"x":01}`, false],
    ['a byte order mark', `\ufeff{${smallest}}`, false],
    ['something after the record', `{${smallest}} x`, false],
    ['two records without a line feed', `{${smallest}}{${smallest}}`, false],
    ['a wrapper', `{"message":"{}"}`, false],
    ['Records and something else', `{"Records":[{${smallest}}],"x":1}`, false],
    ['no records', `{"Records":[]}`, false],
    ['nothing', '', false],
  ] as const)
    test(what, () => {
      assert.equal(agree(Buffer.from(text as string)), taken)
    })

  test('what the operator chose', () => {
    const text = Buffer.from(`{${smallest},"requestParameters":{"a":1},"responseElements":{},"additionalEventData":{}}`)
    for (const key of ['keepRequestParameters', 'keepResponseElements', 'keepAdditionalEventData'])
      assert.ok(agree(text, { ...options, [key]: false }))
    const named = Buffer.from(`{${smallest},"userIdentity":{"type":"IAMUser","principalId":"A","sourceIdentity":"x"}}`)
    for (const sourceIdentity of ['trust', 'ignore'] as const) assert.ok(agree(named, { ...options, sourceIdentity }))
    const two = Buffer.from(`{${smallest}}\n{${smallest}}`)
    assert.equal(fast(two, { ...options, limits: { ...options.limits, records: 1 } }), null)
    assert.equal(fast(two, { ...options, limits: { ...options.limits, inputBytes: 20 } }), null)
    assert.equal(fast(two, { ...options, limits: { ...options.limits, jsonValues: 20 } }), null)
  })
})

test('every envelope of the fixtures', () => {
  const folder = join(root, 'test', 'fixtures', 'envelopes')
  for (const file of readdirSync(folder)) agree(readFileSync(join(folder, file)))
})

test('real trails', { skip: !existsSync(join(root, '..', 'shared', 'data')) && 'no real trails here' }, () => {
  const folder = join(root, '..', 'shared', 'data', 'invictus')
  let records = 0
  for (const file of readdirSync(folder).filter(name => name.endsWith('.gz'))) {
    const { Records } = JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString()) as { Records: object[] }
    for (const one of Records) if (agree(Buffer.from(JSON.stringify(one)))) records++
  }
  assert.ok(records > 2500, `${records} taken`)
})

test('sifting passes over what nobody wants and gives the rest as the general path does', () => {
  const wants = (source: string, name: string) => source.startsWith('secrets') && !name.startsWith('EB')
  fc.assert(
    fc.property(fc.array(written, { minLength: 1, maxLength: 3 }), texts => {
      const value = Buffer.from(texts.join('\n'))
      const times: number[] = []
      const events: CloudTrailEvent[] = []
      const sift = { schema, schemaId: 7, wants, fields: null, pass: (time: number) => times.push(time) }
      const taken = new SiftingReader(options, sift).read(value, (event, bytes) => {
        events.push(event)
        assert.equal(bytes.toString('hex'), Buffer.from(encoder.encode(event, 7)).toString('hex'))
      })
      if (taken === null) return assert.deepEqual([times, events], [[], []])
      const all: CloudTrailEvent[] = []
      normalizeBytes(value, options, {
        event: event => all.push(event),
        skipped: () => assert.fail(),
        rejected: () => assert.fail(),
      })
      const isWanted = (event: CloudTrailEvent) => wants(event.eventSource, event.eventName)
      assert.deepEqual(events, all.filter(isWanted))
      assert.deepEqual(
        times,
        all.filter(event => !isWanted(event)).map(event => event.eventTime),
      )
    }),
    { numRuns: 1500 },
  )
})
