// One value of a selection compiled into a test of one value of the record. Pure.
// Encodings, regular expressions, ranges and numbers meet here; text.ts has the wildcard patterns.
import { RE2JS } from 're2js'
import type { ScalarValue } from './document.ts'
import { textOf } from './field.ts'
import type { Scalar } from './field.ts'
import { parseRange } from './ip-range.ts'
import type { Encoding, Modifiers } from './modifiers.ts'
import type { Problems } from './problems.ts'
import { compilePattern, parsePattern } from './text.ts'
import type { TextTest, Token } from './text.ts'

/** A test of one value; null stands for an absent or empty field. */
export type ValueTest = (value: Scalar | null) => boolean

/** Longest text a regular expression looks at, in characters. CloudTrail cuts its JSON fields at 100 KB. */
const maxRegexText = 131_072
const maxRegexLength = 4096

/** Compiles one written value under its modifiers; null after reporting why it cannot be. */
export function compileValue(written: ScalarValue, modifiers: Modifiers, problems: Problems): ValueTest | null {
  const refuse = (message: string, hint: string): null => {
    problems.add(written.at, message, hint)
    return null
  }
  if (modifiers.kind === 'compare' || modifiers.timePart !== null) return compileNumber(written, modifiers, refuse)
  if (written.value === null) {
    const plain = modifiers.kind === 'pattern' && modifiers.anchor === 'whole' && modifiers.encodings.length === 0
    if (!plain || modifiers.field === '')
      return refuse('null is compared with the field itself only', "Write 'field: null'")
    return value => value === null
  }
  if (modifiers.kind === 're') return compileRegex(written.source, modifiers.flags, refuse)
  if (modifiers.kind === 'cidr') {
    const range = parseRange(written.source)
    return range === null
      ? refuse(`'${written.source}' is no CIDR range`, "Write it like '10.0.0.0/8' or '2001:db8::/32'")
      : onText(range)
  }
  if (modifiers.encodings.length > 0) return compileEncoded(written.source, modifiers, refuse)
  if (written.source === '' && modifiers.anchor !== 'whole')
    return refuse('an empty text is part of every text', 'Write what to look for')
  const anchor = modifiers.field === '' && modifiers.anchor === 'whole' ? 'anywhere' : modifiers.anchor
  const text = onText(compilePattern(parsePattern(written.source), anchor, modifiers.cased))
  if (typeof written.value !== 'number' || anchor !== 'whole') return text
  const number = written.value
  return value => value === number || text(value)
}

/** Lifts a test of texts to values: absent values never match. */
function onText(test: TextTest): ValueTest {
  return value => value !== null && test(textOf(value))
}

type Refuse = (message: string, hint: string) => null

function compileNumber(written: ScalarValue, modifiers: Modifiers, refuse: Refuse): ValueTest | null {
  const bound =
    typeof written.value === 'number' ? written.value : written.source.trim() === '' ? NaN : Number(written.source)
  if (!Number.isFinite(bound)) return refuse(`'${written.source}' is not a number`, 'Write a number')
  const compare = comparisonOf(modifiers, bound)
  return value => {
    if (value === null || typeof value === 'boolean') return false
    const number = typeof value === 'number' ? value : value.trim() === '' ? NaN : Number(value)
    return Number.isFinite(number) && compare(number)
  }
}

function comparisonOf(modifiers: Modifiers, bound: number): (number: number) => boolean {
  if (modifiers.kind !== 'compare') return number => number === bound
  switch (modifiers.comparison) {
    case 'gt':
      return number => number > bound
    case 'gte':
      return number => number >= bound
    case 'lt':
      return number => number < bound
    case 'lte':
      return number => number <= bound
  }
}

// RE2 runs in time linear in the text whatever the pattern, so no rule and no event can hold a partition up.
function compileRegex(source: string, flags: string, refuse: Refuse): ValueTest | null {
  if (source.length > maxRegexLength)
    return refuse(`the regular expression has ${source.length} characters`, `Use at most ${maxRegexLength}`)
  let bits = 0
  if (flags.includes('i')) bits |= RE2JS.CASE_INSENSITIVE
  if (flags.includes('m')) bits |= RE2JS.MULTILINE
  if (flags.includes('s')) bits |= RE2JS.DOTALL
  try {
    const regex = RE2JS.compile(source, bits)
    return onText(text => regex.test(text.length > maxRegexText ? text.slice(0, maxRegexText) : text))
  } catch (error) {
    const reason = (error as Error).message.replace(/^error parsing regexp: /, '')
    return refuse(
      `the regular expression cannot be used: ${reason}`,
      'Write it in RE2 syntax, which has no lookaround and no backreferences',
    )
  }
}

function compileEncoded(source: string, modifiers: Modifiers, refuse: Refuse): ValueTest | null {
  const tokens = parsePattern(source)
  const literal = tokens.length === 1 && typeof tokens[0] === 'string' ? tokens[0] : null
  if (literal === null)
    return refuse('base64 of a text with wildcards is undefined', 'Escape the wildcards, or encode one text at a time')
  let bytes = Buffer.from(literal, 'utf8')
  for (const encoding of modifiers.encodings) bytes = encode(literal, bytes, encoding)
  const offsets = modifiers.encodings.at(-1) === 'base64offset' ? [0, 1, 2] : [null]
  const tests = offsets.flatMap(offset => {
    const encoded = offset === null ? bytes.toString('base64') : fragment(bytes, offset)
    const pattern: Token[] = [encoded]
    return encoded === '' ? [] : [compilePattern(pattern, modifiers.anchor, modifiers.cased)]
  })
  if (tests.length < offsets.length)
    return refuse(`'${source}' is too short for a base64 fragment`, 'Use at least 3 bytes')
  return onText(text => tests.some(test => test(text)))
}

function encode(literal: string, bytes: Buffer<ArrayBuffer>, encoding: Encoding): Buffer<ArrayBuffer> {
  if (encoding === 'base64' || encoding === 'base64offset') return bytes
  const wide = Buffer.from(literal, 'utf16le')
  if (encoding === 'utf16be') return wide.swap16()
  return encoding === 'utf16' ? Buffer.concat([Buffer.from([0xff, 0xfe]), wide]) : wide
}

// The characters of the base64 text that depend on these bytes alone when `offset` unknown bytes stand before them.
function fragment(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
  const start = [0, 2, 3][offset] ?? 0
  const rest = (bytes.length + offset) % 3
  const end = encoded.length - ([0, 3, 2][rest] ?? 0)
  return encoded.slice(start, Math.max(start, end))
}
