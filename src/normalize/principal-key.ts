// The spelling of principal keys, version 1: segments joined by `/`, printable ASCII without spaces, at most 512 characters.
// Pure. The spelling is injective: two identities share a key only if principal.ts means them to, whatever characters
// a caller puts into a user name, a session name or a source identity.
import { capped } from './capped-text.ts'

/** Long enough for every id AWS issues; detector state holds one key per principal, so its size must have an end. */
const longestKey = 512

// What stands for itself. Not `/` (separates), `%` (escapes), `~` (marks), `#` (cut keys), space, controls, non-ASCII:
// look-alikes and direction marks would let one key pass for another before a person's eyes.
const plain = /^[A-Za-z0-9!$&'()*+,\-.:;<=>?@[\]^_{|}]+$/
const special = /[^A-Za-z0-9!$&'()*+,\-.:;<=>?@[\]^_{|}]/gu

/** One segment: characters that do not stand for themselves are percent-encoded as UTF-8; an absent value is `~`. */
export function segment(value: string | null): string {
  if (value === null || value === '') return '~'
  return plain.test(value) ? value : value.toWellFormed().replace(special, percentEncoded)
}

/**
 * The segment of an account. AWS accounts are digits; anything else is marked with `~`, because the first segment must
 * never read `sso`, `service` or `source-identity`. No account at all is `unknown`.
 */
export function accountSegment(account: string | null): string {
  if (account === null || account === '') return 'unknown'
  return /^\d+$/.test(account) ? account : `~${segment(account)}`
}

/**
 * The segment of a name that stands in for a missing unique id (AIDA… for users). Names are chosen by people, ids by AWS;
 * a name that looks like an id is marked with `~`, so that nobody can be named another's id.
 */
export function nameSegment(name: string): string {
  return /^AIDA[A-Z0-9]+$/.test(name) ? `~${name}` : segment(name)
}

/** Segments joined to a key of at most 512 characters; a longer one ends in a hash of the whole. */
export function keyOf(...segments: readonly string[]): string {
  return capped(segments.join('/'), longestKey)
}

function percentEncoded(character: string): string {
  let encoded = ''
  for (const byte of Buffer.from(character, 'utf8')) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return encoded
}

const longestName = 256

/** A display name: control, format and separator characters, which could rewrite a terminal line, become U+FFFD. */
export function displayName(name: string): string {
  const shown = /^[\x20-\x7e]*$/.test(name)
    ? name
    : name.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
  return capped(shown, longestName)
}
