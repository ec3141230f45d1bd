// The tests inside a rule file (`trailwarden: tests:`) read into events and expectations. Pure.
// Events are raw CloudTrail records, as published tests have them; what a test does not care about may be left out.
import type { MapValue, Value } from './document.ts'
import { parseDuration } from './duration.ts'
import type { Place, Problems } from './problems.ts'
import { Section } from './section.ts'

/** Plain JSON data. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** One test of one rule. */
export interface RuleTest {
  readonly ruleId: string
  readonly name: string
  readonly at: Place
  /** Raw CloudTrail records with their times filled in, in the order of the file. */
  readonly records: readonly { readonly [key: string]: Json }[]
  /** Expected episodes: how many, or what each looks like in the end; null when the test does not say. */
  readonly alerts: number | readonly { readonly [key: string]: Json }[] | null
  /** Expected matches of the rule's own detection (a correlation: of the rules that feed it), likewise. */
  readonly matches: number | readonly boolean[] | null
}

/** Time of the first event of a test, unless it says otherwise: 2026-01-01T12:00:00Z. */
export const testStart = 1_767_268_800_000

const maxEvents = 20_000
const keys = ['name', 'base', 'events', 'alerts', 'matches']
const devices = ['vary', 'repeat', 'every']

/** Reads a test; null after reporting what is wrong. */
export function readRuleTest(map: MapValue, ruleId: string, problems: Problems): RuleTest | null {
  const before = problems.errors.length
  const test = new Section(map, 'the test', problems)
  test.closed(keys)
  const name =
    test.value('name') === undefined ? test.missing('name', "Add 'name: <what it shows>'") : test.text('name')
  const base = test.section('base', "'base'")
  const records = readRecords(test, base === null ? {} : objectOf(base.map))
  const alerts = readAlerts(test)
  const matches = readMatches(test, records.length)
  if (alerts === null && matches === null && problems.errors.length === before) {
    test.missing('alerts', "Say what is expected: 'alerts: 1', 'matches: 0' or a list")
  }
  if (problems.errors.length > before || name === null) return null
  return { ruleId, name, at: map.at, records, alerts, matches }
}

/** YAML as JSON. A number written with leading zeros is an account id that lost its quotes, and stays a text. */
export function plain(value: Value): Json {
  if (value.kind === 'list') return value.items.map(plain)
  if (value.kind === 'map') return objectOf(value)
  return typeof value.value === 'number' && /^0\d/.test(value.source) ? value.source : value.value
}

function objectOf(map: MapValue): { readonly [key: string]: Json } {
  return Object.fromEntries(map.entries.map(entry => [entry.key, plain(entry.value)]))
}

function readRecords(test: Section, base: { readonly [key: string]: Json }): RuleTest['records'] {
  const { problems } = test
  const value = test.value('events')
  if (value === undefined) test.missing('events', "Add 'events:' with CloudTrail records")
  const items = value === undefined ? [] : value.kind === 'list' ? value.items : [value]
  const records: { readonly [key: string]: Json }[] = []
  let clock = testStart
  for (const item of items) {
    if (item.kind !== 'map') {
      problems.add(item.at, `an event is a ${item.kind}`, 'Write a CloudTrail record')
      continue
    }
    const event = new Section(item, 'the event', problems)
    const repeat = event.number('repeat', { min: 1, max: maxEvents, whole: true })
    const every = event.duration('every', { min: 0, max: 31 * 86_400_000 }) ?? 1000
    const vary = event.section('vary', "'vary'")?.map.entries ?? []
    const lengths = vary.map(entry => (entry.value.kind === 'list' ? entry.value.items.length : 1))
    const copies = repeat ?? Math.max(1, ...lengths)
    if (records.length + copies > maxEvents) {
      problems.add(item.at, `the test has more than ${maxEvents} events`, 'Use fewer')
      break
    }
    const record = {
      ...base,
      ...objectOf({ ...item, entries: item.entries.filter(entry => !devices.includes(entry.key)) }),
    }
    const time = readTime(event, clock)
    for (let copy = 0; copy < copies; copy++) {
      let varied: { readonly [key: string]: Json } = record
      for (const { key, value: values } of vary) {
        const choice = values.kind === 'list' ? values.items[copy % values.items.length] : values
        if (choice !== undefined) varied = withValue(varied, key.split('.'), numbered(plain(choice), copy + 1))
      }
      records.push({ ...varied, eventTime: typeof time === 'number' ? rfc3339Seconds(time + copy * every) : time })
    }
    if (typeof time === 'number') clock = time + copies * every
  }
  return records
}

/** Epoch milliseconds of the first copy, or a text that is handed on as it stands. */
function readTime(event: Section, clock: number): number | Json {
  const value = event.value('eventTime')
  if (value === undefined) return clock
  if (value.kind !== 'scalar') return plain(value)
  if (!value.source.startsWith('+')) {
    const absolute = typeof value.value === 'string' ? Date.parse(value.source) : NaN
    return Number.isNaN(absolute) ? plain(value) : absolute
  }
  const offset = parseDuration(value.source.slice(1))
  if (typeof offset === 'number') return testStart + offset
  event.problems.add(value.at, offset.problem, "Write an offset from the start of the test like '+90s'")
  return clock
}

function rfc3339Seconds(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString().replace('.000Z', 'Z') : ''
}

function numbered(value: Json, n: number): Json {
  return typeof value === 'string' ? value.replaceAll('{n}', String(n)) : value
}

function withValue(
  object: { readonly [key: string]: Json },
  path: readonly string[],
  value: Json,
): { readonly [key: string]: Json } {
  const [head = '', ...rest] = path
  const inner = Object.hasOwn(object, head) ? object[head] : undefined
  const below =
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? (inner as { readonly [key: string]: Json })
      : {}
  const member = rest.length === 0 ? value : withValue(below, rest, value)
  return Object.fromEntries([...Object.entries(object).filter(([key]) => key !== head), [head, member]])
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
