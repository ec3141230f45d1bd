// Properties of the Sigma loader: it never throws on any text, predicates never throw on any event, patterns and dispatch
// agree with plain definitions, negation and order of keys mean what they must.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { loadRules } from '../../src/rules/load.ts'
import { modifierNames } from '../../src/rules/modifiers.ts'
import { fieldNames } from '../../src/rules/cloudtrail-fields.ts'
import { parseRange } from '../../src/rules/ip-range.ts'
import { formatRuleError } from '../../src/rules/problems.ts'
import { runRuleTests } from '../../src/rules/rule-test-run.ts'
import { compilePattern, fold, parsePattern } from '../../src/rules/text.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import { eventWith } from '../unit/rules/events.ts'

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '*', '?', '\\', 'a', 'A', 'x*y', '\ud800'),
)
const maybeText = fc.option(anyText, { nil: null })
const anyEvent: fc.Arbitrary<CloudTrailEvent> = fc
  .record({
    eventTime: fc.oneof(fc.integer(), fc.constantFrom(NaN, Infinity, -Infinity, 9e15, -9e15)),
    eventSource: fc.oneof(anyText, fc.constantFrom('s3.amazonaws.com', 'S3.AMAZONAWS.COM')),
    eventName: fc.oneof(anyText, fc.constantFrom('GetObject', 'getobject', 'PutObject')),
    awsRegion: anyText,
    sourceIPAddress: fc.oneof(maybeText, fc.ipV4(), fc.ipV6()),
    userAgent: maybeText,
    errorCode: maybeText,
    readOnly: fc.option(fc.boolean(), { nil: null }),
    requestParameters: fc.oneof(maybeText, fc.json()),
    responseElements: fc.oneof(maybeText, fc.json()),
    additionalEventData: fc.oneof(maybeText, fc.constant('['.repeat(5000))),
    secrets: fc.array(anyText, { maxLength: 3 }),
    outcome: fc.constantFrom('SUCCESS' as const, 'DENIED' as const, 'ERROR' as const),
    userIdentity: fc.record({ type: maybeText, arn: maybeText, userName: maybeText }),
  })
  .map(fields => eventWith(fields))

const field = fc.oneof(
  fc.constantFrom(...fieldNames),
  fc.constantFrom('eventName', 'eventSource', 'userAgent', 'requestParameters.a', 'requestParameters.a.b', ''),
)
const key = fc
  .tuple(field, fc.array(fc.constantFrom(...modifierNames, 'i', 'm', 's', 'windash', 'nonsense'), { maxLength: 3 }))
  .map(([name, modifiers]) => [name, ...modifiers].join('|'))
const scalar = fc.oneof(
  anyText,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('10.0.0.0/8', 'GetObject', '(a+)+$', 'eventName'),
)
const selection = fc.oneof(
  fc.dictionary(key, fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), { minKeys: 1, maxKeys: 3 }),
  fc.array(fc.oneof(scalar, fc.dictionary(key, scalar, { minKeys: 1, maxKeys: 2 })), { maxLength: 3 }),
)
const condition = fc.oneof(
  fc.constantFrom('a', 'not a', 'a and b', 'a or not b', '1 of them', 'all of a*', 'not (a or b)', '(a', 'a b'),
  fc
    .array(fc.constantFrom('a', 'b', 'and', 'or', 'not', '(', ')', '1', 'all', 'of', 'them', '|', '*'), {
      maxLength: 12,
    })
    .map(words => words.join(' ')),
)
const logsource = { product: 'aws', service: 'cloudtrail' }
const rule = fc
  .record({ a: selection, b: selection, condition })
  .map(detection => ({ title: 't', name: 'n', logsource, detection }))

// Rules that load, most of them, so that something is evaluated.
const soundKey = fc
  .tuple(
    fc.constantFrom(
      ...fieldNames,
      'eventName',
      'eventName',
      'eventSource',
      'requestParameters.a',
      'requestParameters.a.b',
    ),
    fc.constantFrom(
      '',
      '',
      '|contains',
      '|startswith',
      '|endswith',
      '|cased',
      '|neq',
      '|re|i',
      '|fieldref',
      '|contains|cased',
    ),
  )
  .map(parts => parts.join(''))
const soundValue = fc.constantFrom(
  'a',
  'x*y',
  '?',
  'GetObject',
  'PutObject',
  's3.amazonaws.com',
  'eventName',
  'userAgent',
  'awsRegion',
)
const soundMap = fc.dictionary(soundKey, fc.oneof(soundValue, fc.array(soundValue, { minLength: 2, maxLength: 3 })), {
  minKeys: 1,
  maxKeys: 3,
})
const soundSelection = fc.oneof(soundMap, fc.array(fc.oneof(soundMap, soundValue), { minLength: 1, maxLength: 2 }))
const soundCondition = fc.constantFrom(
  'a',
  'not a',
  'a and b',
  'a or b',
  'a and not b',
  'not (a or b)',
  '1 of them',
  'all of *',
)
const sound = fc
  .record({ a: soundSelection, b: soundSelection, condition: soundCondition })
  .map(detection => ({ title: 't', name: 'n', logsource, detection }))

function textOf(documents: readonly unknown[]): string {
  return documents.map(document => stringify(document, { aliasDuplicateObjects: false })).join('---\n')
}

test('loading never throws on any text, and errors have a place and words', () => {
  const yaml = fc.array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        'title: t\n',
        'name: n\n',
        'detection:\n',
        '  a:\n',
        '    eventName: x\n',
        '  condition: a\n',
        '- ',
        '---\n',
        '&a ',
        '*a',
        '!!str ',
        '[',
        '{',
        '? ',
        ': ',
        '|\n',
        '>-\n',
        '\t',
        '<<: *a\n',
        '%YAML 1.1\n',
      ),
    ),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        yaml.map(parts => parts.join('')),
      ),
      text => {
        const result = loadRules([{ path: 'f.yml', text }])
        if ('rules' in result) return
        for (const error of result.errors) {
          assert.match(formatRuleError(error), /^f\.yml:\d+:\d+: [^]+\. [^]+[.?]$/)
          assert.ok(error.line >= 1 && error.column >= 1)
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('loading never throws on rules of the right shape with any content, whatever the block', () => {
  const anything = fc.anything({ withNullPrototype: false, maxDepth: 3, values: [scalar] })
  const document = fc.dictionary(
    fc.constantFrom(
      'title',
      'name',
      'id',
      'level',
      'status',
      'tags',
      'logsource',
      'detection',
      'correlation',
      'trailwarden',
      'fields',
    ),
    fc.oneof(
      anything,
      fc.dictionary(
        fc.constantFrom(
          'type',
          'rules',
          'group-by',
          'timespan',
          'condition',
          'aliases',
          'generate',
          'dedup',
          'tests',
          'runbook',
          'rate-anomaly',
          'selection',
          'events',
          'name',
          'product',
        ),
        fc.oneof(
          anything,
          fc.constantFrom('event_count', 'value_count', 'rate_anomaly', '10m', 'n'),
          fc.constant(['principal']),
        ),
      ),
    ),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(document, rule), { minLength: 1, maxLength: 2 }), documents => {
      loadRules([{ path: 'f.yml', text: textOf(documents) }])
    }),
    { numRuns: 400 },
  )
})

test('a rule that loads never throws on any event, and dispatch finds what its predicates find', () => {
  let loaded = 0
  fc.assert(
    fc.property(
      fc.array(fc.oneof(rule, { arbitrary: sound, weight: 4 }), { minLength: 1, maxLength: 4 }),
      fc.array(anyEvent, { maxLength: 5 }),
      (documents, events) => {
        const named = documents.map((document, index) => ({ ...document, name: `n${index}` }))
        const texts = named.map(document => ({ path: `${document.name}.yml`, text: textOf([document]) }))
        const good = texts.filter(file => 'rules' in loadRules([file]))
        const result = loadRules(good)
        assert.ok('rules' in result)
        loaded += good.length
        for (const event of events) {
          const matched = result.rules.match(event)
          const plain: readonly number[] = result.rules.predicates.flatMap((predicate, index) =>
            predicate.test(event) ? [index] : [],
          )
          assert.deepEqual(matched, plain)
          if (plain.length > 0) assert.ok(result.rules.wants(event.eventSource, event.eventName))
        }
      },
    ),
    { numRuns: 500 },
  )
  assert.ok(loaded > 400, `only ${loaded} rules loaded: the property says little`)
})

test('not turns every verdict around, and the order of keys and of rules is without effect', () => {
  const map = fc.oneof(fc.dictionary(key, scalar, { minKeys: 1, maxKeys: 3 }), soundMap)
  fc.assert(
    fc.property(map, anyEvent, (selected, event) => {
      const verdict = (detection: Readonly<Record<string, unknown>>): boolean | null => {
        const result = loadRules([{ path: 'f.yml', text: textOf([{ title: 't', name: 'n', logsource, detection }]) }])
        return 'rules' in result ? result.rules.match(event).length > 0 : null
      }
      const plain: boolean | null = verdict({ a: selected, condition: 'a' })
      if (plain === null) return
      assert.equal(verdict({ a: selected, condition: 'not a' }), !plain)
      assert.equal(verdict({ condition: 'a', a: Object.fromEntries(Object.entries(selected).reverse()) }), plain)
      assert.equal(verdict({ a: [selected], condition: '1 of them' }), plain)
    }),
    { numRuns: 500 },
  )
})

// The definition of the pattern language, as a regular expression over code points.
function oracle(pattern: string): RegExp {
  let source = ''
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? ''
    const next = pattern[i + 1] ?? ''
    if (char === '\\' && next !== '' && '*?\\'.includes(next)) {
      source += `\\${next}`
      i++
    } else if (char === '*') source += '[^]*'
    else if (char === '?') source += '[^]'
    else source += char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  }
  return new RegExp(`^(?:${source})$`, 'u')
}

test('patterns mean what the definition says, in every position', () => {
  const alphabet = fc.constantFrom('a', 'b', 'B', '*', '?', '\\', '.', '😀', 'é')
  const pattern = fc.array(alphabet, { maxLength: 8 }).map(parts => parts.join(''))
  const text = fc
    .array(fc.constantFrom('a', 'b', 'B', '*', '?', '\\', '.', '😀', 'é'), { maxLength: 10 })
    .map(parts => parts.join(''))
  fc.assert(
    fc.property(pattern, text, (written, value) => {
      const tokens = parsePattern(written)
      assert.equal(compilePattern(tokens, 'whole', true)(value), oracle(written).test(value), `${written} on ${value}`)
      assert.equal(compilePattern(tokens, 'whole', false)(value), oracle(fold(written)).test(fold(value)))
      // Putting stars around a pattern must not turn its last backslash into their escape.
      if (written.endsWith('\\')) return
      assert.equal(compilePattern(tokens, 'anywhere', true)(value), oracle(`*${written}*`).test(value))
      assert.equal(compilePattern(tokens, 'start', true)(value), oracle(`${written}*`).test(value))
      assert.equal(compilePattern(tokens, 'end', true)(value), oracle(`*${written}`).test(value))
    }),
    { numRuns: 10_000 },
  )
})

test('regular expressions agree with those of the language where both know the syntax', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '\\.', 'é', '\\bb')
  const { expression } = fc.letrec<{ expression: string }>(tie => ({
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      atom,
      fc.tuple(tie('expression'), tie('expression')).map(parts => parts.join('')),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(?:${a}|${b})`),
      fc.tuple(tie('expression'), fc.constantFrom('*', '+', '?', '{1,2}')).map(([a, q]) => `(?:${a})${q}`),
      tie('expression').map(a => `^${a}`),
      tie('expression').map(a => `${a}$`),
    ),
  }))
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'B', '1', '.', '\n', 'é', '😀'), maxLength: 8 })
  const flags = fc.subarray(['i', 'm', 's'])
  fc.assert(
    fc.property(expression, text, flags, (source, userAgent, chosen) => {
      const key = ['userAgent|re', ...chosen].join('|')
      const detection = { a: { [key]: source }, condition: 'a' }
      const result = loadRules([{ path: 'f.yml', text: textOf([{ title: 't', name: 'n', logsource, detection }]) }])
      assert.ok('rules' in result)
      const expected = new RegExp(source, `u${chosen.join('')}`).test(userAgent)
      assert.equal(result.rules.match(eventWith({ userAgent })).length > 0, expected, `${source} ${chosen.join('')}`)
    }),
    { numRuns: 2000 },
  )
})

test('ranges of addresses agree with arithmetic on the bits', () => {
  const address = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
  const write = (value: bigint): string =>
    Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':')
  fc.assert(
    fc.property(
      address,
      address,
      fc.integer({ min: 0, max: 128 }),
      fc.integer({ min: 0, max: 128 }),
      (base, other, bits, shared) => {
        const near =
          ((base >> BigInt(128 - shared)) << BigInt(128 - shared)) | (other & ((1n << BigInt(128 - shared)) - 1n))
        const inside = base >> BigInt(128 - bits) === near >> BigInt(128 - bits)
        assert.equal(parseRange(`${write(base)}/${bits}`)?.(write(near)), inside)
      },
    ),
    { numRuns: 3000 },
  )
  const v4 = fc.nat(0xffffffff)
  const dotted = (value: number): string => [24, 16, 8, 0].map(shift => (value >>> shift) & 255).join('.')
  fc.assert(
    fc.property(
      v4,
      v4,
      fc.integer({ min: 0, max: 32 }),
      fc.integer({ min: 0, max: 32 }),
      (base, other, bits, shared) => {
        const keep = shared === 0 ? 0 : (-1 << (32 - shared)) >>> 0
        const near = ((base & keep) | (other & ~keep)) >>> 0
        const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0
        const inside = ((base ^ near) & mask) === 0
        assert.equal(parseRange(`${dotted(base)}/${bits}`)?.(dotted(near)), inside)
        assert.equal(parseRange(`${dotted(base)}/${bits}`)?.(`::ffff:${dotted(near)}`), inside)
      },
    ),
    { numRuns: 3000 },
  )
})

test('rule tests never throw, whatever the events hold', () => {
  const record = fc.dictionary(
    fc.constantFrom(
      'eventName',
      'eventSource',
      'eventTime',
      'awsRegion',
      'userIdentity',
      'requestParameters',
      'vary',
      'repeat',
      'every',
    ),
    fc.anything({
      withNullPrototype: false,
      maxDepth: 2,
      values: [fc.oneof(fc.string(), fc.integer({ min: 0, max: 3 }))],
    }),
  )
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), events => {
      const trailwarden = { tests: [{ name: 't', events, alerts: 1 }] }
      const text = textOf([
        { title: 't', name: 'n', logsource, detection: { a: { eventName: '*' }, condition: 'a' }, trailwarden },
      ])
      const result = loadRules([{ path: 'f.yml', text }])
      if ('rules' in result) assert.equal(runRuleTests(result.rules, result.tests).length, 1)
    }),
    { numRuns: 500 },
  )
})
