// Search identifiers of a detection: maps, lists of maps, keyword lists, compiled into tests of a record. Pure.
// Generic over the record, so that suppressions select alerts with the same language that rules select events with.
import type { Entry, ListValue, ScalarValue, Value } from './document.ts'
import type { FieldAccess, FieldResolver, FieldValue } from './field.ts'
import { matchesAny, textOf } from './field.ts'
import { compileReference } from './field-reference.ts'
import { parseModifiers } from './modifiers.ts'
import type { Modifiers } from './modifiers.ts'
import type { Problems } from './problems.ts'
import { allOf, anyOf, negate } from './test.ts'
import type { Test } from './test.ts'
import { fold, literalOf, parsePattern } from './text.ts'
import { timeReader } from './time-part.ts'
import { compileValue } from './values.ts'
import type { ValueTest } from './values.ts'

/** Compiles one search identifier. Null after reporting what is wrong with it. */
export function compileSelection<T>(value: Value, resolve: FieldResolver<T>, problems: Problems): Test<T> | null {
  if (value.kind === 'map') {
    if (value.entries.length === 0) {
      problems.add(value.at, 'the selection is empty and would match every event', "Add at least one 'field: value'")
      return null
    }
    const tests = value.entries.map(entry => compileEntry(entry, resolve, problems))
    return tests.includes(null) ? null : allOf(tests.filter(test => test !== null))
  }
  if (value.kind === 'list') {
    if (value.items.length === 0) {
      problems.add(value.at, 'the list is empty and would match no event', 'Add a map or a keyword')
      return null
    }
    const maps = value.items.filter(item => item.kind === 'map')
    const words = value.items.filter(item => item.kind === 'scalar')
    for (const item of value.items) {
      if (item.kind === 'list')
        problems.add(item.at, 'a list stands inside a list', 'Write one list of maps or keywords')
    }
    const tests = maps.map(item => compileSelection(item, resolve, problems))
    if (words.length > 0) {
      const key: Entry = { key: '', keyAt: value.at, value: { kind: 'list', items: words, at: value.at } }
      tests.push(compileEntry(key, resolve, problems))
    }
    return tests.includes(null) || maps.length + words.length < value.items.length
      ? null
      : anyOf(tests.filter(test => test !== null))
  }
  const list: ListValue = { kind: 'list', items: [value], at: value.at }
  return compileSelection(list, resolve, problems)
}

function compileEntry<T>(entry: Entry, resolve: FieldResolver<T>, problems: Problems): Test<T> | null {
  const modifiers = parseModifiers(entry.key, entry.keyAt, problems)
  if (modifiers === null) return null
  const access = resolve(modifiers.field)
  if ('problem' in access) {
    problems.add(entry.keyAt, access.problem, access.hint)
    return null
  }
  const written = scalarsOf(entry.value, problems)
  if (written === null) return null
  if (modifiers.all && written.length < 2) {
    problems.add(entry.keyAt, "'all' joins several values and there is one", "Remove '|all', or list the values")
    return null
  }
  if (modifiers.kind === 'exists') return compileExists(access, written, modifiers, entry, problems)
  if (modifiers.kind === 'fieldref') return compileReference(access, written, modifiers, resolve, problems)
  const read = modifiers.timePart === null ? access.read : timeReader(access, modifiers.timePart)
  if (read === null) {
    problems.add(entry.keyAt, `'${access.name}' is not a time`, `Use '${modifiers.timePart ?? ''}' on eventTime`)
    return null
  }
  const tests = compileValues(written, modifiers, problems)
  if (tests === null) return null
  const weight = modifiers.kind === 're' ? 100 : modifiers.anchor === 'anywhere' ? 3 : 1
  const test: Test<T> = { cost: access.cost + weight, test: linked(read, tests, modifiers.all) }
  const literals = equalities(written, modifiers)
  if (modifiers.negated) return negate(test)
  return literals === null ? test : { ...test, equals: { field: access.name, values: literals } }
}

function linked<T>(read: (record: T) => FieldValue, tests: readonly ValueTest[], all: boolean): (record: T) => boolean {
  const [only] = tests
  if (tests.length === 1 && only !== undefined) return record => matchesAny(read(record), only)
  if (all) {
    return record => {
      const value = read(record)
      return tests.every(test => matchesAny(value, test))
    }
  }
  return record => {
    const value = read(record)
    for (const test of tests) if (matchesAny(value, test)) return true
    return false
  }
}

// Lists of plain names are the bulk of what rules hold: one lookup instead of one comparison each.
function compileValues(
  written: readonly ScalarValue[],
  modifiers: Modifiers,
  problems: Problems,
): readonly ValueTest[] | null {
  const literals = modifiers.all ? null : equalities(written, modifiers)
  if (literals !== null && literals.length > 1 && modifiers.field !== '') {
    const exact = new Set(written.map(({ source }) => literalOf(parsePattern(source))))
    const folded = new Set(literals)
    return [
      value => {
        if (value === null) return false
        const text = textOf(value)
        return exact.has(text) || folded.has(fold(text))
      },
    ]
  }
  const tests = written.map(value => compileValue(value, modifiers, problems))
  return tests.includes(null) ? null : tests.filter(test => test !== null)
}

/** The folded texts one of which the field must equal, when the test is nothing but that; else null. */
function equalities(written: readonly ScalarValue[], modifiers: Modifiers): string[] | null {
  const plain = modifiers.kind === 'pattern' && modifiers.anchor === 'whole' && modifiers.timePart === null
  if (!plain || modifiers.cased || modifiers.negated || modifiers.all || modifiers.encodings.length > 0) return null
  const texts: string[] = []
  for (const { value, source } of written) {
    const literal = value === null ? null : literalOf(parsePattern(source))
    if (literal === null) return null
    texts.push(fold(literal))
    if (typeof value === 'number') texts.push(String(value))
  }
  return texts
}

function scalarsOf(value: Value, problems: Problems): readonly ScalarValue[] | null {
  if (value.kind === 'scalar') return [value]
  if (value.kind === 'map') {
    problems.add(
      value.at,
      'a map stands where a value is expected',
      "Write the inner field with dots: 'requestParameters.name: value'",
    )
    return null
  }
  if (value.items.length === 0) {
    problems.add(value.at, 'the list of values is empty and matches nothing', 'Add a value')
    return null
  }
  const scalars: ScalarValue[] = []
  for (const item of value.items) {
    if (item.kind === 'scalar') scalars.push(item)
    else
      problems.add(
        item.at,
        `a ${item.kind} stands where a value is expected`,
        'Write a text, number, true, false or null',
      )
  }
  return scalars.length === value.items.length ? scalars : null
}

function compileExists<T>(
  access: FieldAccess<T>,
  written: readonly ScalarValue[],
  modifiers: Modifiers,
  entry: Entry,
  problems: Problems,
): Test<T> | null {
  const wanted = written[0]?.value
  if (written.length !== 1 || typeof wanted !== 'boolean') {
    problems.add(entry.value.at, "'exists' takes true or false", `Write '${modifiers.field}|exists: true'`)
    return null
  }
  const present = wanted !== modifiers.negated
  return { cost: access.cost, test: record => (access.read(record) !== undefined) === present }
}
