// What `replay` prints: alerts as they come, or the differences of a comparison, as text for people or as JSON lines.
// Principals and rules are attacker-chosen or foreign text: what reaches a terminal went through plainText or jsonLine.
import type { Alert } from '../alerts/alert.ts'
import { alertToJson } from '../alerts/json.ts'
import { counted, plainText, utc } from '../alerts/wording.ts'
import { jsonLine } from '../json-line.ts'
import type { Change, Comparison, Episode } from '../report/backtest.ts'
import { rfc3339 } from '../rfc3339.ts'
import { alertText, alertTextHeading } from './alert-text.ts'
import type { Output } from './command.ts'

/** Writes alerts one by one, the heading above the first. */
export class AlertPrinter {
  readonly #out: Output
  readonly #json: boolean
  #begun = false

  constructor(out: Output, json: boolean) {
    this.#out = out
    this.#json = json
  }

  /** Resolves when more may be written. */
  async print(alert: Alert): Promise<void> {
    if (!this.#begun && !this.#json) await this.#out.write(alertTextHeading(this.#out))
    this.#begun = true
    await this.#out.write(this.#json ? `${alertToJson(alert)}\n` : alertText(alert, this.#out))
  }
}

/** Prints the differences, by time. */
export async function printComparison(comparison: Comparison, out: Output, json: boolean): Promise<void> {
  for (const change of comparison.changes) await out.write(json ? `${changeToJson(change)}\n` : changeText(change))
}

/** `1 appears, 0 disappear, 2 change, 5 stay the same against old-rules/`. */
export function comparisonCounts({ changes, unchanged, against }: Comparison): string {
  const count = (kind: Change['change']) => changes.filter(({ change }) => change === kind).length
  const verb = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`
  return (
    `${verb(count('appeared'), 'appears', 'appear')}, ${verb(count('disappeared'), 'disappears', 'disappear')}, ` +
    `${verb(count('changed'), 'changes', 'change')}, ${verb(unchanged, 'stays', 'stay')} the same against ${against}`
  )
}

function changeToJson({ change, before, after }: Change): string {
  const { ruleId, principal, group } = (after[0] ?? before[0])!
  return jsonLine({ change, ruleId, principal, group, before: before.map(episodeView), after: after.map(episodeView) })
}

function episodeView(episode: Episode): object {
  const { dedupKey, severity, firstSeen, lastSeen, count, distinct, updates, suppressed } = episode
  return {
    dedupKey,
    severity,
    firstSeen: rfc3339(firstSeen),
    lastSeen: rfc3339(lastSeen),
    count,
    distinct,
    updates,
    suppressed,
  }
}

const signs = { appeared: '+', disappeared: '-', changed: '~' } as const

/** `+ 2026-01-15 09:20:00  informational  secretsmanager-multi-region  deploy  14 events, 7 values`, changes as old → new. */
function changeText({ change, before, after }: Change): string {
  const shown = (after[0] ?? before[0])!
  const cells = [
    `${signs[change]} ${change.padEnd('disappeared'.length)}`,
    utc(Math.min(...[...before, ...after].map(({ firstSeen }) => firstSeen))).slice(0, 19),
    transition(before, after, episodes => [...new Set(episodes.map(({ severity }) => severity))].join(' and ')),
    shown.ruleId,
    plainText(shown.principal.name || shown.principal.key, 200),
    transition(before, after, contents),
  ]
  return `${cells.join('  ')}\n`
}

function transition(
  before: readonly Episode[],
  after: readonly Episode[],
  text: (episodes: readonly Episode[]) => string,
): string {
  const [old, now] = [before, after].map(episodes => (episodes.length === 0 ? '' : text(episodes)))
  return old === now || now === '' ? (old ?? '') : old === '' ? (now ?? '') : `${old ?? ''} → ${now ?? ''}`
}

function contents(episodes: readonly Episode[]): string {
  return episodes
    .map(({ firstSeen, lastSeen, count, distinct, suppressed }) =>
      [
        counted(count, 'event'),
        ...(distinct > 0 ? [counted(distinct, 'value')] : []),
        `${utc(firstSeen).slice(11, 19)} to ${utc(lastSeen).slice(11, 19)}`,
        ...(suppressed === null ? [] : [`suppressed by ${plainText(suppressed.id, 100)}`]),
      ].join(', '),
    )
    .join(' and ')
}
