// Texts of unbounded length to texts of bounded length that stay distinct: keys and secret ids are chosen by callers
// and live in detector state, whose size must not depend on them. Pure.
import { createHash } from 'node:crypto'

/**
 * The text itself up to `most` UTF-16 code units (at least 65); a longer one is cut and ends in `#` and the SHA-256 of
 * the whole in hex, so two long texts are equal only if they were. `#` must not occur in texts that are to stay apart
 * from cut ones.
 */
export function capped(value: string, most: number): string {
  if (value.length <= most) return value
  const hash = createHash('sha256').update(value, 'utf8').digest('hex')
  return `${value.slice(0, most - hash.length - 1).toWellFormed()}#${hash}`
}
