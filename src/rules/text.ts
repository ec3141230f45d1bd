// Case folding and Sigma's string patterns: `*`, `?` and their escapes. Pure; every match is O(text × pattern) at worst,
// never exponential. Source: Sigma rules specification 2.0.0, sections String Wildcard and Escaping.

/** A test of one text. */
export type TextTest = (text: string) => boolean

/** Where the pattern must stand in the text. */
export type Anchor = 'whole' | 'start' | 'end' | 'anywhere'

/** A literal run of characters, or a wildcard. */
export type Token = string | typeof star | typeof one
export const star = Symbol('*')
export const one = Symbol('?')

// eslint-disable-next-line no-control-regex -- the ASCII range, as V8 tests it fastest
const ascii = /^[\x00-\x7f]*$/

/**
 * Unicode simple lower-casing: one code point to one code point, without context, so that folding a part of a text gives
 * the same part of the folded text, at the same length (full lower-casing does not: final sigma, dotted capital I).
 */
export function fold(text: string): string {
  if (text === lastText) return lastFolded
  lastFolded = ascii.test(text) ? text.toLowerCase() : foldWide(text)
  lastText = text
  return lastFolded
}

// Rules that look at one event fold the same field one after the other; no result depends on this memory.
let lastText = ''
let lastFolded = ''

function foldWide(text: string): string {
  let folded = ''
  for (const char of text) {
    const lower = char.toLowerCase()
    folded += lower.length > char.length ? String.fromCodePoint(lower.codePointAt(0) ?? 0) : lower
  }
  return folded
}

/**
 * A pattern as written in a rule. A backslash escapes `*`, `?` and itself; before anything else it is a plain backslash
 * (`\\*` is a backslash and a wildcard, `\\\*` a backslash and a star).
 */
export function parsePattern(pattern: string): Token[] {
  const tokens: Token[] = []
  let literal = ''
  const wildcard = (token: typeof star | typeof one): void => {
    if (literal !== '') tokens.push(literal)
    literal = ''
    if (token === one || tokens.at(-1) !== star) tokens.push(token)
  }
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? ''
    const next = pattern[i + 1]
    if (char === '\\' && (next === '*' || next === '?' || next === '\\')) {
      literal += next
      i++
    } else if (char === '*') wildcard(star)
    else if (char === '?') wildcard(one)
    else literal += char
  }
  if (literal !== '') tokens.push(literal)
  return tokens
}

/** The literal text of a pattern without wildcards, else null. */
export function literalOf(tokens: readonly Token[]): string | null {
  if (tokens.length === 0) return ''
  const [only] = tokens
  return tokens.length === 1 && typeof only === 'string' ? only : null
}

/** Compiles a pattern. Case-insensitive unless `cased`. */
export function compilePattern(pattern: readonly Token[], anchor: Anchor, cased: boolean): TextTest {
  const tokens = pattern.map(token => (typeof token === 'string' && !cased ? fold(token) : token))
  if ((anchor === 'end' || anchor === 'anywhere') && tokens[0] !== star) tokens.unshift(star)
  if ((anchor === 'start' || anchor === 'anywhere') && tokens.at(-1) !== star) tokens.push(star)
  const test = compileTokens(tokens)
  if (cased) return test
  const exact = literalOf(tokens)
  if (exact === null) return text => test(fold(text))
  const written = literalOf(pattern) ?? ''
  return text => text === written || text === exact || (text.length === exact.length && fold(text) === exact)
}

function compileTokens(tokens: readonly Token[]): TextTest {
  const exact = literalOf(tokens)
  if (exact !== null) return text => text === exact
  const [first, second, third] = tokens
  if (tokens.length === 1 && first === star) return () => true
  if (tokens.length === 2 && first === star && typeof second === 'string') return text => text.endsWith(second)
  if (tokens.length === 2 && typeof first === 'string' && second === star) return text => text.startsWith(first)
  if (tokens.length === 3 && first === star && third === star && typeof second === 'string') {
    return text => text.includes(second)
  }
  return text => matchTokens(tokens, text)
}

// Greedy with a single point of return: after a later star has matched, an earlier one never needs to move again.
function matchTokens(tokens: readonly Token[], text: string): boolean {
  let position = 0
  let index = 0
  let starIndex = -1
  let starPosition = 0
  for (;;) {
    const token = tokens[index]
    if (token === undefined && position === text.length) return true
    if (token === star) {
      if (index === tokens.length - 1) return true
      starIndex = index++
      starPosition = position
    } else if (token === one && position < text.length) {
      position += wideAt(text, position)
      index++
    } else if (typeof token === 'string' && text.startsWith(token, position)) {
      position += token.length
      index++
    } else {
      if (starIndex < 0 || starPosition >= text.length) return false
      index = starIndex + 1
      const next = tokens[index]
      // Jump to the next place where the literal after the star can begin.
      const jump = typeof next === 'string' ? text.indexOf(next, starPosition + 1) : starPosition + 1
      if (jump < 0) return false
      starPosition = jump
      position = jump
    }
  }
}

// `?` is one character, and a character outside the basic plane takes two units.
function wideAt(text: string, position: number): number {
  return (text.codePointAt(position) ?? 0) > 0xffff ? 2 : 1
}
