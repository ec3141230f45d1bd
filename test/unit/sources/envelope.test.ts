import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { defaultEnvelopeLimits, unwrap } from '../../../src/sources/envelope.ts'
import type { EnvelopeLimits } from '../../../src/sources/envelope.ts'
import type { JsonObject } from '../../../src/normalize/cloudtrail.ts'
import { smallest } from '../normalize/options.ts'

/** Kinds of records, names of skips and reasons, in order. */
function opened(value: Uint8Array | string, changed: Partial<EnvelopeLimits> = {}): string[] {
  const found: string[] = []
  const put = (index: number, what: string) => {
    assert.equal(index, found.length, 'members are numbered in order')
    found.push(what)
  }
  unwrap(
    typeof value === 'string' ? Buffer.from(value) : value,
    { ...defaultEnvelopeLimits, ...changed },
    {
      record(record: JsonObject, kind, index) {
        assert.equal(record.eventName, smallest.eventName)
        put(index, kind)
      },
      skip: (kind, index) => put(index, `skip ${kind}`),
      reject({ rejected, detail }, index) {
        assert.ok(detail.length > 0 && detail.length <= 200)
        put(index, rejected)
      },
    },
  )
  return found
}

const json = JSON.stringify
const one = json(smallest)

describe('kinds', () => {
  const eventBridge = { 'detail-type': 'AWS API Call via CloudTrail', detail: smallest }
  const sns = (message: string) => ({ Type: 'Notification', Message: message })
  const logs = { messageType: 'DATA_MESSAGE', logEvents: [{ message: one }] }
  const cases: [string, string | Uint8Array, string[]][] = [
    ['a bare record', one, ['RECORD']],
    ['a record with white space around it', `\n  ${one}\r\n\t`, ['RECORD']],
    ['a record after a byte order mark', `\ufeff${one}`, ['RECORD']],
    ['gzip of a record', gzipSync(one), ['RECORD']],
    ['gzip in gzip', gzipSync(gzipSync(one)), ['RECORD']],
    ['base64 of gzip', gzipSync(one).toString('base64'), ['RECORD']],
    ['a JSON string of base64 of gzip', json(gzipSync(one).toString('base64')), ['RECORD']],
    [
      'base64 with line breaks',
      gzipSync(one)
        .toString('base64')
        .replace(/(.{40})/g, '$1\r\n'),
      ['RECORD'],
    ],
    ['a JSON string of a record', json(one), ['RECORD']],
    ['CRLF lines with blank ones', `${one}\r\n\r\n${one}\r\n`, ['JSON_LINES', 'JSON_LINES']],
    ['lines, the last one without line feed', `${one}\n${one}`, ['JSON_LINES', 'JSON_LINES']],
    ['objects without separator', one + one + one, ['JSON_LINES', 'JSON_LINES', 'JSON_LINES']],
    [
      'pretty-printed records one after the other',
      `${json(smallest, null, 2)}\n${json(smallest, null, 2)}\n`,
      ['JSON_LINES', 'JSON_LINES'],
    ],
    ['concatenated gzip members', Buffer.concat([gzipSync(one), gzipSync(one)]), ['JSON_LINES', 'JSON_LINES']],
    [
      'files in lines',
      `${json({ Records: [smallest] })}\n${json({ Records: [smallest, smallest] })}`,
      ['RECORDS_ARRAY', 'RECORDS_ARRAY', 'RECORDS_ARRAY'],
    ],
    ['an array of EventBridge events', json([eventBridge, eventBridge]), ['EVENTBRIDGE', 'EVENTBRIDGE']],
    ['EventBridge with detail as text', json({ ...eventBridge, detail: one }), ['EVENTBRIDGE']],
    ['a file in message', json({ message: json({ Records: [smallest] }) }), ['MESSAGE']],
    ['message as an object', json({ message: smallest }), ['MESSAGE']],
    ['EventBridge in SNS', json(sns(json(eventBridge))), ['EVENTBRIDGE']],
    ['SNS in _raw: the inner of two shippers', json({ _raw: json(sns(one)) }), ['SNS']],
    ['_raw in SNS', json(sns(json({ _raw: one }))), ['RAW']],
    ['CloudWatch Logs in gzip', gzipSync(json(logs)), ['CLOUDWATCH_LOGS']],
    [
      'CloudWatch Logs as Lambda gets them',
      json({ awslogs: { data: gzipSync(json(logs)).toString('base64') } }),
      ['CLOUDWATCH_LOGS'],
    ],
    ['a LookupEvents row', json({ EventId: 'x', CloudTrailEvent: one }), ['LOOKUP_EVENTS']],
    ['a Lake row', json({ eventData: smallest }), ['LAKE']],
    ['event.original before message', json({ 'event.original': one, message: 'GetSecretValue' }), ['EVENT_ORIGINAL']],
    ['event.original nested', json({ event: { original: one }, message: 'x' }), ['EVENT_ORIGINAL']],
    [
      'a Logstash document with the fields at the top',
      json({ '@timestamp': 'x', message: 'text', ...smallest }),
      ['BEATS'],
    ],
    ['Logstash with @version only', json({ '@version': '1', ...smallest }), ['BEATS']],
    ['a file without records', json({ Records: [] }), []],
  ]
  for (const [what, value, expected] of cases) test(what, () => assert.deepEqual(opened(value), expected))
})

describe('skipped', () => {
  const s3 = {
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    eventVersion: '2.1',
    awsRegion: 'x',
    eventTime: 'y',
  }
  const cases: [string, unknown, string][] = [
    ['S3 notifications, which look like files', { Records: [s3] }, 'skip s3-notification'],
    ['S3 test events', { Service: 'Amazon S3', Event: 's3:TestEvent' }, 'skip s3-test-event'],
    ["CloudTrail's own notifications", { s3Bucket: 'b', s3ObjectKey: ['k'] }, 'skip sns-notification'],
    [
      "CloudTrail's validation message",
      { Type: 'Notification', Message: 'CloudTrail validation message.' },
      'skip sns-notification',
    ],
    ['SNS subscriptions', { Type: 'SubscriptionConfirmation', Message: 'x' }, 'skip sns-notification'],
    ['the end of SNS subscriptions', { Type: 'UnsubscribeConfirmation', Message: 'x' }, 'skip sns-notification'],
    ['control messages', { messageType: 'CONTROL_MESSAGE', logEvents: [{ message: 'x' }] }, 'skip control-message'],
    ['digests', { digestStartTime: 'x', logFiles: [] }, 'skip digest'],
    ['digests without their start', { digestS3Bucket: 'x', logFiles: [] }, 'skip digest'],
    ['Insight events', { eventType: 'AwsCloudTrailInsight', eventTime: 'x' }, 'skip insight'],
    ['Insight events by their details', { ...smallest, insightDetails: {} }, 'skip insight'],
    ['Insight events with a name', { ...smallest, eventType: 'AwsCloudTrailInsight' }, 'skip insight'],
  ]
  for (const [what, value, expected] of cases) test(what, () => assert.deepEqual(opened(json(value)), [expected]))
})

describe('refused', () => {
  const cases: [string, string | Uint8Array, string[]][] = [
    ['no bytes', '', ['empty']],
    ['white space', ' \r\n\t', ['empty']],
    ['text', 'hello', ['not-json']],
    ['binary', Buffer.from([0xff, 0xfe, 0x00, 0x80]), ['not-json']],
    ['a record cut off', one.slice(0, -5), ['not-json']],
    [
      'a pretty-printed file cut off, once',
      json({ Records: [{ a: [{ key: 'value' }] }, smallest] }, null, 2).slice(0, -9),
      ['not-json'],
    ],
    ['text in message', json({ message: 'user logged in' }), ['not-json']],
    ['a bad line among good ones', `${one}\n{"eventName\n${one}`, ['JSON_LINES', 'not-json', 'JSON_LINES']],
    ['a bad first line', `eventName":"x"}\n${one}`, ['not-json', 'JSON_LINES']],
    [
      'the last of several objects cut off',
      `${one}${one}${one.slice(0, 20)}`,
      ['JSON_LINES', 'JSON_LINES', 'not-json'],
    ],
    ['gzip cut off', gzipSync(one).subarray(0, 40), ['bad-gzip']],
    ['gzip of another method', Buffer.from([0x1f, 0x8b, 0x07, 0x00]), ['bad-gzip']],
    ['gzip with a wrong checksum', gzipSync(one).fill(0, gzipSync(one).length - 8), ['bad-gzip']],
    ['base64 cut off', gzipSync(one).toString('base64').slice(0, 40), ['bad-gzip']],
    ['what starts like base64 of gzip', 'H4sI{}', ['bad-base64']],
    ['numbers, null and booleans', '[1,null,true]', ['not-an-object', 'not-an-object', 'not-an-object']],
    ['an unknown object', '{"a":1}', ['unknown-envelope']],
    ['an empty object', '{}', ['unknown-envelope']],
    ['Records that is a number', '{"Records":7}', ['wrong-type']],
    ['Records of null', '{"Records":null}', ['wrong-type']],
    ['a log event without message', json({ logEvents: [{ id: 1 }] }), ['not-an-object']],
    [
      'an object that cannot be made text',
      '{"source":"aws.s3","detail-type":{"toString":1},"detail":{}}',
      ['unknown-envelope'],
    ],
  ]
  for (const [what, value, expected] of cases) test(what, () => assert.deepEqual(opened(value), expected))
})

describe('limits', () => {
  test('a value of more bytes than allowed is not looked at', () => {
    assert.deepEqual(opened(one, { inputBytes: one.length }), ['RECORD'])
    assert.deepEqual(opened(one, { inputBytes: one.length - 1 }), ['too-large'])
  })

  test('wrappers are opened four deep', () => {
    const wrap = (times: number): unknown => (times === 0 ? smallest : { message: wrap(times - 1) })
    assert.deepEqual(opened(json(wrap(4))), ['MESSAGE'])
    assert.deepEqual(opened(json(wrap(5))), ['too-deep'])
    assert.deepEqual(opened(json(wrap(3)), { depth: 2 }), ['too-deep'])
    const nested = (times: number): unknown => (times === 0 ? smallest : [nested(times - 1)])
    assert.deepEqual(opened(json(nested(4))), ['ARRAY'])
    assert.deepEqual(opened(json(nested(5))), ['too-deep'])
    const quoted = (times: number): string => (times === 0 ? one : json(quoted(times - 1)))
    assert.deepEqual(opened(quoted(4)), ['RECORD'])
    assert.deepEqual(opened(quoted(5)), ['too-deep'])
  })

  test('gzip counts as a wrapper', () => {
    let value: Uint8Array = Buffer.from(one)
    for (let i = 0; i < 4; i++) value = gzipSync(value)
    assert.deepEqual(opened(value), ['RECORD'])
    assert.deepEqual(opened(gzipSync(value)), ['too-deep'])
  })

  test('a hundred thousand brackets, closed or not, are one refusal', () => {
    assert.deepEqual(opened('['.repeat(100_000)), ['not-json'])
    assert.deepEqual(opened('['.repeat(100_000) + ']'.repeat(100_000)), ['too-deep'])
    assert.deepEqual(opened('{"message":'.repeat(100_000) + '1' + '}'.repeat(100_000)), ['too-deep'])
  })

  test('a zip bomb stops at the limit', () => {
    const bomb = gzipSync(Buffer.alloc(65 * 2 ** 20, 0x20))
    assert.ok(bomb.length < 100_000)
    assert.deepEqual(opened(bomb), ['too-large'])
  })

  test('many small bombs share one budget', () => {
    const bomb = gzipSync(Buffer.alloc(2 ** 20, 0x20)).toString('base64')
    const found = opened(json(Array.from({ length: 50 }, () => bomb)), { inflatedBytes: 3.5 * 2 ** 20 })
    assert.deepEqual(found.slice(0, 4), ['empty', 'empty', 'empty', 'too-large'])
    assert.ok(found.slice(4).every(each => each === 'too-large'))
    assert.equal(found.length, 50)
  })

  test('more records than allowed give those allowed and one refusal', () => {
    const records = Array.from({ length: 10 }, () => smallest)
    assert.deepEqual(opened(json(records), { records: 3 }), ['ARRAY', 'ARRAY', 'ARRAY', 'too-many-records'])
    const lines = Array.from({ length: 10 }, () => one).join('\n')
    assert.deepEqual(opened(lines, { records: 2 }), ['JSON_LINES', 'JSON_LINES', 'too-many-records'])
    assert.deepEqual(opened(one.repeat(3), { records: 1 }), ['JSON_LINES', 'too-many-records'])
    // Skipped and refused members count too, or a value could ask for millions of dead letters.
    assert.deepEqual(opened('[1,2,3]', { records: 2 }), ['not-an-object', 'not-an-object', 'too-many-records'])
    assert.deepEqual(opened(json(records), { records: 10 }).length, 10)
  })

  test('a text of too many JSON values is refused before it is parsed', () => {
    assert.deepEqual(opened(`[${'1,'.repeat(2000)}1]`, { jsonValues: 1000 }), ['too-large'])
    assert.deepEqual(opened(json({ ...smallest, a: 'x'.repeat(5000) }), { jsonValues: 1000 }), ['RECORD'])
  })
})

test('no text of a megabyte takes long, whatever it looks like', () => {
  const long = (text: string) => text.repeat(Math.ceil(2 ** 20 / text.length))
  const hostile: Record<string, string> = {
    'base64 that ends in the wrong character': `H4sI${' '.repeat(2 ** 20)}!`,
    'open braces': long('{'),
    'open quotes': `{${long('"')}`,
    'short bad lines': long('{bad line}\n'),
    'bad lines after a good one': `${one}\n${long('{bad line}\n')}`,
    'empty objects': long('{}'),
    'empty lines': long(' \r\n'),
    'objects on lines that never close': long('{"a":\n'),
    'log events of text': json({ logEvents: Array.from({ length: 50_000 }, () => ({ message: 'a b c' })) }),
  }
  for (const [what, text] of Object.entries(hostile)) {
    const start = performance.now()
    opened(text, { records: 1000 })
    // A quadratic reading of any of these takes minutes; the bound is loose because the machine may be busy.
    assert.ok(performance.now() - start < 3000, what)
  }
})

test('a view into a larger buffer is read within its bounds', () => {
  const buffer = Buffer.from(`garbage${one}garbage`)
  assert.deepEqual(opened(new Uint8Array(buffer.buffer, buffer.byteOffset + 7, one.length)), ['RECORD'])
})
