// What a field is to the Sigma compiler, whatever record it is read from (a CloudTrail event, an alert).
// Pure types and the one conversion that every comparison needs.

/** A single value as JSON knows it. */
export type Scalar = string | number | boolean

/** What reading a field gives: undefined = absent, null = present without a value, an array = several values. */
export type FieldValue = Scalar | null | undefined | readonly (Scalar | null)[]

/** How much reading costs, for ordering tests: a member, a computed value, JSON text that must be parsed, everything. */
export const readCost = { member: 0, computed: 10, parsed: 1000, everything: 2000 } as const

/** A field of record type T, resolved by name. */
export interface FieldAccess<T> {
  readonly name: string
  readonly cost: number
  readonly read: (record: T) => FieldValue
  /** Epoch milliseconds, for the time modifiers; only on fields that are times. */
  readonly time?: (record: T) => number | null
}

/** Why a name is not a field, and what to write instead. */
export interface NoField {
  readonly problem: string
  readonly hint: string
}

/** Finds a field by the name a rule uses. The empty name stands for a keyword search over all texts of the record. */
export type FieldResolver<T> = (name: string) => FieldAccess<T> | NoField

/** Numbers and booleans compare with the text a rule author sees in the record. */
export function textOf(value: Scalar): string {
  return typeof value === 'string' ? value : String(value)
}

/** The value as one text, null where absent or empty; several values are joined in their order, each once. */
export function joined(value: FieldValue): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'object') return textOf(value)
  const texts = [...new Set(value.filter(item => item !== null && item !== '').map(item => textOf(item as Scalar)))]
  return texts.length === 0 ? null : texts.join(', ')
}

/** True when a test holds for the value or, of several, for any; an absent or empty field is tested as null. */
export function matchesAny(value: FieldValue, test: (value: Scalar | null) => boolean): boolean {
  if (value === undefined || value === null) return test(null)
  if (typeof value !== 'object') return test(value)
  for (const item of value) if (test(item)) return true
  return false
}
