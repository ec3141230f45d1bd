// A watch: everything one rule holds about one principal (and one set of further group-by values).
// Joins the parts: the detector says at which times the condition holds, episodes cut those times, sightings describe
// them, announcements say what was told. Alerts are drafts here; prose and suppressions are the caller's.
import { dedupKey, groupHash } from '../alerts/dedup-key.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { AlertDraft, AnnouncementSnapshot, Trigger } from './announcement.ts'
import { Announcement } from './announcement.ts'
import type { CompiledRule } from './compiled-rule.ts'
import { defaultWeight, weightOfNumber } from './detector.ts'
import type { Detector, Verdict } from './detector.ts'
import type { Episode, EpisodesSnapshot } from './episodes.ts'
import { Episodes } from './episodes.ts'
import { evidenceOf, Exhibit, summaryOf } from './evidence.ts'
import type { Summary } from './evidence.ts'
import type { Sighting } from './sightings.ts'
import { Sightings } from './sightings.ts'
import { boundedValue } from './text.ts'

/** Announced episodes a watch remembers; more can be open at once only where `dedup` is far shorter than lateness. */
const maxAnnouncements = 32

/** Plain form of {@link Watch}: what the state record keeps. Lists may be those of the watch itself: valid until it changes. */
export interface WatchSnapshot {
  readonly ruleId: string
  readonly ruleVersion: string
  /** Hash of the window parameters: state is kept over a new rule version only while they are the same. */
  readonly parameters: string
  readonly group: readonly string[]
  /** Event time of the newest event taken in. */
  readonly lastTime: number
  /** Episodes that open at or before this time are no longer announced. Null where there is no such time. */
  readonly silentThrough: number | null
  readonly detector: unknown
  readonly episodes: EpisodesSnapshot
  readonly sightings: readonly Sighting[]
  readonly announcements: readonly AnnouncementSnapshot[]
}

/** What a watch needs from its principal while it works. */
export interface WatchContext {
  /** Start of the lateness zone: the principal's newest event time minus lateness. */
  readonly zone: number
  readonly trigger: Trigger
  /** 16 hex digits that stand for the principal in dedup keys; computed for the first alert. */
  readonly principalHash: () => string
  readonly raise: (draft: AlertDraft, rule: CompiledRule) => void
}

interface WatchParts {
  readonly detector: Detector
  readonly episodes: Episodes
  readonly sightings: Sightings
  readonly announcements: Announcement[]
}

/** One rule's state for one principal and group. */
export class Watch {
  readonly rule: CompiledRule
  readonly group: readonly string[]
  lastTime: number
  private readonly detector: Detector
  private readonly episodes: Episodes
  private readonly sightings: Sightings
  private announcements: Announcement[]
  private silentThrough: number
  /** Weight as the principal has counted it. */
  private counted = 0

  constructor(rule: CompiledRule, group: readonly string[], from?: Partial<WatchSnapshot>, parts?: WatchParts) {
    const { dedupMs, maxEpisodeMs } = rule.rule
    this.rule = rule
    this.group = group
    this.lastTime = from?.lastTime ?? -Infinity
    this.silentThrough = from?.silentThrough ?? -Infinity
    this.detector = parts?.detector ?? rule.detector(from?.detector)
    this.episodes = parts?.episodes ?? new Episodes(dedupMs, maxEpisodeMs, from?.episodes)
    this.sightings = parts?.sightings ?? new Sightings(rule.windowMs, rule.rowCap, from?.sightings)
    this.announcements = parts?.announcements ?? (from?.announcements ?? []).map(a => new Announcement(a.opening, a))
  }

  /**
   * True when the clock alone may bring a verdict (conditions that can become false again), or has moved so far that
   * nothing but a baseline is left and the watch can go. Otherwise it is advanced when its next event comes.
   */
  due(maxTime: number): boolean {
    return this.rule.decidedByClock || (this.rule.keepMs !== null && maxTime - this.lastTime > this.rule.keepMs)
  }

  /** The principal's clock moved to `maxTime`; nothing before the context's `zone` can arrive any more. */
  advance(maxTime: number, context: WatchContext): void {
    const { zone } = context
    const verdicts = this.detector.advance(maxTime)
    if (verdicts.length > 0) {
      for (const verdict of verdicts) this.episodes.add(verdict.time)
      this.judge(verdicts, null, context)
    }
    if (!this.episodes.empty() && this.episodes.settle(zone)) this.forgetSettled()
    this.sightings.dropThrough(zone - this.rule.windowMs)
  }

  /** Takes in a distinct, not-late event that feeds the rule. Call `advance` first. */
  observe(event: CloudTrailEvent, context: WatchContext, exhibit = new Exhibit(event)): void {
    this.lastTime = Math.max(this.lastTime, event.eventTime)
    const counted = this.rule.counts(event)
    const row = counted
      ? this.sightings.add(event, boundedValue(this.rule.value?.(event)), this.summaryOf(event), exhibit)
      : null
    // a time before the zone comes again only to raise an episode that is still open; it must not open one
    const verdicts = this.detector.observe(event)
    for (const verdict of verdicts) if (verdict.time >= context.zone) this.episodes.add(verdict.time)
    if (verdicts.length === 0 && (row === null || this.announcements.length === 0)) return
    this.judge(verdicts, row, context, counted ? null : event)
  }

  /**
   * Brings what was told in line with the episodes as they are now. `row` is the row of the event just taken in;
   * `witness` an event that is no part of the count but changed the verdict (the success after denials).
   */
  private judge(
    verdicts: readonly Verdict[],
    row: Sighting | null,
    context: WatchContext,
    witness: CloudTrailEvent | null = null,
  ): void {
    for (const episode of this.episodes.list()) {
      const inside = verdicts.filter(v => v.time >= episode.opening && v.time <= episode.end)
      const known = this.announcements.filter(a => a.opening >= episode.opening && a.opening <= episode.end)
      const falls =
        row !== null && row.last > episode.opening - this.rule.windowMs && row.first <= episode.end ? row : null
      if (inside.length === 0 && falls === null && known.length === 1) continue
      const announcement = known[0] ?? this.announce(episode)
      if (announcement === null) continue
      this.joinAll(announcement, known, episode, context)
      if (known.length > 0) this.takeFresh(announcement, inside, falls)
      announcement.noteEpisode(episode)
      for (const verdict of inside) {
        announcement.noteAnomaly(verdict.time, verdict.anomaly)
        if (verdict.raise === true) {
          announcement.raise()
          if (witness !== null) announcement.facts.addSample(null, evidenceOf(witness, this.summaryOf(witness)))
        }
      }
      if (announcement.material()) this.tell(announcement, episode, context)
    }
  }

  private summaryOf(event: CloudTrailEvent): Summary {
    return summaryOf(event, this.rule.rule.summaryFields)
  }

  /** A new announcement with everything seen in the episode's windows, or null when it was given up. */
  private announce(episode: Episode): Announcement | null {
    if (episode.opening <= this.silentThrough) return null
    const announcement = new Announcement(episode.opening)
    const from = episode.opening - this.rule.windowMs
    for (const row of this.sightings.rows) {
      if (row.last <= from || row.first > episode.end) continue
      announcement.facts.add(row, row.first > from ? row.first : row.last, row.count)
      announcement.facts.shared += row.count - row.fresh
      this.sightings.take(row)
    }
    this.announcements.push(announcement)
    this.announcements.sort((a, b) => a.opening - b.opening)
    this.giveUpOldest(maxAnnouncements)
    return announcement
  }

  /** Rows not counted by any episode yet: those in the windows of the new qualifying times, and the event's own. */
  private takeFresh(announcement: Announcement, verdicts: readonly Verdict[], own: Sighting | null): void {
    const window = this.rule.windowMs
    for (const row of this.sightings.rows) {
      if (row.fresh === 0) continue
      if (row !== own && !verdicts.some(v => row.first <= v.time && row.last > v.time - window)) continue
      announcement.facts.add(row, row.first, row.fresh)
      this.sightings.take(row)
    }
  }

  /** Announced episodes that turned out to be one: the earliest goes on, the others say so once. */
  private joinAll(first: Announcement, known: readonly Announcement[], episode: Episode, context: WatchContext): void {
    if (first.mergedInto !== null) first.join(null)
    for (const later of known) {
      if (later === first || later.mergedInto !== null) continue
      later.join(this.keyOf(first, context))
      first.absorb(later)
      this.tell(later, episode, context)
    }
  }

  private keyOf(announcement: Announcement, context: WatchContext): string {
    return dedupKey(this.rule.rule.id, context.principalHash(), groupHash(this.group), announcement.opening)
  }

  private tell(announcement: Announcement, episode: Episode, context: WatchContext): void {
    const { rule } = this.rule
    const group = rule.groupBy.map((field, i) => ({ field: field.name, value: this.group[i] ?? '' }))
    const key = this.keyOf(announcement, context)
    context.raise(announcement.tell(rule, key, group, episode, this.rule.shownWindowMs, context.trigger), this.rule)
  }

  private forgetSettled(): void {
    const episodes = this.episodes.list()
    this.announcements = this.announcements.filter(a =>
      episodes.some(e => a.opening >= e.opening && a.opening <= e.end),
    )
  }

  /** Size for the principal's budget: a pure function of the content. */
  weight(): number {
    let weight = this.sightings.weight() + weightOfNumber * this.episodes.size()
    weight += this.detector.weight?.() ?? defaultWeight
    for (const announcement of this.announcements) weight += announcement.facts.weight()
    for (const value of this.group) weight += value.length
    return weight
  }

  /** What the weight has grown by since it was asked last. */
  growth(): number {
    const before = this.counted
    this.counted = this.weight()
    return this.counted - before
  }

  /**
   * Gives up description, never decisions: the last resort of a watch that alone exceeds `budget`. Summary fields of
   * the episodes told go last, oldest first: with those of four episodes a record could exceed what Kafka accepts.
   */
  shed(budget: number): void {
    this.sightings.keepNewest(8)
    this.giveUpOldest(4)
    for (const { facts } of this.announcements) {
      if (this.weight() <= budget) return
      facts.dropSummaries()
    }
  }

  private giveUpOldest(kept: number): void {
    while (this.announcements.length > kept) {
      const dropped = this.announcements.shift() as Announcement
      this.silentThrough = Math.max(this.silentThrough, dropped.opening)
    }
  }

  /** The episodes as computed that can still change, and the last settled one. */
  openEpisodes(): Episode[] {
    return this.episodes.list()
  }

  /** True when nothing is left that could influence a later alert. */
  empty(): boolean {
    return (
      this.detector.empty() &&
      this.episodes.empty() &&
      this.announcements.length === 0 &&
      this.sightings.rows.length === 0
    )
  }

  clone(): Watch {
    const { lastTime, silentThrough } = this
    const copy = new Watch(
      this.rule,
      this.group,
      { lastTime, silentThrough },
      {
        detector: this.detector.clone(),
        episodes: this.episodes.clone(),
        sightings: this.sightings.clone(),
        announcements: this.announcements.map(a => a.clone()),
      },
    )
    copy.counted = this.counted
    return copy
  }

  snapshot(): WatchSnapshot {
    return {
      ruleId: this.rule.rule.id,
      ruleVersion: this.rule.rule.version,
      parameters: this.rule.parameters,
      group: this.group,
      lastTime: this.lastTime,
      silentThrough: this.silentThrough === -Infinity ? null : this.silentThrough,
      detector: this.detector.snapshot(),
      episodes: this.episodes.snapshot(),
      sightings: this.sightings.snapshot(),
      announcements: this.announcements.map(a => a.snapshot()),
    }
  }
}
