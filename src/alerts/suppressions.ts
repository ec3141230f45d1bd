// Suppressions: known, owned, expiring exceptions. A suppressed alert is still counted and shown in replay.
// Pure, and live = replay: whether an entry is in force is decided by the alert's event time, never by a clock.
import type { MapValue, Value } from '../rules/document.ts'
import { parseDocuments } from '../rules/document.ts'
import { Problems } from '../rules/problems.ts'
import type { RuleError } from '../rules/problems.ts'
import { Section } from '../rules/section.ts'
import type { Alert } from './alert.ts'
import { entryKeys, readEntry } from './suppression-entry.ts'
import type { Suppression } from './suppression-entry.ts'

/** What a file holds, or everything that is wrong with it. */
export type LoadedSuppressions =
  | { readonly suppressions: readonly Suppression[]; readonly expired: readonly Suppression[] }
  | { readonly errors: readonly RuleError[] }

/**
 * Reads a suppressions file. Errors carry file, line and column, all of them at once.
 *
 * @param today epoch milliseconds; only decides which entries are reported as `expired` (`check` fails on them). They stay
 *   in `suppressions`, because an alert of last year that is replayed is judged as it was last year.
 * @param ruleIds rules that exist; an entry that names another one is an error. Not checked when absent.
 */
export function loadSuppressions(
  text: string,
  path: string,
  today: number,
  ruleIds?: readonly string[],
): LoadedSuppressions {
  const problems = new Problems()
  const suppressions: Suppression[] = []
  for (const document of parseDocuments(path, text, problems)) {
    const root = new Section(document, 'the file', problems)
    root.closed(['suppressions'])
    for (const entry of entriesOf(root)) {
      const suppression = readEntry(new Section(entry, 'the suppression', problems), ruleIds)
      if (suppression === null) continue
      if (suppressions.some(other => other.id === suppression.id)) {
        problems.add(entry.at, `two suppressions have the id '${suppression.id}'`, 'Give each its own id')
      }
      suppressions.push(suppression)
    }
  }
  if (problems.errors.length > 0) {
    return { errors: problems.errors.toSorted((a, b) => a.line - b.line || a.column - b.column) }
  }
  return { suppressions, expired: suppressions.filter(({ expires }) => expires <= today) }
}

function entriesOf(root: Section): MapValue[] {
  const list = root.value('suppressions')
  if (list === undefined) {
    root.missing('suppressions', "Write 'suppressions:' and a list of entries, or 'suppressions: []'")
    return []
  }
  if (list.kind === 'scalar' && list.value === null) return []
  if (list.kind !== 'list') {
    root.problems.add(list.at, "'suppressions' is not a list", "Begin each entry with '- id: …'")
    return []
  }
  return list.items.filter((item: Value): item is MapValue => {
    if (item.kind !== 'map') root.problems.add(item.at, 'an entry is a map', `Write ${entryKeys.join(', ')}`)
    return item.kind === 'map'
  })
}

/**
 * The engine's hook: marks an alert with the first entry, in file order, that is in force and matches it. In force means
 * `alert.lastSeen` lies before `expires`, so a replay gives what live gave. An alert that none matches comes back as it is.
 */
export function suppressor(suppressions: readonly Suppression[]): (alert: Alert) => Alert {
  return alert => {
    for (const { id, rules, reason, owner, expires, matches } of suppressions) {
      if (alert.lastSeen >= expires || (rules !== '*' && !rules.includes(alert.ruleId))) continue
      if (matches(alert)) return { ...alert, suppressed: { id, reason, owner } }
    }
    return alert
  }
}
