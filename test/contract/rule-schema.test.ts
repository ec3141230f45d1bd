// schemas/trailwarden-rule.schema.json against the loader: not drifted, the shipped rules and the example of docs/rules.md are
// valid, editors find it, and where it draws a line the loader draws the same.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { Ajv } from 'ajv'
import { parseAllDocuments, stringify } from 'yaml'
import { ruleSchema } from '../../scripts/rule-schema.ts'
import { loadRules } from '../../src/rules/load.ts'

const root = join(import.meta.dirname, '..', '..')
const path = join(root, 'schemas', 'trailwarden-rule.schema.json')
const written = readFileSync(path, 'utf8')
const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(
  JSON.parse(written) as object,
)

/** What the schema says against each document of a text; empty for a valid one. */
function faults(text: string): string[] {
  return parseAllDocuments(text).flatMap(document => {
    if (validate(document.toJS())) return []
    return (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`)
  })
}

type Rule = Readonly<Record<string, unknown>>

const detection: Rule = {
  title: 'T',
  name: 't',
  logsource: { product: 'aws', service: 'cloudtrail' },
  detection: { selection: { eventName: 'x' }, condition: 'selection' },
}
const counting = (more: Rule = {}, trailwarden: Rule = {}): Rule => ({
  title: 'C',
  name: 'c',
  correlation: {
    type: 'event_count',
    rules: ['t'],
    'group-by': ['principal'],
    timespan: '10m',
    condition: { gte: 5 },
    ...more,
  },
  trailwarden,
})
const rate = (more: Rule = {}): Rule => ({
  title: 'R',
  name: 'r',
  correlation: { type: 'rate_anomaly', rules: ['t'], 'group-by': ['principal'], timespan: '30m' },
  trailwarden: { 'rate-anomaly': { denied: 't', ...more } },
})

const textOf = (rules: readonly Rule[]) => rules.map(rule => stringify(rule)).join('---\n')
const refusals = (rules: readonly Rule[]): readonly unknown[] => {
  const loaded = loadRules([{ path: 'a.yml', text: textOf(rules) }])
  return 'errors' in loaded ? loaded.errors : []
}
const accepted = (rules: readonly Rule[]) => refusals(rules).length === 0

test('it has not drifted from the loader (node scripts/rule-schema.ts writes it)', async () => {
  assert.equal(written, await ruleSchema())
})

test('every shipped rule is valid, and tells editors where the schema is', () => {
  const files = globSync('rules/*.yml', { cwd: root })
  assert.ok(files.length >= 6)
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    assert.deepEqual(faults(text), [], file)
    const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? []
    assert.ok(schema !== '' && existsSync(join(root, dirname(file), schema)), file)
    assert.equal(join(root, dirname(file), schema), path)
  }
})

test('the package carries it', () => {
  const { files, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    files: string[]
    exports: Record<string, unknown>
  }
  assert.ok(files.includes('schemas'))
  assert.equal(exports['./schemas/*.json'], './schemas/*.json')
})

describe('where it draws a line, the loader draws the same', () => {
  const good: readonly (readonly [string, readonly Rule[]])[] = [
    ['a detection rule', [detection]],
    ['several conditions', [{ ...detection, detection: { a: { eventName: 'x' }, b: ['y'], condition: ['a', 'b'] } }]],
    ['modifiers', [{ ...detection, detection: { a: { 'userAgent|contains|all': ['x', 'y'] }, condition: 'a' } }]],
    ['a JSON path', [{ ...detection, detection: { a: { 'requestParameters.a.b|re|i': 'x' }, condition: 'a' } }]],
    ['an attribute of somebody else', [{ ...detection, 'x-team': { pager: 'blue' } }]],
    ['a count', [detection, counting()]],
    ['a value count', [detection, counting({ type: 'value_count', condition: { field: 'awsRegion', gte: 2, lt: 9 } })]],
    ['a rate', [detection, rate()]],
    ['a single text for a list', [detection, counting({ rules: 't', 'group-by': 'principal' })]],
  ]
  for (const [name, rules] of good)
    test(`both accept ${name}`, () => {
      assert.deepEqual(faults(textOf(rules)), [])
      assert.deepEqual(refusals(rules), [])
    })

  const bad: readonly (readonly [string, readonly Rule[]])[] = [
    ['no title', [{ ...detection, title: undefined }]],
    ['no name and no id', [{ ...detection, name: undefined }]],
    ['a name that is no identifier', [{ ...detection, name: 'two words' }]],
    ['an unknown level', [{ ...detection, level: 'severe' }]],
    ['an unknown status', [{ ...detection, status: 'done' }]],
    ['another log source', [{ ...detection, logsource: { product: 'windows', service: 'security' } }]],
    ['no log source', [{ ...detection, logsource: undefined }]],
    ['no condition', [{ ...detection, detection: { a: { eventName: 'x' } } }]],
    ['timeframe', [{ ...detection, detection: { a: { eventName: 'x' }, condition: 'a', timeframe: '5m' } }]],
    ['an unknown modifier', [{ ...detection, detection: { a: { 'eventName|contain': 'x' }, condition: 'a' } }]],
    ['windash', [{ ...detection, detection: { a: { 'eventName|windash': 'x' }, condition: 'a' } }]],
    ['neither detection nor correlation', [{ title: 'T', name: 't' }]],
    ['temporal', [detection, counting({ type: 'temporal' })]],
    ['an unknown key in correlation', [detection, counting({ groupby: ['principal'] })]],
    ['no timespan', [detection, counting({ timespan: undefined })]],
    ['a time span in months', [detection, counting({ timespan: '1M' })]],
    ['no correlation condition', [detection, counting({ condition: undefined })]],
    ['an unknown bound', [detection, counting({ condition: { ge: 5 } })]],
    ['a negative bound', [detection, counting({ condition: { gte: -1 } })]],
    ['an unknown key of the extension', [detection, counting({}, { dedupe: '5m' })]],
    ['a span without a unit', [detection, counting({}, { dedup: '5' })]],
    ['a rate without its block', [detection, { ...rate(), trailwarden: {} }]],
    ['the block of a rate without a rate', [detection, counting({}, { 'rate-anomaly': { denied: 't' } })]],
    [
      'a rate with a condition',
      [detection, { ...rate(), correlation: { ...(rate()['correlation'] as Rule), condition: { gte: 1 } } }],
    ],
    ['a rate without denied', [detection, { ...rate(), trailwarden: { 'rate-anomaly': {} } }]],
    ['an unknown model', [detection, rate({ model: 'best' })]],
    ['a test without expectation', [{ ...detection, trailwarden: { tests: [{ name: 'x', events: [{}] }] } }]],
    ['a test without events', [{ ...detection, trailwarden: { tests: [{ name: 'x', alerts: 1 }] } }]],
    [
      'an unknown key of a test',
      [{ ...detection, trailwarden: { tests: [{ name: 'x', events: [{}], alerts: 0, expect: 1 }] } }],
    ],
  ]
  for (const [name, rules] of bad)
    test(`both refuse ${name}`, () => {
      assert.notDeepEqual(faults(textOf(rules)), [])
      assert.equal(accepted(rules), false)
    })

  interface Bounded {
    readonly type?: string
    readonly minimum?: number
    readonly maximum?: number
  }
  const { properties } = JSON.parse(written) as {
    properties: {
      trailwarden: { properties: { 'rate-anomaly': { properties: Record<string, Bounded> } } }
      correlation: { properties: { condition: { properties: Record<string, Bounded> } } }
    }
  }
  const bounded = [
    ...Object.entries(properties.trailwarden.properties['rate-anomaly'].properties).map(
      ([key, bounds]) =>
        // What is compared with another parameter gets room for it.
        [
          key,
          bounds,
          (value: number) => [
            detection,
            rate({ 'min-count': 1_000_000, [key]: value, ...(key === 'min-count' ? { 'min-distinct': 1 } : {}) }),
          ],
        ] as const,
    ),
    ...Object.entries(properties.correlation.properties.condition.properties).map(
      ([key, bounds]) =>
        [key, bounds, (value: number) => [detection, counting({ condition: { [key]: value } })]] as const,
    ),
  ].filter(([, { minimum }]) => minimum !== undefined)

  test('there are bounds to compare', () => assert.ok(bounded.length > 10, String(bounded.length)))

  for (const [key, { minimum = 0, maximum = 0, type }, rulesWith] of bounded)
    test(`the bounds of ${key}: ${minimum} to ${maximum}`, () => {
      for (const outside of [minimum - 1, maximum + 1, 'many' as unknown as number]) {
        assert.notDeepEqual(faults(textOf(rulesWith(outside))), [], String(outside))
        assert.equal(accepted(rulesWith(outside)), false, String(outside))
      }
      // A bound that no count satisfies (below 0, above every number) is the loader's business alone.
      for (const inside of [Math.max(minimum, key.startsWith('lt') || key === 'eq' ? 2 : minimum), maximum]) {
        assert.deepEqual(faults(textOf(rulesWith(inside))), [], String(inside))
        assert.deepEqual(refusals(rulesWith(inside)), [], String(inside))
      }
      if (type === 'integer') {
        assert.notDeepEqual(faults(textOf(rulesWith(minimum + 0.5))), [])
        assert.equal(accepted(rulesWith(minimum + 0.5)), false)
      }
    })
})
