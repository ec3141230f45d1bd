// docs/rules.md against the code: every key, default, field, modifier and type is in it and no other, and the example runs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withTables } from '../../scripts/sigma-doc.ts'
import { aliases, notCarried } from '../../src/rules/cloudtrail-members.ts'
import { fieldNames } from '../../src/rules/cloudtrail-fields.ts'
import { operators } from '../../src/rules/correlation-condition.ts'
import { correlationTypes } from '../../src/rules/correlation.ts'
import { parseDuration } from '../../src/rules/duration.ts'
import { extensionDefaults, extensionKeys } from '../../src/rules/extension.ts'
import { modifierNames, refusedModifiers, regexFlags } from '../../src/rules/modifiers.ts'
import { rateKeys } from '../../src/rules/rate-parameters.ts'
import type { RateAnomalyParameters } from '../../src/rules/rule.ts'
import { eventDevices, maxEvents } from '../../src/rules/rule-test-events.ts'
import { formatRuleTests } from '../../src/rules/rule-test-report.ts'
import { runRuleTests } from '../../src/rules/rule-test-run.ts'
import { ruleTestKeys } from '../../src/rules/rule-test.ts'
import { errorsOf, load } from '../unit/rules/loading.ts'

const doc = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8')

function section(title: string): string {
  const start = doc.indexOf(`\n## ${title}\n`)
  assert.notEqual(start, -1, title)
  const end = doc.indexOf('\n## ', start + 4)
  return doc.slice(start, end === -1 ? undefined : end)
}

/** Rows of the tables of a section, without heads, cell by cell. */
function rowsOf(title: string): string[][] {
  const lines = section(title).split('\n')
  return lines
    .filter((line, index) => line.startsWith('| ') && !lines[index + 1]?.startsWith('|---'))
    .map(line =>
      line
        .slice(1, -1)
        .split('|')
        .map(cell => cell.trim()),
    )
}

const quoted = (text = ''): string[] => Array.from(text.matchAll(/`([^`]+)`/g), match => match[1] ?? '')
const keysOf = (title: string): string[] => rowsOf(title).flatMap(([cell]) => quoted(cell))
const cellOf = (title: string, row: string): string => {
  const found = rowsOf(title).find(([head]) => head === row)
  assert.ok(found, row)
  return found[1] ?? ''
}
const sorted = (texts: readonly string[]): string[] => [...texts].sort()

/** The texts of fenced blocks of one kind, with the indentation of the list they stand in undone. */
const fenced = (kind: string): string[] =>
  Array.from(doc.matchAll(new RegExp(`^( *)\`\`\`${kind}\n([^]*?)^ *\`\`\`$`, 'gm')), ([, indent = '', text = '']) =>
    text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )

test('the example loads, its tests pass, and what the page says they print is what they print', () => {
  const [example = ''] = fenced('yaml')
  const { rules, tests } = load(example)
  const results = runRuleTests(rules, tests)
  const text = formatRuleTests(results)
  assert.ok(
    results.every(result => result.differences.length === 0),
    text,
  )
  assert.ok(fenced('text')[0]?.trimEnd().endsWith(text), text)
})

test('the tables of Sigma features are what the loader does (node scripts/sigma-doc.ts writes them)', () => {
  assert.equal(withTables(doc), doc)
})

test('the example is not green by accident: without its threshold or its filter a test of it fails', () => {
  const [example = ''] = fenced('yaml')
  for (const [from, to] of [
    ['gte: 3', 'gte: 1'],
    ['timespan: 10m', 'timespan: 5m'],
    [' and not 1 of filter_*', ''],
  ] as const) {
    const { rules, tests } = load(example.replace(from, to))
    assert.ok(
      runRuleTests(rules, tests).some(result => result.differences.length > 0),
      from,
    )
  }
})

test('the fields are those that resolve, and the others that are understood are named', () => {
  const named = rowsOf('Fields').flatMap(([names]) => quoted(names))
  assert.deepEqual(sorted(named), sorted(fieldNames))
  const text = section('Fields')
  for (const alias of Object.keys(aliases)) assert.ok(text.includes(`\`${alias}\``), alias)
  for (const left of ['resources', 'tlsDetails'] as const) assert.ok(notCarried.includes(left))
})

test('modifiers, flags, operators and types are those of the loader', () => {
  assert.deepEqual(sorted(quoted(cellOf('Sigma', 'modifiers'))), sorted(modifierNames))
  assert.deepEqual(quoted(cellOf('Sigma', 'flags of `re`')), regexFlags)
  assert.deepEqual(quoted(cellOf('Sigma', 'correlation `condition`')).slice(0, operators.length), operators)
  const types = quoted(cellOf('Sigma', 'correlation `type`')).filter(word => /^\w+_\w+$/.test(word))
  const refused = keysOf('Sigma').filter(word => word.startsWith('temporal'))
  assert.deepEqual([...types, ...refused], correlationTypes)
  for (const word of Object.keys(refusedModifiers)) assert.ok(keysOf('Sigma').includes(word), word)
})

const head = 'title: T\nname: t\n'
const source = 'logsource: {product: aws, service: cloudtrail}\n'
const plain = `${head}${source}detection: {a: {eventName: x}, condition: a}\n`

test('what the page says is refused is refused', () => {
  const correlation = (type: string, rules: string) =>
    `title: C\nname: c\ncorrelation: {type: ${type}, rules: [${rules}], group-by: [principal], timespan: 1m, condition: {gte: 1}}\n`
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[plain.replace('eventName:', 'eventName|windash:')], /windash/],
    [[plain.replace('eventName:', 'eventName|expand:')], /expand/],
    [[plain, correlation('temporal', 't')], /'temporal' is not supported yet/],
    [[plain, correlation('temporal_ordered', 't')], /'temporal_ordered' is not supported yet/],
    [
      [plain, correlation('event_count', 't'), correlation('event_count', 'c').replaceAll(' c\n', ' d\n')],
      /correlation rule/,
    ],
    [[`${head}${source}filter: {}\n`], /Sigma filters are not supported/],
    [[`${head}action: global\n`], /'action' was removed/],
    [[plain.replace('condition: a}', 'condition: a | count() > 5}')], /Write a correlation rule/],
    [[plain.replace('condition: a}', 'condition: a, timeframe: 5m}')], /'timeframe' was removed/],
    [[plain, correlation('event_count', 't').replace('principal', 'awsRegion')], /lacks 'principal'/],
    [[plain.replace('eventName', 'tlsDetails.tlsVersion')], /the events topic does not carry/],
  ]
  for (const [texts, message] of cases) assert.match(errorsOf(...texts).join('\n'), message)
})

const milliseconds = (text: string): number => {
  const parsed = parseDuration(text)
  assert.equal(typeof parsed, 'number', text)
  return parsed as number
}

test('the keys of the trailwarden block and their defaults are those of the loader', () => {
  assert.deepEqual(sorted(keysOf('The trailwarden block')), sorted(extensionKeys))
  const preset = (key: string) => milliseconds(quoted(cellOf('The trailwarden block', `\`${key}\``))[0] ?? '')
  assert.deepEqual(
    { dedupMs: preset('dedup'), maxEpisodeMs: preset('max-episode'), latenessMs: preset('lateness') },
    { ...extensionDefaults },
  )
})

test('the parameters of rate_anomaly and their defaults are those of the loader', () => {
  assert.deepEqual(sorted(keysOf('rate_anomaly')), sorted(rateKeys))
  const { rules } = load(
    plain,
    'title: R\nname: r\ncorrelation: {type: rate_anomaly, rules: [t], group-by: [principal], timespan: 30m}\n' +
      'trailwarden: {rate-anomaly: {denied: t}}\n',
  )
  const body = rules.rules[0]?.body
  assert.equal(body?.kind, 'rate_anomaly')
  const { rate } = body as { readonly rate: RateAnomalyParameters }
  for (const key of rateKeys.filter(name => name !== 'denied')) {
    const shown = quoted(cellOf('rate_anomaly', `\`${key}\``))[0] ?? ''
    const name = key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
    const values: Readonly<Record<string, unknown>> = { ...rate, distinct: rate.distinct.name }
    if (name in values)
      assert.equal(String(values[name]), Number.isNaN(Number(shown)) ? shown : String(Number(shown)), key)
    else assert.equal(values[`${name}Ms`], milliseconds(shown), key)
  }
})

test('the keys of tests are those of the loader', () => {
  assert.deepEqual(sorted(keysOf('Tests')), sorted([...ruleTestKeys, ...eventDevices]))
  assert.ok(section('Tests').includes(`At most ${maxEvents.toLocaleString('en')} events`))
})
