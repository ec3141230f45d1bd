// A compiled test of a record and the algebra over it: and, or, not, ordered so that cheap tests go first. Pure.
// A test also says which equality it implies, which is what lets the dispatcher skip rules about other calls.

/** What must hold for the test to be true: the field's folded text is one of `values`. */
export interface Equality {
  readonly field: string
  readonly values: readonly string[]
}

/** A test with its cost; `equals` and `needs` are implications used for dispatch. */
export interface Test<T> {
  readonly test: (record: T) => boolean
  readonly cost: number
  readonly equals?: Equality
  /** Equalities all of which hold whenever the test does. */
  readonly needs?: readonly Equality[]
}

/** The equalities a test implies. */
export function impliedBy<T>(test: Test<T>): readonly Equality[] {
  return test.needs ?? (test.equals === undefined ? [] : [test.equals])
}

/** True when every part is. The order of evaluation is by cost; it cannot be observed, because tests are pure. */
export function allOf<T>(parts: readonly Test<T>[]): Test<T> {
  const [first, second, third] = byCost(parts)
  const needs = intersections(parts.flatMap(impliedBy))
  const cost = Math.max(0, ...parts.map(part => part.cost))
  if (first === undefined) return { cost, test: () => true }
  if (second === undefined) return first
  const a = first.test
  const b = second.test
  if (third === undefined) return { cost, needs, test: record => a(record) && b(record) }
  const c = third.test
  if (parts.length === 3) return { cost, needs, test: record => a(record) && b(record) && c(record) }
  const rest = allOf(byCost(parts).slice(3)).test
  return { cost, needs, test: record => a(record) && b(record) && c(record) && rest(record) }
}

/** True when any part is. */
export function anyOf<T>(parts: readonly Test<T>[]): Test<T> {
  const [first, second] = byCost(parts)
  const cost = Math.max(0, ...parts.map(part => part.cost))
  if (first === undefined) return { cost, test: () => false }
  if (second === undefined) return first
  const a = first.test
  const b = second.test
  const needs = unions(parts.map(impliedBy))
  if (parts.length === 2) return { cost, needs, test: record => a(record) || b(record) }
  const rest = anyOf(byCost(parts).slice(2)).test
  return { cost, needs, test: record => a(record) || b(record) || rest(record) }
}

/** True when the part is not. It implies nothing. */
export function negate<T>(part: Test<T>): Test<T> {
  const test = part.test
  return { cost: part.cost, test: record => !test(record) }
}

function byCost<T>(parts: readonly Test<T>[]): readonly Test<T>[] {
  return [...parts].sort((a, b) => a.cost - b.cost)
}

// Of several equalities on one field all hold at once, so the field is one of the values they have in common.
function intersections(equalities: readonly Equality[]): readonly Equality[] {
  const byField = new Map<string, readonly string[]>()
  for (const { field, values } of equalities) {
    const before = byField.get(field)
    byField.set(field, before === undefined ? values : before.filter(value => values.includes(value)))
  }
  return [...byField].map(([field, values]) => ({ field, values }))
}

// Of alternatives, a field is bound only if every one of them binds it.
function unions(alternatives: readonly (readonly Equality[])[]): readonly Equality[] {
  const [head = [], ...tail] = alternatives
  return head.flatMap(({ field, values }) => {
    const others = tail.map(list => list.find(equality => equality.field === field))
    if (others.includes(undefined)) return []
    return [{ field, values: [...new Set([...values, ...others.flatMap(other => other?.values ?? [])])] }]
  })
}
