// What the engine did with one principal's events, step by step, for one rule: the substance of `explain`.
// Events go through the engine one at a time, in the order given, so fate, episodes and alerts are the engine's own; the
// numbers of the window are counted beside it (explain-window.ts), those of a rate come from the engine's state.
import type { Alert, Anomaly } from '../alerts/alert.ts'
import { groupHash } from '../alerts/dedup-key.ts'
import { holds, monotone, saturation } from '../detect/condition.ts'
import { Engine } from '../detect/engine.ts'
import type { EngineOptions } from '../detect/engine.ts'
import type { EngineCounts } from '../detect/engine-transaction.ts'
import type { Episode } from '../detect/episodes.ts'
import { RateAnomaly } from '../detect/rate-anomaly.ts'
import type { RateAnomalyState } from '../detect/rate-anomaly.ts'
import { boundedValue } from '../detect/text.ts'
import type { Watch } from '../detect/watch.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Rule, RuleSet } from '../rules/rule.ts'
import type { Fate, KnownEpisode, Step } from './explain-step.ts'
import { WindowTally } from './explain-window.ts'

/** Follows one principal and rule; with a group hash, one group of it. */
export class Reconstruction {
  readonly rule: Rule
  readonly fates = new Map<Fate, number>()
  /** Episodes as they are known now, in order. */
  episodes: KnownEpisode[] = []
  /** The counted step that came closest to the condition, as long as it has not held. */
  closest: Step | null = null
  readonly #rules: RuleSet
  readonly #engine: Engine
  readonly #group: string | null
  readonly #tallies = new Map<string, WindowTally>()
  #steps = 0
  #held = false

  constructor(rules: RuleSet, options: EngineOptions, rule: Rule, group: string | null) {
    this.rule = rule
    this.#rules = rules
    this.#engine = new Engine(rules, options)
    this.#group = group
  }

  /** Takes the principal's next event in; null when it belongs to another group. The event matches some rule of the set. */
  take(event: CloudTrailEvent): Step | null {
    const { rule } = this
    const transaction = this.#engine.begin()
    transaction.process(event, null, null)
    const told = transaction.alerts.filter(alert => alert.ruleId === rule.id && this.#covers(alertGroup(alert)))
    const fate = this.#fateOf(event, transaction.counts)
    transaction.merge()
    const group = rule.groupBy.map(field => boundedValue(field.read(event)) ?? '')
    const opened = this.#noteEpisodes(event)
    if (!this.#covers(group) && told.length === 0) return null
    this.fates.set(fate, (this.fates.get(fate) ?? 0) + 1)
    const step = { number: ++this.#steps, event, fate, opened, told, ...this.#numbers(event, fate, group, opened) }
    this.#held ||= step.holds
    if (this.#held) this.closest = null
    else if (step.fate === 'counted' && (this.closest === null || isCloser(step, this.closest))) this.closest = step
    return step
  }

  #covers(group: readonly string[]): boolean {
    return this.#group === null || groupHash(group) === this.#group
  }

  #fateOf(event: CloudTrailEvent, counts: EngineCounts): Fate {
    // First, because a copy of what the rule does not look at is no news to it.
    if (!this.#rules.match(event).some(index => this.rule.feeds.includes(index))) return 'no match'
    if (counts.duplicates > 0) return 'duplicate'
    if (counts.late > 0) return 'late'
    if (counts.matched === 0) return 'unusable'
    const { body } = this.rule
    return body.kind === 'rate_anomaly' && !body.rate.denied(event) ? 'not denied' : 'counted'
  }

  #numbers(
    event: CloudTrailEvent,
    fate: Fate,
    group: readonly string[],
    opened: Episode | null,
  ): Pick<Step, 'value' | 'fresh' | 'count' | 'needed' | 'holds' | 'anomaly' | 'values'> {
    const nothing = { value: null, fresh: false, count: null, needed: null, holds: false, anomaly: null, values: null }
    if (fate !== 'counted') return nothing
    const { body } = this.rule
    switch (body.kind) {
      case 'single':
        return { ...nothing, count: 1, needed: 1, holds: true }
      case 'rate_anomaly': {
        const anomaly = this.#compared(event, group)
        const { minCount, minDistinct } = body.rate
        const enough = anomaly !== null && anomaly.count >= minCount && anomaly.distinct >= minDistinct
        return {
          ...nothing,
          value: body.rate.distinct.read(event),
          count: anomaly?.count ?? null,
          holds: enough && anomaly.pValue <= anomaly.alpha,
          anomaly,
        }
      }
      case 'event_count':
      case 'value_count': {
        const value = body.kind === 'value_count' ? boundedValue(body.field.read(event)) : null
        const tally = this.#tallyOf(group, body.timespanMs)
        const { events, distinct, fresh } = tally.add(event.eventTime, value)
        const count = body.kind === 'value_count' ? distinct : events
        const needed = monotone(body.condition) ? saturation(body.condition) : null
        const highest = !this.#held && count > (this.closest?.count ?? 0)
        // An event out of order can complete a window that ends after it.
        const end = Math.max(opened?.opening ?? event.eventTime, event.eventTime)
        const values = value !== null && (opened !== null || highest) ? tally.values(end) : null
        return { ...nothing, value, fresh, count, needed, holds: holds(body.condition, count), values }
      }
    }
  }

  #tallyOf(group: readonly string[], timespanMs: number): WindowTally {
    const key = groupHash(group)
    const tally = this.#tallies.get(key) ?? new WindowTally(timespanMs, this.#rules.latenessMs)
    this.#tallies.set(key, tally)
    return tally
  }

  #watches(event: CloudTrailEvent): Watch[] {
    const watches = [...(this.#engine.principal(event.principal.key)?.watching() ?? [])]
    return watches.filter(watch => watch.rule.rule === this.rule)
  }

  #compared(event: CloudTrailEvent, group: readonly string[]): Anomaly | null {
    const { body, dedupMs } = this.rule
    const watch = this.#watches(event).find(one => groupHash(one.group) === groupHash(group))
    if (body.kind !== 'rate_anomaly' || watch === undefined) return null
    const state = watch.snapshot().detector as RateAnomalyState
    return new RateAnomaly(body.rate, { latenessMs: this.#rules.latenessMs, dedupMs }, state).compared(event.eventTime)
  }

  /** The engine knows its open episodes and the last settled one; what it lets go of stays as it was. */
  #noteEpisodes(event: CloudTrailEvent): Episode | null {
    let opened: Episode | null = null
    for (const watch of this.#watches(event)) {
      if (!this.#covers(watch.group)) continue
      for (const episode of watch.openEpisodes()) {
        const inside = (other: KnownEpisode) =>
          groupHash(other.group) === groupHash(watch.group) &&
          other.opening >= episode.opening &&
          other.opening <= episode.end
        if (!this.episodes.some(inside)) opened = episode
        this.episodes = [...this.episodes.filter(other => !inside(other)), { ...episode, group: watch.group }]
      }
    }
    this.episodes.sort((a, b) => a.opening - b.opening)
    return opened
  }
}

function alertGroup(alert: Alert): readonly string[] {
  return alert.group.map(({ value }) => value)
}

/** Of two rates the less likely one is closer, of two counts the higher; of equals the first. */
function isCloser(step: Step, other: Step): boolean {
  if (step.anomaly !== null && other.anomaly !== null) return step.anomaly.pValue < other.anomaly.pValue
  return (step.count ?? 0) > (other.count ?? 0)
}
