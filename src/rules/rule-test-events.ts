// The events of a rule test: raw CloudTrail records, written once and varied into many. Pure.
import type { MapValue, Value } from './document.ts'
import { parseDuration } from './duration.ts'
import { Section } from './section.ts'

/** Plain JSON data. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Time of the first event of a test, unless it says otherwise: 2026-01-01T12:00:00Z. */
export const testStart = 1_767_268_800_000

/** Most events of one test. */
export const maxEvents = 20_000
/** Keys of an event that make copies of it and are no part of the record. */
export const eventDevices = ['vary', 'repeat', 'every']

/** YAML as JSON. A number written with leading zeros is an account id that lost its quotes, and stays a text. */
function plain(value: Value): Json {
  if (value.kind === 'list') return value.items.map(plain)
  if (value.kind === 'map') return objectOf(value)
  return typeof value.value === 'number' && /^0\d/.test(value.source) ? value.source : value.value
}

/** A map as a plain object. */
export function objectOf(map: MapValue): { readonly [key: string]: Json } {
  return Object.fromEntries(map.entries.map(entry => [entry.key, plain(entry.value)]))
}

/** A raw record. */
export type TestRecord = { readonly [key: string]: Json }

/** The records of a test: how many, and a way to make them, because only whoever runs the test needs thousands of objects. */
export interface TestRecords {
  readonly count: number
  readonly make: () => TestRecord[]
}

/** The records of a test: `base` under each, copies by `vary` and `repeat`, times filled in. */
export function readRecords(test: Section, base: TestRecord): TestRecords {
  const { problems } = test
  const value = test.value('events')
  if (value === undefined) test.missing('events', "Add 'events:' with CloudTrail records")
  const items = value === undefined ? [] : value.kind === 'list' ? value.items : [value]
  const parts: (() => TestRecord[])[] = []
  let count = 0
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
    if (count + copies > maxEvents) {
      problems.add(item.at, `the test has more than ${maxEvents} events`, 'Use fewer')
      break
    }
    const record = {
      ...base,
      ...objectOf({ ...item, entries: item.entries.filter(entry => !eventDevices.includes(entry.key)) }),
    }
    const time = readTime(event, clock)
    const copyOf = (copy: number): TestRecord => {
      let varied: TestRecord = record
      for (const { key, value: values } of vary) {
        const choice = values.kind === 'list' ? values.items[copy % values.items.length] : values
        if (choice !== undefined) varied = withValue(varied, key.split('.'), numbered(plain(choice), copy + 1))
      }
      return { ...varied, eventTime: typeof time === 'number' ? rfc3339Seconds(time + copy * every) : time }
    }
    parts.push(() => Array.from({ length: copies }, (_, copy) => copyOf(copy)))
    count += copies
    if (typeof time === 'number') clock = time + copies * every
  }
  return { count, make: () => parts.flatMap(part => part()) }
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

function withValue(object: TestRecord, path: readonly string[], value: Json): TestRecord {
  const [head = '', ...rest] = path
  const inner = Object.hasOwn(object, head) ? object[head] : undefined
  const below =
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? (inner as { readonly [key: string]: Json })
      : {}
  const member = rest.length === 0 ? value : withValue(below, rest, value)
  return Object.fromEntries([...Object.entries(object).filter(([key]) => key !== head), [head, member]])
}
