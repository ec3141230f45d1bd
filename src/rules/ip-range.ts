// CIDR ranges for the `cidr` modifier, IPv4 and IPv6. Pure. Texts that are no address (CloudTrail writes
// `ec2.amazonaws.com` or `AWS Internal` as a source) are in no range.
import type { TextTest } from './text.ts'

/** Eight 16-bit groups; IPv4 stands in its mapped form ::ffff:a.b.c.d, so that both spellings of one address are equal. */
type Address = readonly number[]

/** A test for membership of a range such as `10.0.0.0/8` or `2001:db8::/32`; null when the range is not well formed. */
export function parseRange(range: string): TextTest | null {
  const slash = range.indexOf('/')
  const head = slash < 0 ? range : range.slice(0, slash)
  const address = parseAddress(head)
  if (address === null) return null
  const mapped = !head.includes(':')
  const width = mapped ? 32 : 128
  const digits = slash < 0 ? String(width) : range.slice(slash + 1)
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > width) return null
  const bits = Number(digits) + (mapped ? 96 : 0)
  return text => {
    const candidate = parseAddress(text)
    return candidate !== null && samePrefix(address, candidate, bits)
  }
}

function samePrefix(a: Address, b: Address, bits: number): boolean {
  for (let group = 0, left = bits; left > 0; group++, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff
    if ((((a[group] ?? 0) ^ (b[group] ?? 0)) & mask) !== 0) return false
  }
  return true
}

function parseAddress(text: string): Address | null {
  // The longest form is 45 characters; the first character settles most names before any work.
  if (text.length < 2 || text.length > 45) return null
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

function parseV4(text: string): Address | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  const bytes: number[] = []
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return null
    bytes.push(Number(part))
  }
  const [a = 0, b = 0, c = 0, d = 0] = bytes
  return [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d]
}

function parseV6(text: string): Address | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = groupsOf(halves[0] ?? '', halves.length === 1)
  const tail = groupsOf(halves[1] ?? '', true)
  if (head === null || tail === null) return null
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

function groupsOf(text: string, last: boolean): number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const v4 = last && index === parts.length - 1 && part.includes('.') ? parseV4(part) : null
    if (v4 !== null) groups.push(v4[6] ?? 0, v4[7] ?? 0)
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(parseInt(part, 16))
    else return null
  }
  return groups
}
