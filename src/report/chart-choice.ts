// Which episodes of a backtest get a card and a chart: the gravest first where there are more than a page can hold.
// Pure and deterministic; the series and the page ask the same question and get the same answer.
import { severityIdOf } from '../alerts/alert.ts'
import type { Backtest, Episode } from './backtest.ts'

/** Cards on the page; each can hold a chart of some 10 kB. */
export const mostCards = 200

/** Charts of either kind (counts against a threshold, denials against a prediction). */
const mostCharts = 60

/** Not suppressed before suppressed, grave before less grave, then by time: what a reader wants to keep of too many. */
function byWeight(a: Episode, b: Episode): number {
  return (
    Number(a.suppressed !== null) - Number(b.suppressed !== null) ||
    severityIdOf(b.severity) - severityIdOf(a.severity) ||
    a.firstSeen - b.firstSeen ||
    (a.dedupKey < b.dedupKey ? -1 : 1)
  )
}

/** The episodes that are shown with a card, by time. Only those that kept their alert can be. */
export function carded({ episodes }: Pick<Backtest, 'episodes'>): readonly Episode[] {
  return episodes
    .filter(episode => episode.alert !== null)
    .sort(byWeight)
    .slice(0, mostCards)
    .sort((a, b) => a.firstSeen - b.firstSeen || (a.dedupKey < b.dedupKey ? -1 : 1))
}

/** Dedup keys of the episodes that are shown with a chart: of the {@link carded}, at most {@link mostCharts} of each kind. */
export function charted(result: Pick<Backtest, 'episodes' | 'rules'>): ReadonlySet<string> {
  const kindOf = new Map(result.rules.map(rule => [rule.id, rule.body.kind]))
  const chosen = new Set<string>()
  let rates = 0
  let counts = 0
  for (const episode of [...carded(result)].sort(byWeight)) {
    const kind = kindOf.get(episode.ruleId)
    if (kind === 'rate_anomaly' ? rates++ < mostCharts : kind !== 'single' && counts++ < mostCharts)
      chosen.add(episode.dedupKey)
  }
  return chosen
}
