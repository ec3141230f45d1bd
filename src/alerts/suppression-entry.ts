// One entry of a suppressions file: rules, selection, reason, owner and a mandatory expiry. Part of suppressions.ts.
// Pure. Everything wrong with the entry is reported where it stands, with what to write instead.
import { didYouMean } from '../rules/problems.ts'
import type { Section } from '../rules/section.ts'
import { compileSelection } from '../rules/selection.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { Alert } from './alert.ts'
import { alertFields, holdsThroughout } from './alert-fields.ts'
import type { ListField } from './alert-fields.ts'

/** One entry of a suppressions file. */
export interface Suppression {
  readonly id: string
  /** Rule ids, or all rules. */
  readonly rules: '*' | readonly string[]
  readonly reason: string
  readonly owner: string
  /** Epoch milliseconds, midnight UTC of the date: not in force for alerts seen from then on. */
  readonly expires: number
  /** `suppressions.yaml:12`, for messages. */
  readonly origin: string
  /** Whether the selection holds, whatever the rule and the date. */
  readonly matches: (alert: Alert) => boolean
}

/** The keys of an entry; all are mandatory. */
export const entryKeys = ['id', 'rules', 'match', 'reason', 'owner', 'expires'] as const

/** Reads an entry; null after reporting what is wrong with it. */
export function readEntry(entry: Section, ruleIds: readonly string[] | undefined): Suppression | null {
  entry.closed(entryKeys)
  const before = entry.problems.errors.length
  for (const key of entryKeys) if (entry.entry(key) === undefined) entry.missing(key, `Add '${key}: …'`)
  const id = entry.text('id')
  const reason = entry.text('reason')
  const owner = entry.text('owner')
  const rules = readRules(entry, ruleIds)
  const expires = readExpiry(entry)
  const used = new Set<ListField>()
  const match = entry.value('match')
  const selection = match === undefined ? null : compileSelection(match, alertFields(used), entry.problems)
  if (entry.problems.errors.length > before || id === null || reason === null || owner === null) return null
  if (expires === null || selection === null) return null
  const fields = [...used]
  return {
    id,
    rules,
    reason,
    owner,
    expires,
    origin: `${entry.map.at.path}:${entry.map.at.line}`,
    matches: alert => holdsThroughout(alert, fields, selection.test),
  }
}

function readRules(entry: Section, ruleIds: readonly string[] | undefined): '*' | readonly string[] {
  const written = entry.texts('rules')
  const at = entry.at('rules')
  if (written.length === 1 && written[0]?.source === '*') return '*'
  if (entry.value('rules') !== undefined && written.length === 0) {
    entry.problems.add(at, "'rules' names no rule", "Write '*' or a list of rule ids")
  }
  for (const { source, at: place } of written) {
    if (source === '*') entry.problems.add(place, "'*' stands among rule ids", "Write '*' alone or only ids")
    else if (ruleIds !== undefined && !ruleIds.includes(source)) {
      entry.problems.add(place, `there is no rule '${source}'`, didYouMean(source, ruleIds))
    }
  }
  return written.map(({ source }) => source)
}

function readExpiry(entry: Section): number | null {
  const text = entry.text('expires')
  if (text === null) return null
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00.000Z`) : NaN
  // Date.parse takes 2026-02-30 for the second of March.
  if (!Number.isNaN(ms) && rfc3339(ms).startsWith(text)) return ms
  entry.problems.add(entry.at('expires'), `'${text}' is not a date`, 'Write the year, month and day: 2027-11-30')
  return null
}
