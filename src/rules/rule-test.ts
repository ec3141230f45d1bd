// The tests inside a rule file (`trailwarden: tests:`) read into events and expectations. Pure.
// Events are raw CloudTrail records, as published tests have them; what a test does not care about may be left out.
import type { MapValue } from './document.ts'
import type { Place, Problems } from './problems.ts'
import { maxEvents, objectOf, readRecords } from './rule-test-events.ts'
import type { Json, TestRecord } from './rule-test-events.ts'
import { Section } from './section.ts'

/** One test of one rule. */
export interface RuleTest {
  readonly ruleId: string
  readonly name: string
  readonly at: Place
  /** Raw CloudTrail records with their times filled in, in the order of the file. */
  readonly records: () => readonly TestRecord[]
  /** Expected episodes: how many, or what each looks like in the end; null when the test does not say. */
  readonly alerts: number | readonly { readonly [key: string]: Json }[] | null
  /** Expected matches of the rule's own detection (a correlation: of the rules that feed it), likewise. */
  readonly matches: number | readonly boolean[] | null
}

/** Keys of a test. */
export const ruleTestKeys = ['name', 'base', 'events', 'alerts', 'matches']

/** Reads a test; null after reporting what is wrong. */
export function readRuleTest(map: MapValue, ruleId: string, problems: Problems): RuleTest | null {
  const before = problems.errors.length
  const test = new Section(map, 'the test', problems)
  test.closed(ruleTestKeys)
  const name =
    test.value('name') === undefined ? test.missing('name', "Add 'name: <what it shows>'") : test.text('name')
  const base = test.section('base', "'base'")
  const records = readRecords(test, base === null ? {} : objectOf(base.map))
  const alerts = readAlerts(test)
  const matches = readMatches(test, records.count)
  if (alerts === null && matches === null && problems.errors.length === before) {
    test.missing('alerts', "Say what is expected: 'alerts: 1', 'matches: 0' or a list")
  }
  if (problems.errors.length > before || name === null) return null
  return { ruleId, name, at: map.at, records: records.make, alerts, matches }
}

function readAlerts(test: Section): RuleTest['alerts'] {
  const value = test.value('alerts')
  if (value === undefined) return null
  if (value.kind === 'scalar') return test.number('alerts', { min: 0, max: maxEvents, whole: true })
  const items = value.kind === 'list' ? value.items : [value]
  return items.flatMap(item => {
    if (item.kind === 'map') return [objectOf(item)]
    test.problems.add(item.at, 'an expected alert is a map of alert fields', "Write 'alerts: 1', or '- {count: 5}'")
    return []
  })
}

function readMatches(test: Section, events: number): RuleTest['matches'] {
  const value = test.value('matches')
  if (value === undefined) return null
  if (value.kind === 'scalar' && typeof value.value === 'number')
    return test.number('matches', { min: 0, max: maxEvents, whole: true })
  const items = value.kind === 'list' ? value.items : [value]
  const booleans = items.flatMap(item =>
    item.kind === 'scalar' && typeof item.value === 'boolean' ? [item.value] : [],
  )
  if (booleans.length < items.length)
    test.problems.add(
      value.at,
      "'matches' is neither a count nor a list of booleans",
      "Write 'matches: 1', or '[true, false]'",
    )
  else if (booleans.length !== events) {
    test.problems.add(
      value.at,
      `'matches' has ${booleans.length} entries for ${events} events`,
      'Give one per event, copies included',
    )
  }
  return booleans
}
