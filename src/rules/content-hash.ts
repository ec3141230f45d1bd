// The version of a rule: a hash over what it says, not over how it is laid out. Pure.
import { createHash } from 'node:crypto'
import type { Value } from './document.ts'

/** First 16 hex digits of SHA-256 over the texts, each delimited. */
export function contentHash(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text)
  return hash.digest('hex').slice(0, 16)
}

/** A document as canonical text: keys sorted, comments and layout gone. Rule tests are left out: they change no behaviour. */
export function canonical(value: Value, path = ''): string {
  if (value.kind === 'scalar') return JSON.stringify(value.value === null ? null : [typeof value.value, value.source])
  if (value.kind === 'list') return `[${value.items.map(item => canonical(item, path)).join(',')}]`
  const members = value.entries
    .filter(({ key }) => !(path === '.trailwarden' && key === 'tests'))
    .map(({ key, value: member }) => `${JSON.stringify(key)}:${canonical(member, `${path}.${key}`)}`)
  return `{${members.sort().join(',')}}`
}
