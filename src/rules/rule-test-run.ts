// Runs rule tests through the same normalizer and engine that the pipeline runs: state, windows, duplicates, episodes. Pure.
// Each test starts from nothing and sees only its own rule; order of arrival is the order of the file.
import type { Alert } from '../alerts/alert.ts'
import { explain } from '../alerts/explain.ts'
import { alertToJson } from '../alerts/json.ts'
import { fillRunbook } from '../alerts/runbook.ts'
import { Engine } from '../detect/engine.ts'
import { normalizeRecord } from '../normalize/event.ts'
import type { CloudTrailEvent, NormalizeContext } from '../normalize/event.ts'
import { rfc3339 } from '../rfc3339.ts'
import { parseDuration } from './duration.ts'
import type { Rule, RuleSet } from './rule.ts'
import type { RuleTest } from './rule-test.ts'
import { testStart } from './rule-test-events.ts'
import type { Json } from './rule-test-events.ts'
import { compilePattern, parsePattern } from './text.ts'

/** One difference between what a test expects and what came. `where` is a path such as `alerts[0].count`. */
export interface Difference {
  readonly where: string
  readonly expected: string
  readonly got: string
}

export interface RuleTestResult {
  readonly test: RuleTest
  /** Empty when the test passed. */
  readonly differences: readonly Difference[]
}

const context: NormalizeContext = {
  sourceKind: 'RECORD',
  keepRequestParameters: true,
  keepResponseElements: true,
  keepAdditionalEventData: true,
  sourceIdentity: 'trust',
}

/** Runs the tests, in order. Thousands a second: a test is a handful of events through an empty engine. */
export function runRuleTests(rules: RuleSet, tests: readonly RuleTest[]): RuleTestResult[] {
  return tests.map(test => ({ test, differences: runOne(rules, test) }))
}

function runOne(rules: RuleSet, test: RuleTest): Difference[] {
  const differences: Difference[] = []
  const events: CloudTrailEvent[] = []
  test.records().forEach((record, index) => {
    const event = normalizeRecord(record, context)
    if ('rejected' in event) {
      const got = `rejected as ${event.rejected}: ${event.detail}`
      differences.push({ where: `events[${index}]`, expected: 'a CloudTrail record', got })
    } else events.push(event)
  })
  if (differences.length > 0) return differences
  const rule = rules.rules.find(candidate => candidate.id === test.ruleId)
  if (test.matches !== null) differences.push(...compareMatches(rules, rule, test, events))
  if (test.alerts !== null) {
    if (rule === undefined)
      differences.push({ where: 'alerts', expected: 'alerts', got: 'a rule that only feeds correlations' })
    else differences.push(...compareAlerts(test.alerts, episodesOf(rules, rule, events)))
  }
  return differences
}

function compareMatches(
  rules: RuleSet,
  rule: Rule | undefined,
  test: RuleTest,
  events: readonly CloudTrailEvent[],
): Difference[] {
  const feeds =
    rule?.feeds ?? rules.predicates.flatMap((predicate, index) => (predicate.ruleId === test.ruleId ? [index] : []))
  const got = events.map(event => rules.match(event).some(index => feeds.includes(index)))
  const { matches } = test
  if (typeof matches === 'number') {
    const count = got.filter(Boolean).length
    return count === matches ? [] : [{ where: 'matches', expected: String(matches), got: String(count) }]
  }
  return got.flatMap((matched, index) =>
    matched === matches?.[index]
      ? []
      : [{ where: `matches[${index}]`, expected: String(matches?.[index]), got: String(matched) }],
  )
}

/** The last word on every episode, in the order in which the episodes were announced. */
function episodesOf(rules: RuleSet, rule: Rule, events: readonly CloudTrailEvent[]): readonly Alert[] {
  const engine = new Engine({ ...rules, rules: [rule] }, { describe })
  const transaction = engine.begin()
  for (const event of events) transaction.process(event, null, null)
  const episodes = new Map<string, Alert>()
  for (const alert of transaction.alerts) episodes.set(alert.dedupKey, alert)
  return [...episodes.values()]
}

function describe(draft: Parameters<typeof explain>[0], rule: Rule): { explanation: string; runbook: string } {
  return { explanation: explain(draft, rule), runbook: fillRunbook(draft, rule) }
}

function compareAlerts(expected: NonNullable<RuleTest['alerts']>, got: readonly Alert[]): Difference[] {
  const count = typeof expected === 'number' ? expected : expected.length
  if (got.length !== count) {
    const seen = got.map(
      alert => `${alert.ruleId} of ${alert.principal.name} at ${rfc3339(alert.firstSeen)}, count ${alert.count}`,
    )
    return [{ where: 'alerts', expected: String(count), got: [String(got.length), ...seen].join('; ') }]
  }
  if (typeof expected === 'number') return []
  return expected.flatMap((fields, index) => {
    const alert = got[index]
    return alert === undefined ? [] : compare(fields, JSON.parse(alertToJson(alert)) as Json, `alerts[${index}]`)
  })
}

// Maps are compared in the keys the test names, lists of plain values without order, texts as Sigma patterns with case.
function compare(expected: Json, got: Json | undefined, where: string): Difference[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return differs(where, expected, got)
    const [a, b] = [expected as readonly Json[], got as readonly Json[]]
    const simple = [...a, ...b].every(item => typeof item !== 'object' || item === null)
    if (simple) return same(sortedTexts(a), sortedTexts(b)) ? [] : differs(where, expected, got)
    return a.flatMap((item, index) => compare(item, b[index], `${where}[${index}]`))
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof got !== 'object' || got === null || Array.isArray(got)) return differs(where, expected, got)
    const object = got as { readonly [key: string]: Json }
    return Object.entries(expected).flatMap(([key, value]) =>
      compare(value, Object.hasOwn(object, key) ? object[key] : undefined, `${where}.${key}`),
    )
  }
  if (typeof expected === 'string' && typeof got === 'string') {
    const offset = /^\+\d/.test(expected) ? parseDuration(expected.slice(1)) : null
    const text = typeof offset === 'number' ? rfc3339(testStart + offset) : expected
    return text === got || compilePattern(parsePattern(text), 'whole', true)(got) ? [] : differs(where, text, got)
  }
  return expected === got ? [] : differs(where, expected, got)
}

function sortedTexts(values: readonly Json[]): readonly string[] {
  return values.map(value => JSON.stringify(value)).sort()
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.every((value, index) => value === b[index])
}

function differs(where: string, expected: Json, got: Json | undefined): Difference[] {
  return [{ where, expected: JSON.stringify(expected), got: got === undefined ? 'no such field' : JSON.stringify(got) }]
}
