// Every Sigma modifier as a truth table over one field, and the reasons for which a modifier is refused.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventWith } from './events.ts'
import { selectionErrors, selects } from './loading.ts'

type Row = readonly [selection: string, value: string | null, expected: boolean]

function table(name: string, rows: readonly Row[]): void {
  test(name, () => {
    for (const [selection, value, expected] of rows) {
      assert.equal(
        selects(selection)(eventWith({ userAgent: value })),
        expected,
        `${selection}  on  ${JSON.stringify(value)}`,
      )
    }
  })
}

describe('equality', () => {
  table('is case-insensitive over the whole value', [
    ['userAgent: Boto3', 'Boto3', true],
    ['userAgent: Boto3', 'bOTO3', true],
    ['userAgent: Boto3', 'Boto3 ', false],
    ['userAgent: Boto3', null, false],
    ['userAgent: STRASSE', 'strasse', true],
    ['userAgent: ÄRGER', 'ärger', true],
    ['userAgent: ΣΟΦΟΣ', 'σοφοσ', true],
    ['userAgent: İstanbul', 'istanbul', true],
  ])
  table('lists are joined with or', [
    ['userAgent: [a, b]', 'B', true],
    ['userAgent: [a, b]', 'c', false],
    ['userAgent: [a, "b*"]', 'bcd', true],
    ['userAgent: [a, null]', null, true],
    ['userAgent: [a, null]', 'a', true],
    ['userAgent: [a, null]', 'b', false],
  ])
  table('null is an absent field and the empty text is an empty one', [
    ['userAgent: null', null, true],
    ['userAgent: null', '', false],
    ["userAgent: ''", '', true],
    ["userAgent: ''", null, false],
    ['userAgent:', null, true],
  ])
  table('numbers and booleans are compared as they are written', [
    ['userAgent: 5', '5', true],
    ['userAgent: 5', '50', false],
    ['userAgent: 012345678901', '012345678901', true],
    ['userAgent: 012345678901', '12345678901', true],
    ['userAgent: [012345678901, 5]', '012345678901', true],
    ['userAgent: true', 'True', true],
    ['userAgent: false', 'true', false],
  ])
})

describe('wildcards', () => {
  table('star is any run, question mark one character', [
    ["userAgent: 'aws-*'", 'aws-cli/2', true],
    ["userAgent: 'aws-*'", 'xaws-cli', false],
    ["userAgent: '*cli*'", 'AWS-CLI/2', true],
    ["userAgent: '*/2'", 'aws-cli/2', true],
    ["userAgent: 'a?c'", 'abc', true],
    ["userAgent: 'a?c'", 'ac', false],
    ["userAgent: 'a?c'", 'a😀c', true],
    ["userAgent: 'a*b*c'", 'aXXbYYbZZc', true],
    ["userAgent: 'a*b*c'", 'aXXc', false],
    ["userAgent: 'a*bc?d*e'", 'a bc bcxd  e', true],
    ["userAgent: '*'", '', true],
    ["userAgent: '*'", null, false],
    ["userAgent: '?*'", '', false],
    ["userAgent: '?*'", 'x', true],
    ["userAgent: 'a*b'", 'a\nb', true],
    ["userAgent: '***a'", 'xa', true],
  ])
  table('a backslash escapes wildcards and itself, and is plain before anything else', [
    ["userAgent: 'a\\*b'", 'a*b', true],
    ["userAgent: 'a\\*b'", 'aXb', false],
    ["userAgent: 'a\\?b'", 'a?b', true],
    ["userAgent: 'a\\?b'", 'aXb', false],
    ["userAgent: 'a\\b'", 'a\\b', true],
    ["userAgent: 'a\\\\b'", 'a\\b', true],
    ["userAgent: 'a\\\\*'", 'a\\xyz', true],
    ["userAgent: 'a\\\\*'", 'a*', false],
    ["userAgent: 'a\\\\\\*'", 'a\\*', true],
    ["userAgent: 'a\\\\\\*'", 'a\\x', false],
    ["userAgent: 'a\\\\\\\\'", 'a\\\\', true],
    ["userAgent: 'a\\'", 'a\\', true],
  ])
})

describe('text modifiers', () => {
  table('contains, startswith, endswith', [
    ['userAgent|contains: CLI', 'aws-cli/2', true],
    ['userAgent|contains: boto', 'aws-cli/2', false],
    ['userAgent|contains: boto', null, false],
    ["userAgent|contains: '*'", 'x', true],
    ["userAgent|contains: '*'", null, false],
    ["userAgent|contains: 'a*c'", 'xxaBcxx', true],
    ["userAgent|contains: '\\*'", 'a*b', true],
    ["userAgent|contains: '\\*'", 'ab', false],
    ['userAgent|startswith: AWS', 'aws-cli/2', true],
    ['userAgent|startswith: cli', 'aws-cli/2', false],
    ['userAgent|endswith: /2', 'aws-cli/2', true],
    ['userAgent|endswith: aws', 'aws-cli/2', false],
    ['userAgent|contains: [x, cli]', 'aws-cli/2', true],
    ['userAgent|contains: 2', 'aws-cli/2', true],
  ])
  table('all joins a list with and', [
    ['userAgent|contains|all: [aws, cli]', 'aws-cli', true],
    ['userAgent|contains|all: [aws, boto]', 'aws-cli', false],
    ['userAgent|all|contains: [aws, cli]', 'aws-cli', true],
  ])
  table('cased compares letters as they are', [
    ['userAgent|cased: Boto', 'Boto', true],
    ['userAgent|cased: Boto', 'boto', false],
    ['userAgent|contains|cased: oT', 'xoTx', true],
    ['userAgent|contains|cased: oT', 'xotx', false],
    ['userAgent|cased: [a, B]', 'b', false],
    ["userAgent|cased: 'B?to'", 'Boto', true],
  ])
  table('neq is true of everything else, an absent field included', [
    ['userAgent|neq: a', 'b', true],
    ['userAgent|neq: a', 'A', false],
    ['userAgent|neq: a', null, true],
    ['userAgent|neq: [a, b]', 'b', false],
    ['userAgent|neq: [a, b]', 'c', true],
    ['userAgent|contains|neq: cli', 'aws-cli', false],
  ])
})

describe('regular expressions', () => {
  table('are searched for, with case, unless anchored or flagged', [
    ["userAgent|re: 'c[kl]i'", 'aws-cli/2', true],
    ["userAgent|re: 'C[kl]i'", 'aws-cli/2', false],
    ["userAgent|re|i: 'C[kl]i'", 'aws-cli/2', true],
    ["userAgent|re: '^cli'", 'aws-cli', false],
    ["userAgent|re: '^cli$'", 'aws\ncli', false],
    ["userAgent|re|m: '^cli$'", 'aws\ncli', true],
    ["userAgent|re: 'a.c'", 'a\nc', false],
    ["userAgent|re|s: 'a.c'", 'a\nc', true],
    ["userAgent|re|i|s: 'A.C'", 'a\nc', true],
    ["userAgent|re: ['x', 'cli']", 'aws-cli', true],
    ["userAgent|re|all: ['aws', 'cli']", 'aws-cli', true],
    ["userAgent|re: '.*'", null, false],
  ])
  test('run in linear time on a pattern that makes backtracking engines hang', () => {
    const matches = selects("userAgent|re: '^(a+)+$'")
    const started = process.hrtime.bigint()
    assert.equal(matches(eventWith({ userAgent: `${'a'.repeat(100_000)}b` })), false)
    assert.ok(Number(process.hrtime.bigint() - started) / 1e6 < 10_000)
  })
  test('look at the first 131,072 characters', () => {
    const matches = selects("userAgent|re: 'needle'")
    assert.equal(matches(eventWith({ userAgent: `${' '.repeat(131_066)}needle` })), true)
    assert.equal(matches(eventWith({ userAgent: `${' '.repeat(131_067)}needle` })), false)
  })
})

describe('addresses', () => {
  const rows: readonly Row[] = [
    ['sourceIPAddress|cidr: 10.0.0.0/8', '10.255.1.2', true],
    ['sourceIPAddress|cidr: 10.0.0.0/8', '11.0.0.0', false],
    ['sourceIPAddress|cidr: 192.0.2.128/25', '192.0.2.127', false],
    ['sourceIPAddress|cidr: 192.0.2.128/25', '192.0.2.128', true],
    ['sourceIPAddress|cidr: 0.0.0.0/0', '203.0.113.9', true],
    ['sourceIPAddress|cidr: 0.0.0.0/0', '2001:db8::1', false],
    ['sourceIPAddress|cidr: 192.0.2.7', '192.0.2.7', true],
    ['sourceIPAddress|cidr: 192.0.2.7/32', '192.0.2.8', false],
    ['sourceIPAddress|cidr: 10.0.0.0/8', 'ec2.amazonaws.com', false],
    ['sourceIPAddress|cidr: 10.0.0.0/8', 'AWS Internal', false],
    ['sourceIPAddress|cidr: 10.0.0.0/8', '10.0.0.256', false],
    ['sourceIPAddress|cidr: 10.0.0.0/8', '10.00.0.1', false],
    ['sourceIPAddress|cidr: 10.0.0.0/8', '10.0.0', false],
    ['sourceIPAddress|cidr: 10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['sourceIPAddress|cidr: 2001:db8::/32', '2001:DB8:ffff::1', true],
    ['sourceIPAddress|cidr: 2001:db8::/32', '2001:db9::', false],
    ['sourceIPAddress|cidr: 2001:db8::/33', '2001:db8:8000::', false],
    ['sourceIPAddress|cidr: ::/0', '::1', true],
    ['sourceIPAddress|cidr: fe80::/10', 'fe80::1:2:3:4:5:6:7:8', false],
    ['sourceIPAddress|cidr: [10.0.0.0/8, 2001:db8::/32]', '2001:db8::5', true],
    ['sourceIPAddress|cidr|neq: 10.0.0.0/8', '11.0.0.1', true],
    ['sourceIPAddress|cidr: 10.0.0.0/8', null, false],
  ]
  test('cidr holds IPv4 and IPv6, and names of services are in no range', () => {
    for (const [selection, value, expected] of rows) {
      assert.equal(
        selects(selection)(eventWith({ sourceIPAddress: value })),
        expected,
        `${selection}  on  ${String(value)}`,
      )
    }
  })
})

describe('presence', () => {
  table('exists asks for the field, not for its value', [
    ['userAgent|exists: true', 'x', true],
    ['userAgent|exists: true', '', true],
    ['userAgent|exists: true', null, false],
    ['userAgent|exists: false', null, true],
    ['userAgent|exists: false', 'x', false],
    ['userAgent|exists|neq: true', null, true],
  ])
  test('a null inside the request exists and a missing key does not', () => {
    const exists = selects('requestParameters.a.b|exists: true')
    assert.equal(exists(eventWith({ requestParameters: '{"a":{"b":null}}' })), true)
    assert.equal(exists(eventWith({ requestParameters: '{"a":{}}' })), false)
    assert.equal(selects('requestParameters.a.b: null')(eventWith({ requestParameters: '{"a":{"b":null}}' })), true)
    assert.equal(selects('requestParameters.a.b: null')(eventWith({ requestParameters: '{"a":{}}' })), true)
  })
})

describe('numbers', () => {
  const on = (value: unknown): ReturnType<typeof eventWith> =>
    eventWith({ requestParameters: JSON.stringify({ n: value }) })
  test('gt, gte, lt and lte compare numbers, also where the record holds text', () => {
    const rows: readonly (readonly [string, unknown, boolean])[] = [
      ['gt: 5', 6, true],
      ['gt: 5', 5, false],
      ['gte: 5', 5, true],
      ['gte: 5', '5', true],
      ['gte: 5', '05.0', true],
      ['lt: 5', 4.9, true],
      ['lt: 5', 5, false],
      ['lte: 5', 5, true],
      ['lte: -1', -2, true],
      ['gt: 5', 'six', false],
      ['gt: 5', '', false],
      ['gt: -1', null, false],
      ['gt: -1', true, false],
      ['gt: 5', [1, 9], true],
      ['gt: [5, 7]', 6, true],
      ['gt|all: [5, 7]', 6, false],
      ['gt|neq: 5', 6, false],
    ]
    for (const [test, value, expected] of rows) {
      assert.equal(selects(`requestParameters.n|${test}`)(on(value)), expected, `${test}  on  ${JSON.stringify(value)}`)
    }
  })
  test('equality with a number matches the number and its text', () => {
    assert.equal(selects('requestParameters.n: 443')(on(443)), true)
    assert.equal(selects('requestParameters.n: 443')(on('443')), true)
    assert.equal(selects('requestParameters.n: 1.0')(on(1)), true)
    assert.equal(selects('requestParameters.n: 443')(on(4430)), false)
    assert.equal(selects("requestParameters.n: 'true'")(on(true)), true)
    assert.equal(selects('requestParameters.n: true')(on('true')), true)
  })
  test('parts of a time are numbers in UTC', () => {
    const at = (time: string): ReturnType<typeof eventWith> => eventWith({ eventTime: Date.parse(time) })
    assert.equal(selects('eventTime|hour|gte: 22')(at('2026-01-01T22:00:00Z')), true)
    assert.equal(selects('eventTime|hour|gte: 22')(at('2026-01-01T21:59:59Z')), false)
    assert.equal(selects('eventTime|minute: [0, 30]')(at('2026-01-01T21:30:59Z')), true)
    assert.equal(selects('eventTime|day: 31')(at('2026-01-31T00:00:00Z')), true)
    assert.equal(selects('eventTime|month: 1')(at('2026-01-31T00:00:00Z')), true)
    assert.equal(selects('eventTime|year|lt: 2026')(at('2025-12-31T23:59:59Z')), true)
    assert.equal(selects('eventTime|week: 53')(at('2027-01-03T12:00:00Z')), true)
    assert.equal(selects('eventTime|week: 1')(at('2027-01-04T12:00:00Z')), true)
    assert.equal(selects("eventTime: '2026-01-01T21:*'")(at('2026-01-01T21:30:59Z')), true)
  })
})

describe('references between fields', () => {
  test('fieldref compares two fields of one event', () => {
    const same = selects('userIdentity.userName|fieldref: requestParameters.userName')
    const event = (user: string | null, target: string | null): ReturnType<typeof eventWith> =>
      eventWith({
        userIdentity: { userName: user },
        requestParameters: target === null ? null : JSON.stringify({ userName: target }),
      })
    assert.equal(same(event('ana', 'Ana')), true)
    assert.equal(same(event('ana', 'bob')), false)
    assert.equal(same(event(null, null)), false)
    assert.equal(selects('userIdentity.userName|fieldref|neq: requestParameters.userName')(event('ana', 'bob')), true)
    assert.equal(
      selects('userIdentity.userName|fieldref|cased: requestParameters.userName')(event('ana', 'Ana')),
      false,
    )
    assert.equal(
      selects('userIdentity.userName|fieldref|startswith: requestParameters.userName')(event('ana-admin', 'ana')),
      true,
    )
    assert.equal(
      selects('userIdentity.userName|fieldref|endswith: requestParameters.userName')(event('ana-admin', 'admin')),
      true,
    )
    assert.equal(
      selects('userIdentity.userName|fieldref|contains: requestParameters.userName')(event('ana-admin', 'a-a')),
      true,
    )
  })
})

describe('encodings', () => {
  const b64 = (text: string, encoding: BufferEncoding = 'utf8'): string =>
    Buffer.from(text, encoding).toString('base64')
  test('base64 is the encoding of the whole value', () => {
    assert.equal(selects('userAgent|base64: curl http')(eventWith({ userAgent: b64('curl http') })), true)
    assert.equal(
      selects('userAgent|base64|contains: curl http')(eventWith({ userAgent: `x ${b64('curl http')} y` })),
      true,
    )
    assert.equal(selects('userAgent|base64: curl http')(eventWith({ userAgent: b64('curl https') })), false)
  })
  test('base64offset finds a text at any of the three offsets', () => {
    const found = selects('userAgent|base64offset|contains: 169.254.169.254')
    for (const head of ['', 'a', 'ab', 'abc', 'abcd']) {
      for (const tail of ['', 'x', 'xy']) {
        assert.equal(found(eventWith({ userAgent: b64(`${head}169.254.169.254${tail}`) })), true, `${head}|${tail}`)
      }
    }
    assert.equal(found(eventWith({ userAgent: b64('169.254.169.25') })), false)
  })
  test('utf16le, wide, utf16be and utf16 widen before base64', () => {
    const wide = b64('whoami', 'utf16le')
    assert.equal(selects('userAgent|utf16le|base64: whoami')(eventWith({ userAgent: wide })), true)
    assert.equal(
      selects('userAgent|wide|base64offset|contains: whoami')(eventWith({ userAgent: b64('x whoami', 'utf16le') })),
      true,
    )
    const big = Buffer.from('whoami', 'utf16le').swap16().toString('base64')
    assert.equal(selects('userAgent|utf16be|base64: whoami')(eventWith({ userAgent: big })), true)
    const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('whoami', 'utf16le')]).toString('base64')
    assert.equal(selects('userAgent|utf16|base64: whoami')(eventWith({ userAgent: marked })), true)
  })
})

describe('refusals name the place, the reason and the way out', () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['userAgent|contain: x', /rule\.yml:6:5: unknown modifier 'contain'\. Did you mean 'contains'\?/],
    ['userAgent|windash: x', /6:5: modifier 'windash' is about command lines of Windows.*Remove '\|windash'\./],
    ['userAgent|expand: x', /modifier 'expand' needs a table of placeholders/],
    ['userAgent|i: x', /'i' is a flag of 're'.*userAgent\|re\|i/],
    ['userAgent|contains|startswith: x', /'startswith' contradicts/],
    ['userAgent|re|cidr: x', /'re' and 'cidr' exclude each other/],
    ['userAgent|re|contains: x', /'re' does not go with contains/],
    ['userAgent|re|cased: x', /'cased' has no meaning with 're'/],
    ['userAgent|contains|contains: x', /modifier 'contains' is given twice/],
    ['userAgent|contains|all: x', /'all' joins several values and there is one/],
    ['userAgent|base64offset: x', /never are the whole value.*base64offset\|contains/],
    ['userAgent|utf16le: x', /gives bytes/],
    ['userAgent|base64|utf16le: x', /'utf16le' gives bytes/],
    ['userAgent|base64|re: x', /does not go with 'base64'/],
    ["userAgent|base64: 'a*'", /base64 of a text with wildcards/],
    ['userAgent|base64offset|contains: a', /too short for a base64 fragment/],
    ['userAgent|exists: yes', /6:23: 'exists' takes true or false/],
    ['userAgent|gt: many', /6:19: 'many' is not a number/],
    ['userAgent|contains: null', /null is compared with the field itself/],
    ["userAgent|contains: ''", /an empty text is part of every text/],
    ['userAgent|hour: 5', /'userAgent' is not a time/],
    ['eventTime|hour|contains: 5', /'hour' is a number/],
    ['sourceIPAddress|cidr: 10.0.0.0/33', /'10\.0\.0\.0\/33' is no CIDR range/],
    ['sourceIPAddress|cidr: ten', /is no CIDR range/],
    ["userAgent|re: '(?=x)'", /6:19: the regular expression cannot be used: .*RE2 syntax/],
    ["userAgent|re: '(a)\\1'", /cannot be used/],
    ["userAgent|re: '['", /cannot be used/],
    ["userAgent|re: '((a{100}){100}){100}'", /cannot be used/],
    [`userAgent|re: '${'a'.repeat(4097)}'`, /has 4097 characters/],
    ['userIdentity.userName|fieldref: requestParameter.x', /no CloudTrail event has a field 'requestParameter\.x'/],
    ["'|exists': true", /'exists' needs a field/],
    ['userAgent: {a: b}', /a map stands where a value is expected/],
    ['userAgent: []', /the list of values is empty/],
    ['userAgent: [[a]]', /a list stands where a value is expected/],
  ]
  for (const [selection, expected] of rows) {
    test(selection.slice(0, 60), () => {
      const errors = selectionErrors(selection)
      assert.equal(errors.length, 1, errors.join('\n'))
      assert.match(errors[0] ?? '', expected)
    })
  }
})
