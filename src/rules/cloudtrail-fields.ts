// The fields a rule may name: CloudTrail's own names mapped onto CloudTrailEvent, and what the normalizer derives.
// Pure. A name that no event of the topic can ever carry is refused when the rule is loaded, with the reason.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { aliases, jsonTexts, members, notCarried, times } from './cloudtrail-members.ts'
import { joined, readCost } from './field.ts'
import type { FieldAccess, FieldResolver, FieldValue, NoField } from './field.ts'
import { jsonReader, searchable, valuesAt } from './json-path.ts'
import type { Field } from './rule.ts'
import { nearest } from './problems.ts'

/** Every name a rule may use, without the JSON paths. */
export const fieldNames: readonly string[] = [...Object.keys(members), ...Object.keys(times), ...jsonTexts, 'secrets']

/** A resolver of CloudTrail field names. Each has its own memory of parsed JSON texts: one per rule set. */
export function cloudTrailFields(): FieldResolver<CloudTrailEvent> {
  const readers = { requestParameters: jsonReader(), responseElements: jsonReader(), additionalEventData: jsonReader() }
  return name => {
    if (name === '') return { name, cost: readCost.everything, read: everyText }
    const known = Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name
    if (Object.hasOwn(members, known)) {
      const read = members[known]
      if (read !== undefined) return { name: known, cost: readCost.member, read: event => read(event) ?? undefined }
    }
    if (Object.hasOwn(times, known)) return timeField(known)
    if (known === 'secrets') return { name, cost: readCost.computed, read: event => presentOrNone(event.secrets) }
    for (const column of jsonTexts) {
      if (name === column) return { name, cost: readCost.computed, read: event => searchableText(event[column]) }
      if (!name.startsWith(`${column}.`)) continue
      const path = name.slice(column.length + 1).split('.')
      if (path.includes(''))
        return { problem: `the path '${name}' has an empty step`, hint: 'Write names with single dots' }
      const parse = readers[column]
      return {
        name,
        cost: readCost.parsed,
        read: event => {
          const text = event[column]
          return text === null ? undefined : valuesAt(parse(text), path)
        },
      }
    }
    return noField(name)
  }
}

/** The field as the detectors and alerts read it: one text, null where absent or empty. */
export function fieldReader(access: FieldAccess<CloudTrailEvent>): Field {
  const column = jsonTexts.find(text => text === access.name)
  if (column !== undefined) return { name: column, read: event => event[column] }
  return { name: access.name, read: event => joined(access.read(event)) }
}

function searchableText(text: string | null): FieldValue {
  return text === null ? undefined : searchable(text)
}

function timeField(name: string): FieldAccess<CloudTrailEvent> {
  const time = times[name] ?? (() => null)
  const read = (event: CloudTrailEvent): FieldValue => {
    const at = time(event)
    return at === null ? undefined : cloudTrailTime(at)
  }
  return { name, cost: readCost.computed, read, time }
}

// CloudTrail writes whole seconds: 2026-01-31T23:59:59Z.
function cloudTrailTime(at: number): string | undefined {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString().replace('.000Z', 'Z') : undefined
}

function presentOrNone(values: readonly string[]): FieldValue {
  return values.length === 0 ? undefined : values
}

function everyText(event: CloudTrailEvent): readonly string[] {
  const texts: string[] = [...event.secrets]
  for (const column of jsonTexts) {
    const text = event[column]
    if (text !== null) texts.push(...[searchable(text)].flat().filter(value => typeof value === 'string'))
  }
  for (const read of memberReaders) {
    const value = read(event)
    if (typeof value === 'string') texts.push(value)
  }
  return texts
}
const memberReaders = Object.values(members)

function noField(name: string): NoField {
  const left = notCarried.find(field => name === field || name.startsWith(`${field}.`))
  if (left !== undefined) {
    return {
      problem: `'${left}' is a CloudTrail field that the events topic does not carry, so this can never match`,
      hint: 'Remove it, or use a field that is carried (docs/rules.md lists them)',
    }
  }
  const near = nearest(name, fieldNames)
  return {
    problem: `no CloudTrail event has a field '${name}'`,
    hint: near === null ? 'Use CloudTrail names; docs/rules.md lists them' : `Did you mean '${near}'`,
  }
}
