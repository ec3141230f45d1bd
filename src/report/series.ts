// What the report draws beside the result: the second look at the matched events, when the episodes are known.
// A pure fold in event-time order. Only episodes that get a chart are followed, so a quiet principal costs two counters.
import { boundedValue } from '../detect/text.ts'
import type { CloudTrailEvent, PrincipalKind } from '../normalize/event.ts'
import type { Field, Rule, RuleSet } from '../rules/rule.ts'
import type { Alert } from '../alerts/alert.ts'
import type { Backtest, Episode, SeriesFold } from './backtest.ts'
import { charted } from './chart-choice.ts'
import { CountCollector } from './count-series.ts'
import type { CountSeries } from './count-series.ts'
import { RateCollector } from './rate-series.ts'
import type { RateSeries } from './rate-series.ts'

/** Principals counted one by one; the events of further ones are counted together. */
const mostPrincipals = 100_000

/** Principals in the table. */
const topPrincipals = 25

/** Bars of the activity over time. */
const activityBins = 120

/** What a principal did, as far as the rules look at it. */
export interface PrincipalActivity {
  readonly key: string
  readonly name: string
  readonly kind: PrincipalKind
  readonly events: number
  readonly denied: number
  readonly alerts: number
  readonly suppressed: number
}

/** Matched events of one stretch of time, `from` inclusive. */
export interface ActivityBin {
  readonly from: number
  readonly to: number
  readonly events: number
  readonly denied: number
}

/** Everything the report shows that is not in the result itself. */
export interface ReportSeries {
  readonly charts: ReadonlyMap<string, CountSeries | RateSeries>
  readonly activity: readonly ActivityBin[]
  /** Those with alerts first, then those with most denied calls, then with most events. */
  readonly principals: readonly PrincipalActivity[]
  /** All principals with a matched event, up to {@link mostPrincipals} of which are told apart. */
  readonly principalCount: number
  /** True when there were more than are told apart. */
  readonly principalCountCapped: boolean
}

interface Follower {
  readonly rule: Rule
  readonly group: readonly string[]
  readonly take: (event: CloudTrailEvent) => void
}

interface Tally {
  name: string
  kind: PrincipalKind
  events: number
  denied: number
}

/**
 * Begins the second look. `rules` is the rule set that gave the result; feed every event that some rule of it matches, by
 * event time, copies left out.
 */
export function reportSeries(
  result: Pick<Backtest, 'episodes' | 'rules' | 'input'>,
  rules: Pick<RuleSet, 'match' | 'latenessMs'>,
): SeriesFold<ReportSeries> {
  return new Series(result, rules)
}

class Series implements SeriesFold<ReportSeries> {
  readonly #result: Pick<Backtest, 'episodes' | 'input'>
  readonly #rules: Pick<RuleSet, 'match'>
  readonly #followers = new Map<string, Follower[]>()
  readonly #finish: (() => Iterable<[string, CountSeries | RateSeries]>)[] = []
  readonly #tallies = new Map<string, Tally>()
  readonly #first: number
  readonly #binMs: number
  readonly #events = new Array<number>(activityBins).fill(0)
  readonly #denied = new Array<number>(activityBins).fill(0)
  #capped = false

  constructor(result: Pick<Backtest, 'episodes' | 'rules' | 'input'>, rules: Pick<RuleSet, 'match' | 'latenessMs'>) {
    this.#result = result
    this.#rules = rules
    this.#first = result.input.first ?? 0
    this.#binMs = Math.max(1000, ((result.input.last ?? 0) - this.#first + 1) / activityBins)
    const chosen = charted(result)
    for (const rule of result.rules) {
      const watches = new Map<string, Episode[]>()
      for (const episode of result.episodes) {
        if (episode.ruleId !== rule.id || !chosen.has(episode.dedupKey)) continue
        const key = JSON.stringify([episode.principal.key, episode.group.map(({ value }) => value)])
        watches.set(key, [...(watches.get(key) ?? []), episode])
      }
      for (const episodes of watches.values()) this.#follow(rule, episodes, rules.latenessMs)
    }
  }

  /** Follows one rule, principal and group, whose charted episodes these are. */
  #follow(rule: Rule, episodes: readonly Episode[], latenessMs: number): void {
    const told = episodes.flatMap(({ dedupKey, alert }) => (alert === null ? [] : [{ dedupKey, alert }]))
    const [some] = told
    if (some === undefined) return
    const take = this.#collect(rule, told, latenessMs)
    const { key } = some.alert.principal
    const follower = { rule, group: some.alert.group.map(({ value }) => value), take }
    this.#followers.set(key, [...(this.#followers.get(key) ?? []), follower])
  }

  #collect(
    rule: Rule,
    told: readonly { readonly dedupKey: string; readonly alert: Alert }[],
    latenessMs: number,
  ): (event: CloudTrailEvent) => void {
    const { body } = rule
    if (body.kind === 'single') return () => undefined
    if (body.kind === 'rate_anomaly') {
      const alerts = told.map(({ alert }) => alert)
      const collector = new RateCollector(body.rate, latenessMs, rule.dedupMs, alerts)
      this.#finish.push(() =>
        collector.series().map((series, i): [string, RateSeries] => [told[i]?.dedupKey ?? '', series]),
      )
      return event => collector.add(event)
    }
    const field: Field | null = body.kind === 'value_count' ? body.field : null
    const collectors = told.map(({ alert }) => new CountCollector(alert, body.timespanMs, field !== null))
    this.#finish.push(() =>
      collectors.map((collector, i): [string, CountSeries] => [told[i]?.dedupKey ?? '', collector.series()]),
    )
    return event => {
      const value = field === null ? null : boundedValue(field.read(event))
      for (const collector of collectors) collector.add(event.eventTime, value)
    }
  }

  add(event: CloudTrailEvent): void {
    this.#count(event)
    const followers = this.#followers.get(event.principal.key)
    if (followers === undefined) return
    const matches = this.#rules.match(event)
    for (const { rule, group, take } of followers) {
      if (!rule.feeds.some(feed => matches.includes(feed))) continue
      if (rule.groupBy.every((field, i) => (boundedValue(field.read(event)) ?? '') === group[i])) take(event)
    }
  }

  #count(event: CloudTrailEvent): void {
    const denied = event.outcome === 'DENIED' ? 1 : 0
    const bin = Math.min(activityBins - 1, Math.max(0, Math.floor((event.eventTime - this.#first) / this.#binMs)))
    this.#events[bin] = (this.#events[bin] ?? 0) + 1
    this.#denied[bin] = (this.#denied[bin] ?? 0) + denied
    const { key, name, kind } = event.principal
    const tally = this.#tallies.get(key)
    if (tally !== undefined) {
      tally.events++
      tally.denied += denied
    } else if (this.#tallies.size < mostPrincipals) this.#tallies.set(key, { name, kind, events: 1, denied })
    else this.#capped = true
  }

  series(): ReportSeries {
    const charts = new Map<string, CountSeries | RateSeries>()
    for (const finish of this.#finish) for (const [dedupKey, series] of finish()) charts.set(dedupKey, series)
    return {
      charts,
      activity: this.#events.map((events, i) => ({
        from: this.#first + i * this.#binMs,
        to: this.#first + (i + 1) * this.#binMs,
        events,
        denied: this.#denied[i] ?? 0,
      })),
      principals: this.#principals(),
      principalCount: this.#tallies.size,
      principalCountCapped: this.#capped,
    }
  }

  #principals(): PrincipalActivity[] {
    const alerts = new Map<string, { alerts: number; suppressed: number }>()
    for (const { principal, suppressed } of this.#result.episodes) {
      const known = alerts.get(principal.key) ?? { alerts: 0, suppressed: 0 }
      if (suppressed === null) known.alerts++
      else known.suppressed++
      alerts.set(principal.key, known)
    }
    const none = { alerts: 0, suppressed: 0 }
    return Array.from(this.#tallies, ([key, tally]) => ({ key, ...tally, ...(alerts.get(key) ?? none) }))
      .sort(
        (a, b) =>
          b.alerts - a.alerts ||
          b.suppressed - a.suppressed ||
          b.denied - a.denied ||
          b.events - a.events ||
          (a.key < b.key ? -1 : 1),
      )
      .slice(0, topPrincipals)
  }
}
