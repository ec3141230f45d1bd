// What has been said about an episode: the alert's identity, what it last told, and whether there is news worth telling.
// The opening known at the first alert names the episode for good; everything else may still change (design: episodes).
import { levels } from '../alerts/alert.ts'
import type { Alert, Anomaly, InputPosition, Level } from '../alerts/alert.ts'
import { severityIdOf } from '../alerts/alert.ts'
import type { Principal } from '../normalize/event.ts'
import type { Rule } from '../rules/rule.ts'
import type { Episode } from './episodes.ts'
import { caps, Facts } from './facts.ts'
import type { FactsSnapshot } from './facts.ts'

/** Plain form of {@link Announcement}. */
export interface AnnouncementSnapshot {
  readonly opening: number
  readonly earliest: number
  readonly sequence: number
  readonly mergedInto: string | null
  readonly raised: boolean
  readonly anomaly: Anomaly | null
  readonly anomalyTime: number | null
  readonly toldCount: number
  readonly toldDistinct: number
  readonly facts: FactsSnapshot
}

/** An alert without its prose, which is written last, from everything else. */
export type AlertDraft = Omit<Alert, 'explanation' | 'runbook'>

/** Where and when an alert is raised. */
export interface Trigger {
  readonly principal: Principal
  readonly detectedAt: number
  readonly input: InputPosition | null
}

/** One announced episode. */
export class Announcement {
  /** Opening time in the dedup key: a qualifying time, so it lies in exactly one episode whatever arrives later. */
  readonly opening: number
  readonly facts: Facts
  mergedInto: string | null = null
  raised = false
  private earliest: number
  private sequence = 0
  private anomaly: Anomaly | null = null
  private anomalyTime = -Infinity
  private toldCount = 0
  private toldDistinct = 0
  /** News that is told at once whatever the counts: severity, an earlier part, a join. */
  private news = false

  constructor(opening: number, from?: AnnouncementSnapshot, facts?: Facts) {
    this.opening = opening
    this.earliest = opening
    this.facts = facts ?? new Facts(from?.facts)
    if (from === undefined) return
    this.earliest = from.earliest
    this.sequence = from.sequence
    this.mergedInto = from.mergedInto
    this.raised = from.raised
    this.anomaly = from.anomaly
    this.anomalyTime = from.anomalyTime ?? -Infinity
    this.toldCount = from.toldCount
    this.toldDistinct = from.toldDistinct
  }

  /** Severity goes up by one level, once. */
  raise(): void {
    if (this.raised) return
    this.raised = true
    this.news = true
  }

  /** The anomaly that goes with the newest qualifying time. */
  noteAnomaly(time: number, anomaly: Anomaly | null): void {
    if (anomaly === null || time < this.anomalyTime) return
    this.anomaly = anomaly
    this.anomalyTime = time
  }

  noteEpisode(episode: Episode): void {
    if (episode.opening >= this.earliest) return
    this.earliest = episode.opening
    this.news = true
  }

  /** Another announced episode turned out to be part of this one. */
  absorb(other: Announcement): void {
    this.facts.merge(other.facts)
    if (other.raised) this.raised = true
    this.noteAnomaly(other.anomalyTime, other.anomaly)
    this.news = true
  }

  /** This episode turned out to be part of another one, or (null) no longer. */
  join(key: string | null): void {
    this.mergedInto = key
    this.news = true
  }

  /**
   * True when the change since the last alert is material: severity, an earlier part or a join; a new distinct value, or
   * twice as many of them once the list is full; twice as many events.
   */
  material(): boolean {
    if (this.sequence === 0 || this.news) return true
    if (this.facts.count >= 2 * this.toldCount) return true
    const distinct = this.facts.distinctTotal()
    return distinct <= caps.distinctValues ? distinct > this.toldDistinct : distinct >= 2 * this.toldDistinct
  }

  /** The alert that tells the present state, and remembers that it was told. */
  tell(rule: Rule, key: string, group: Alert['group'], episode: Episode, window: number, trigger: Trigger): AlertDraft {
    const severity = this.raised ? raisedLevel(rule.level) : rule.level
    const facts = this.facts.toAlert()
    const draft: AlertDraft = {
      dedupKey: key,
      activity: this.sequence === 0 ? 'CREATE' : 'UPDATE',
      sequence: this.sequence,
      mergedInto: this.mergedInto,
      ruleId: rule.id,
      ruleTitle: rule.title,
      ruleVersion: rule.version,
      severity,
      severityId: severityIdOf(severity),
      attack: rule.attack,
      principal: trigger.principal,
      group,
      firstSeen: Math.min(this.facts.first, episode.opening),
      lastSeen: Math.max(this.facts.last, episode.end),
      detectedAt: trigger.detectedAt,
      window: { start: episode.end - window, end: episode.end },
      ...facts,
      anomaly: this.anomaly,
      input: trigger.input,
      suppressed: null,
    }
    this.sequence++
    this.toldCount = facts.count
    this.toldDistinct = facts.totals.distinctValues
    this.news = false
    return draft
  }

  clone(): Announcement {
    const copy = new Announcement(this.opening, undefined, this.facts.clone())
    copy.earliest = this.earliest
    copy.sequence = this.sequence
    copy.mergedInto = this.mergedInto
    copy.raised = this.raised
    copy.anomaly = this.anomaly
    copy.anomalyTime = this.anomalyTime
    copy.toldCount = this.toldCount
    copy.toldDistinct = this.toldDistinct
    return copy
  }

  snapshot(): AnnouncementSnapshot {
    return {
      opening: this.opening,
      earliest: this.earliest,
      sequence: this.sequence,
      mergedInto: this.mergedInto,
      raised: this.raised,
      anomaly: this.anomaly,
      anomalyTime: this.anomaly === null ? null : this.anomalyTime,
      toldCount: this.toldCount,
      toldDistinct: this.toldDistinct,
      facts: this.facts.snapshot(),
    }
  }
}

function raisedLevel(level: Level): Level {
  return levels[Math.min(levels.indexOf(level) + 1, levels.length - 1)] ?? level
}
