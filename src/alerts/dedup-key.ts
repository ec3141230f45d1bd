// The dedup key: one per episode, the same on redelivery, after a crash and on replay of the same topic.
// <rule id>:<principal hash>:<extra group hash>:<opening event time in epoch milliseconds>; printable ASCII, at most 255.
import { createHash } from 'node:crypto'

/** Longest rule id that is kept as it is: 100 + 3 colons + 2 × 16 + 16 digits stays far below 255. */
const maxRuleId = 100

function hex16(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16)
}

/** First 16 hex digits of SHA-256 of a principal key: names the principal in a key without showing it. */
export function principalHash(principalKey: string): string {
  return hex16(principalKey)
}

/** Hash of the values of further group-by fields; `-` without any. Values are length-prefixed, so they cannot run together. */
export function groupHash(values: readonly string[]): string {
  if (values.length === 0) return '-'
  return hex16(values.map(v => `${v.length}:${v}`).join(''))
}

/** A rule id as it stands in a key: as it is, or cut and hashed where it is long, not printable or holds a colon. */
function ruleIdInKey(ruleId: string): string {
  if (ruleId.length <= maxRuleId && /^[!-9;-~]+$/.test(ruleId)) return ruleId
  const printable = ruleId.replace(/[^!-9;-~]/g, '_').slice(0, maxRuleId - 17)
  return `${printable}-${hex16(ruleId)}`
}

/** The key of an episode. `opening` is the opening time known when it was announced, epoch milliseconds. */
export function dedupKey(ruleId: string, principal: string, group: string, opening: number): string {
  return `${ruleIdInKey(ruleId)}:${principal}:${group}:${opening}`
}
