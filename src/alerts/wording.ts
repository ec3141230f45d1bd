// Wording: how values of an alert read in text for people (explanation, runbook, table).
// Pure. Values from CloudTrail are attacker-chosen (user agents, session names), so nothing that passes through
// here can move a cursor, start a line, reorder text or run on for pages. No locale, no time zone but UTC.
import { rfc3339 } from '../rfc3339.ts'

// Everything that a terminal or a text renderer obeys instead of showing: C0, DEL, C1 (U+009B is a CSI of its own), soft
// hyphen, Arabic letter mark, zero-width and bidirectional controls, line and paragraph separators, byte order mark, tags.
const obeyed =
  // eslint-disable-next-line no-control-regex -- control characters are what this expression is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** Characters that read as one word and cannot end a quotation: names, ids, ARNs, addresses, regions. */
const oneWord = /^[A-Za-z0-9_+=,.@:/#%~-]+$/

/** Longest value in text, in UTF-16 units: the length of an IAM session name (64) and of most user agents' heads. */
const longest = 80

/**
 * The value on one line without characters that are obeyed instead of shown: white space controls become a space, the
 * others U+FFFD, lone surrogates U+FFFD too.
 *
 * @param limit longest result in UTF-16 units; a longer value is cut and ends in `…`.
 */
export function plainText(value: string, limit = Infinity): string {
  // Cut before cleaning: what is cut off need not be looked at. Cleaning never lengthens.
  const cut = value.length > limit ? `${value.slice(0, limit - 1)}…` : value
  return cut
    .toWellFormed()
    .replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
    .replace(obeyed, '\ufffd')
}

/**
 * A value inside a sentence: bare when it is one word, else in double quotes (inner ones become single), so that text
 * chosen by an attacker cannot pass for ours. At most {@link longest} characters; an empty value reads `(empty)`.
 */
export function inSentence(value: string): string {
  if (value === '') return '(empty)'
  const text = plainText(value, longest)
  return oneWord.test(text) ? text : `"${text.replaceAll('"', "'")}"`
}

/** A whole number with thousands separators: 12345 reads `12,345`. */
export function wholeNumber(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A measurement to two significant digits without exponent: 0.0312 reads `0.031`, 4.56 `4.6`, 1234.5 `1,235`. */
export function measure(n: number): string {
  if (!Number.isFinite(n)) return 'unknown'
  if (n === 0) return '0'
  if (Math.abs(n) >= 100) return wholeNumber(n)
  if (Math.abs(n) < 1e-6) return n.toExponential(0)
  return String(Number(n.toPrecision(2)))
}

/** A probability: `2e-14`, `0.00031`; 0 is `less than 1e-300` because the tail underflowed, it is not impossible. */
export function probability(p: number): string {
  if (p === 0) return 'less than 1e-300'
  return p < 1e-4 ? p.toExponential(0) : measure(p)
}

/** `1 region`, `7 regions`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${wholeNumber(n)} ${n === 1 ? one : many}`
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** A duration in its two largest units: `3 min 40 s`, `1 d 2 h`, `10 min`, `0 s`. Negative durations read as 0. */
export function duration(ms: number): string {
  const first = units.findIndex(([, size]) => ms >= size)
  if (first === -1 || !Number.isFinite(ms)) return '0 s'
  const parts: string[] = []
  let rest = Math.floor(ms)
  for (const [unit, size] of units.slice(first, first + 2)) {
    // Seconds are what CloudTrail resolves: milliseconds are shown only where there is nothing else.
    if (unit === 'ms' && parts.length > 0) break
    const n = Math.floor(rest / size)
    if (n > 0) parts.push(`${n} ${unit}`)
    rest -= n * size
  }
  return parts.join(' ')
}

/** `2026-11-23 00:52:02 UTC`: seconds, which is what CloudTrail resolves. */
export function utc(ms: number): string {
  const text = rfc3339(ms)
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`
}

/**
 * `a`, `a and b`, `a, b and c`, `a, b, c and 12 more`. A single value over the limit is shown: "and 1 more" says less.
 *
 * @param total how many there were, where `values` is already capped; at least `values.length`.
 */
export function shortList(values: readonly string[], total: number = values.length, limit = 5): string {
  const all = Math.max(total, values.length)
  const shown = all === limit + 1 && values.length === all ? values : values.slice(0, limit)
  const more = all - shown.length
  const words = shown.map(inSentence)
  if (more > 0) words.push(`${wholeNumber(more)} more`)
  if (words.length <= 1) return words.join('')
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}
