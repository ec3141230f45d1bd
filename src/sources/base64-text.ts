// Texts that are base64 of gzip or of JSON, one value or one value a line, as subscriptions and shippers write them.
// Pure; used by envelope.ts when a text is not JSON. What only looks like base64 is refused by whoever decodes it.
import { linesOf } from './json-text.ts'

const openBrace = 0x7b
const openBracket = 0x5b

/** Letters and digits, white space anywhere, padding at the end only: what Buffer decodes to the last character. Linear. */
export function isBase64(text: string): boolean {
  if (/[^A-Za-z0-9+/=\s]/.test(text)) return false
  const padding = text.indexOf('=')
  if (padding === -1) return true
  const end = text.slice(padding).trimEnd()
  return end === '=' || end === '=='
}

/** True where the text decodes to something that begins as gzip (1f 8b 08 is always `H4sI`), or as a JSON object or array. */
export function startsLikeBase64(text: string): boolean {
  if (text.startsWith('H4sI')) return true
  const head = text.slice(0, 24)
  if (!/^[A-Za-z0-9+/]{8}/.test(head)) return false
  const decoded = Buffer.from(head, 'base64')
  const first = decoded.find(byte => byte > 0x20)
  return first === openBrace || first === openBracket
}

/**
 * True for one value a line: only then does a line other than the last end in padding. Lines without padding are one
 * stream when decoded together, as base64 wrapped at 76 columns is, so they need no cutting.
 */
export function looksLikeBase64Lines(text: string): boolean {
  if (!startsLikeBase64(text) || !text.includes('\n')) return false
  let padded = false
  for (const line of linesOf(text)) {
    if (padded) return true
    padded = line.endsWith('=')
  }
  return false
}
