// The `fieldref` modifier: two fields of one record compared with each other. Pure.
import type { ScalarValue } from './document.ts'
import { matchesAny, textOf } from './field.ts'
import type { FieldAccess, FieldResolver } from './field.ts'
import type { Modifiers } from './modifiers.ts'
import type { Problems } from './problems.ts'
import { negate } from './test.ts'
import type { Test } from './test.ts'
import { fold } from './text.ts'

/**
 * Compiles references to the fields that `written` names; null after reporting those that are none. Both sides may have
 * several values; any pair that agrees is a match. An absent side never matches.
 */
export function compileReference<T>(
  access: FieldAccess<T>,
  written: readonly ScalarValue[],
  modifiers: Modifiers,
  resolve: FieldResolver<T>,
  problems: Problems,
): Test<T> | null {
  const others: FieldAccess<T>[] = []
  for (const { source, at } of written) {
    const other = resolve(source)
    if ('problem' in other || source === '') {
      problems.add(
        at,
        'problem' in other ? other.problem : "'fieldref' names no field",
        'hint' in other ? other.hint : 'Name a field',
      )
    } else others.push(other)
  }
  if (others.length < written.length) return null
  const normal = modifiers.cased ? (text: string): string => text : fold
  const agree = (a: string, b: string): boolean => {
    if (modifiers.anchor === 'anywhere') return a.includes(b)
    if (modifiers.anchor === 'start') return a.startsWith(b)
    return modifiers.anchor === 'end' ? a.endsWith(b) : a === b
  }
  const matches = (record: T, other: FieldAccess<T>): boolean => {
    const left = access.read(record)
    return matchesAny(
      other.read(record),
      b => b !== null && matchesAny(left, a => a !== null && agree(normal(textOf(a)), normal(textOf(b)))),
    )
  }
  const test: Test<T> = {
    cost: Math.max(access.cost, ...others.map(other => other.cost)) + 4,
    test: record =>
      modifiers.all ? others.every(other => matches(record, other)) : others.some(other => matches(record, other)),
  }
  return modifiers.negated ? negate(test) : test
}
