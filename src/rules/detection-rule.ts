// A Sigma detection rule (`logsource`, `detection`) compiled into a test of one event. Pure.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { compileCondition } from './condition.ts'
import type { ScalarValue } from './document.ts'
import type { FieldResolver } from './field.ts'
import type { Section } from './section.ts'
import { compileSelection } from './selection.ts'
import { anyOf } from './test.ts'
import type { Test } from './test.ts'

/** Compiles the rule; null after reporting what is wrong. Errors of several search identifiers are reported together. */
export function compileDetection(rule: Section, resolve: FieldResolver<CloudTrailEvent>): Test<CloudTrailEvent> | null {
  checkLogSource(rule)
  const detection = rule.section('detection', "'detection'")
  if (detection === null) return null
  const { problems } = rule
  const known = new Map<string, Test<CloudTrailEvent> | null>()
  for (const { key, keyAt, value } of detection.map.entries) {
    if (key === 'condition') continue
    if (key === 'timeframe') {
      problems.add(keyAt, "'timeframe' was removed from Sigma", "Write a correlation rule with 'timespan'")
    } else known.set(key, compileSelection(value, resolve, problems))
  }
  const conditions = conditionsOf(detection)
  if (known.size === 0) return detection.missing('selection', 'Add a search identifier and name it in the condition')
  const tests = conditions.map(condition => compileCondition(condition, known, problems))
  if (conditions.length === 0 || tests.includes(null)) return null
  // Sigma rules specification 2.0.0: a list of conditions is joined with OR.
  return [...known.values()].includes(null) ? null : anyOf(tests.filter(test => test !== null))
}

function conditionsOf(detection: Section): ScalarValue[] {
  if (detection.value('condition') === undefined) {
    detection.missing('condition', "Add 'condition: selection'")
    return []
  }
  return detection.texts('condition')
}

const expected = { product: 'aws', service: 'cloudtrail' } as const

function checkLogSource(rule: Section): void {
  const hint = "Write 'logsource: {product: aws, service: cloudtrail}'"
  const source = rule.section('logsource', "'logsource'")
  if (source === null) {
    if (rule.value('logsource') === undefined) rule.missing('logsource', hint)
    return
  }
  for (const key of ['product', 'service'] as const) {
    const text = source.value(key) === undefined ? source.missing(key, hint) : source.text(key)
    if (text !== null && text.toLowerCase() !== expected[key]) {
      rule.problems.add(source.at(key), `the events are CloudTrail of AWS, not ${key} '${text}'`, hint)
    }
  }
  if (source.value('category') !== undefined) {
    rule.problems.add(source.at('category'), 'CloudTrail has no log source category', hint)
  }
}
