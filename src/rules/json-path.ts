// Paths into the JSON texts of an event (requestParameters.filters.key): parsed at most once, walked without recursion limits
// being reachable. Pure but for one remembered parse, which no result depends on.
import type { FieldValue, Scalar } from './field.ts'

/** Parses a JSON text, remembering the last one: the rules that look into one event ask for the same text in turn. */
export type JsonReader = (text: string) => unknown

// CloudTrail stays far below; deeper values are passed over, so that the stack cannot be reached.
const maxDepth = 64

/** A reader with its own memory of one text. Text that is not JSON reads as undefined. */
export function jsonReader(): JsonReader {
  let lastText: string | null = null
  let lastValue: unknown
  return text => {
    if (text === lastText) return lastValue
    try {
      lastValue = JSON.parse(text) as unknown
    } catch {
      lastValue = undefined
    }
    lastText = text
    return lastValue
  }
}

/**
 * The values at a path. Lists are passed through element by element, so any element can match; a key that itself contains
 * dots is found too. A map at the end of the path reads as its JSON text.
 */
export function valuesAt(root: unknown, path: readonly string[]): FieldValue {
  const found: (Scalar | null)[] = []
  walk(root, path, 0, 0, found)
  return found.length === 0 ? undefined : found.length === 1 ? found[0] : found
}

function walk(value: unknown, path: readonly string[], index: number, depth: number, found: (Scalar | null)[]): void {
  if (depth > maxDepth) return
  if (Array.isArray(value)) {
    if (value.length === 0 && index === path.length) found.push(null)
    for (const item of value as unknown[]) walk(item, path, index, depth + 1, found)
    return
  }
  if (index === path.length) {
    const leaf = leafOf(value)
    if (leaf !== undefined) found.push(leaf)
    return
  }
  if (typeof value !== 'object' || value === null) return
  let key = ''
  for (let end = index; end < path.length; end++) {
    key = end === index ? (path[end] ?? '') : `${key}.${path[end] ?? ''}`
    if (Object.hasOwn(value, key)) walk((value as Record<string, unknown>)[key], path, end + 1, depth + 1, found)
  }
}

/**
 * A JSON text as a rule may search it: as it stands and, where it holds escapes, with them undone once. A policy document
 * inside requestParameters is a string of JSON, so that `"s3:GetObject"` stands there as `\"s3:GetObject\"`.
 */
export function searchable(text: string): FieldValue {
  return text.includes('\\') ? [text, text.replace(/\\(["\\/])/g, '$1')] : text
}

function leafOf(value: unknown): Scalar | null | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  try {
    return JSON.stringify(value)
  } catch {
    return undefined // nested deeper than the stack
  }
}
