// YAML text into plain trees that remember where every key and value stands. First step of the Sigma loader.
// Pure. Refuses what could cost more than it says (alias bombs, deep nesting, huge files) instead of expanding it.
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml'
import type { Document, Node } from 'yaml'
import type { Place, Problems } from './problems.ts'

export interface ScalarValue {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** The text as written; keeps the leading zero of an account id that YAML reads as a number. */
  readonly source: string
  /** Characters between `at` and the first of `source`; null where columns cannot be told (block and folded texts). */
  readonly inset: number | null
  readonly at: Place
}
export interface ListValue {
  readonly kind: 'list'
  readonly items: readonly Value[]
  readonly at: Place
}
export interface Entry {
  readonly key: string
  readonly keyAt: Place
  readonly value: Value
}
export interface MapValue {
  readonly kind: 'map'
  readonly entries: readonly Entry[]
  readonly at: Place
}
export type Value = ScalarValue | ListValue | MapValue

// The largest rule of SigmaHQ has some 1,500 nodes; these leave room and keep the worst case at milliseconds.
const maxTextLength = 1_048_576
const maxNodes = 50_000
const maxDepth = 40

class TooMuch extends Error {}

/** The documents of one file, in order; empty documents are left out. Findings go to `problems`. */
export function parseDocuments(path: string, text: string, problems: Problems): MapValue[] {
  const start: Place = { path, line: 1, column: 1 }
  if (text.length > maxTextLength) {
    problems.add(start, `the file has ${text.length} characters`, `Split it; at most ${maxTextLength} are read`)
    return []
  }
  if (nesting(text) > maxDepth * 4) {
    problems.add(start, 'brackets are nested too deeply', `Nest at most ${maxDepth} levels`)
    return []
  }
  const lines = new LineCounter()
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { path, line: Math.max(1, line), column: Math.max(1, col) }
  }
  let documents: Document.Parsed[]
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      version: '1.2',
      logLevel: 'silent',
    })
    documents = Array.isArray(parsed) ? parsed : []
  } catch (error) {
    problems.add(start, `not readable as YAML: ${(error as Error).message}`, 'Correct the YAML')
    return []
  }
  const result: MapValue[] = []
  for (const document of documents) {
    for (const error of [...document.errors, ...document.warnings]) {
      problems.add(place(error.pos[0]), `not valid YAML: ${firstLine(error.message)}`, 'Correct the YAML')
    }
    if (document.errors.length + document.warnings.length > 0) continue
    try {
      const root = toValue(document, place, problems)
      if (root === null || (root.kind === 'scalar' && root.value === null)) continue
      if (root.kind === 'map') result.push(root)
      else problems.add(root.at, 'a rule is a map of keys and values', "Begin with 'title: …'")
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error
      problems.add(place(document.range[0]), error.message, 'Write the values out, without nested aliases')
    }
  }
  return result
}

function toValue(document: Document.Parsed, place: (offset: number) => Place, problems: Problems): Value | null {
  let nodes = 0
  let expanding = 0
  // Anchors are noted in the order of the text, as YAML wants it; the library would search the document for each alias.
  const anchors = new Map<string, Node>()
  const visit = (node: Node | null, depth: number): Value => {
    if (++nodes > maxNodes) throw new TooMuch(`the document has more than ${maxNodes} values once aliases are expanded`)
    if (depth > maxDepth) throw new TooMuch(`the document is nested more than ${maxDepth} levels deep`)
    const at = place(node?.range?.[0] ?? 0)
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target === undefined) {
        problems.add(at, `unknown alias *${node.source}`, 'Define the anchor before the alias')
        return nothing(at)
      }
      expanding++
      const value = visit(target, depth + 1)
      expanding--
      return value
    }
    if (expanding === 0 && node?.anchor !== undefined) anchors.set(node.anchor, node)
    if (isMap<Node, Node | null>(node)) {
      const entries = node.items.map(pair => {
        const key = visit(pair.key, depth + 1)
        if (key.kind !== 'scalar') problems.add(key.at, 'a key is a list or a map', 'Write a plain word as the key')
        const name = key.kind === 'scalar' ? key.source : ''
        return { key: name, keyAt: key.at, value: pair.value === null ? nothing(key.at) : visit(pair.value, depth + 1) }
      })
      return { kind: 'map', entries, at }
    }
    if (isSeq<Node | null>(node)) return { kind: 'list', items: node.items.map(item => visit(item, depth + 1)), at }
    if (isScalar(node)) {
      const value = scalarOf(node.value)
      const plain = node.type === 'PLAIN' && typeof node.source === 'string'
      const source = plain ? (node.source ?? '') : String(value ?? '')
      const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
      return { kind: 'scalar', value, source, inset: plain ? 0 : quoted ? 1 : null, at }
    }
    return nothing(at)
  }
  return document.contents === null ? null : visit(document.contents, 0)
}

function nothing(at: Place): ScalarValue {
  return { kind: 'scalar', value: null, source: '', inset: 0, at }
}

function scalarOf(value: unknown): string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return null // the core schema knows no other scalars
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

// The YAML parser recurses per level; a line of ten thousand brackets must not reach its stack.
function nesting(text: string): number {
  let depth = 0
  let deepest = 0
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === 0x5b || char === 0x7b) deepest = Math.max(deepest, ++depth)
    else if ((char === 0x5d || char === 0x7d) && depth > 0) depth--
  }
  return deepest
}
