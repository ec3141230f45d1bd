// Alerts folded into episodes: one entry per dedup key with what its last announcement said. For comparisons and reports.
// Pure. Whole alerts are kept for the first episodes only, so that a rule that fires at everything costs no memory.
import type { Alert } from '../alerts/alert.ts'
import { keptAlerts } from '../report/backtest.ts'
import type { Episode } from '../report/backtest.ts'

/** Takes alerts in the order in which they were raised, at least those of each principal. */
export class EpisodeList {
  readonly #episodes = new Map<string, Episode>()

  take(alert: Alert): void {
    const known = this.#episodes.get(alert.dedupKey)
    const kept = known === undefined ? this.#episodes.size < keptAlerts : known.alert !== null
    this.#episodes.set(alert.dedupKey, {
      dedupKey: alert.dedupKey,
      ruleId: alert.ruleId,
      ruleTitle: alert.ruleTitle,
      principal: alert.principal,
      group: alert.group,
      severity: alert.severity,
      firstSeen: alert.firstSeen,
      lastSeen: alert.lastSeen,
      count: alert.count,
      distinct: alert.totals.distinctValues,
      updates: known === undefined ? 0 : known.updates + 1,
      suppressed: alert.suppressed,
      alert: kept ? alert : null,
    })
  }

  /** In the order in which their first alerts were taken. */
  get episodes(): readonly Episode[] {
    return [...this.#episodes.values()]
  }
}
