// One text that may hold several JSON values: JSON lines, or values written one after the other.
// Pure; used by envelope.ts when a text is not a single JSON value. Linear in the text whatever it contains.

// How many candidate lines may fail before a text is taken for something else. Each failed JSON.parse builds an error,
// which is thousands of times dearer than skipping a line; a hostile text of short lines must not buy millions of them.
const candidateLines = 64

// A line to be tried is between the shortest record and the largest event AWS writes (1 MB in Lake), with room for a
// CloudTrail file per line; the `{}` that stands alone on a line of a pretty-printed document is no sign of JSON lines.
const shortestCandidate = 8
const longestCandidate = 8 * 2 ** 20

/** JSON.parse as a value: undefined (which is no JSON value) where the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/**
 * True where at least one of the first lines is a complete JSON object of its own. A pretty-printed document cut in the
 * middle is therefore one refusal, while a bad line among JSON lines costs that line only.
 */
export function looksLikeJsonLines(text: string): boolean {
  let candidates = 0
  for (const line of linesOf(text)) {
    if (line.length < shortestCandidate || line.length > longestCandidate) continue
    if (line.charCodeAt(0) !== 0x7b || line.charCodeAt(line.length - 1) !== 0x7d) continue
    if (parseJson(line) !== undefined) return true
    if (++candidates === candidateLines) return false
  }
  return false
}

/** The lines of a text without surrounding white space; blank lines are left out. LF and CRLF alike. */
export function* linesOf(text: string): Generator<string> {
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(start, end).trim()
    if (line !== '') yield line
    start = end + 1
  }
}

/**
 * Cuts `{..}{..}` (Firehose and Kinesis write no separator) into its objects, white space between them allowed. What
 * follows the last complete object comes last, as it stands. Yields nothing if the text does not start with an object.
 */
export function* concatenatedObjects(text: string): Generator<string> {
  let start = skipWhite(text, 0)
  while (start < text.length) {
    const end = text.charCodeAt(start) === 0x7b ? endOfObject(text, start) : -1
    if (end === -1) {
      if (start > skipWhite(text, 0)) yield text.slice(start)
      return
    }
    yield text.slice(start, end)
    start = skipWhite(text, end)
  }
}

/** True where the first object is complete and spans lines, as `jq .` prints a sequence of records. */
export function startsPrettyPrinted(text: string): boolean {
  const newline = text.indexOf('\n')
  if (newline === -1 || text.charCodeAt(0) !== 0x7b) return false
  const end = endOfObject(text, 0)
  return end > newline && parseJson(text.slice(0, end)) !== undefined
}

/** Index after the brace that closes the one at `start`, -1 if none does. Knows strings and escapes, nothing else of JSON. */
function endOfObject(text: string, start: number): number {
  let depth = 0
  let inString = false
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b) depth++
    else if (c === 0x7d && --depth === 0) return i + 1
  }
  return -1
}

function skipWhite(text: string, from: number): number {
  let i = from
  while (i < text.length && text.charCodeAt(i) <= 0x20) i++
  return i
}

/**
 * True where a text could hold more than `most` JSON values: counts the characters that can start one. Strings are not
 * told apart, so the count is never too low. Cheap for short texts, which cannot hold that many.
 */
export function holdsMoreValuesThan(text: string, most: number): boolean {
  if (text.length <= most) return false
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if ((c === 0x2c || c === 0x5b || c === 0x7b) && ++count > most) return true
  }
  return false
}
