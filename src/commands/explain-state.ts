// What the detector holds about a principal for one rule, as text and JSON for `explain`: the window at its newest event
// against the threshold, the baseline of a rate, the episodes it has open. Pure: the state comes in as a record.
import type { Anomaly } from '../alerts/alert.ts'
import { counted, duration, inSentence, utc } from '../alerts/wording.ts'
import { monotone, saturation } from '../detect/condition.ts'
import { Engine } from '../detect/engine.ts'
import type { Episode } from '../detect/episodes.ts'
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
import { RateAnomaly } from '../detect/rate-anomaly.ts'
import type { RateAnomalyState } from '../detect/rate-anomaly.ts'
import type { WatchSnapshot } from '../detect/watch.ts'
import type { WindowCountSnapshot } from '../detect/window-count.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { Rule } from '../rules/rule.ts'
import { WindowTally } from './explain-window.ts'
import { countText, shortfall, valuesText, windowText } from './explain-wording.ts'
import type { Detection } from './rule-set.ts'

/** What is held for one group of a rule. */
export interface Held {
  readonly group: readonly string[]
  /** Event time at which the window below ends. */
  readonly at: number
  /** In the window; at least so many where it reaches `needed`, because no more is remembered than the rule needs. */
  readonly count: number | null
  readonly needed: number | null
  readonly anomaly: Anomaly | null
  readonly values: ReadonlyMap<string, number> | null
  /** Open episodes, and the last one that can still get company. */
  readonly episodes: readonly Episode[]
  /** First event of the history of a rate; null for other rules. */
  readonly since: number | null
}

/** Groups that are told one by one. */
const shownGroups = 5

/** What a state record holds for a rule, newest group first. Watches of earlier versions of the rule's window are gone. */
export function heldFor(
  key: string,
  record: PrincipalStateRecord,
  rule: Rule,
  { rules, engine: options }: Detection,
): Held[] {
  const engine = new Engine(rules, options)
  engine.load(key, record)
  const watches = [...(engine.principal(key)?.watching() ?? [])].filter(watch => watch.rule.rule.id === rule.id)
  return watches
    .map(watch => heldIn(watch.snapshot(), watch.openEpisodes(), rule, rules.latenessMs))
    .sort((a, b) => b.at - a.at)
}

function heldIn(watch: WatchSnapshot, episodes: readonly Episode[], rule: Rule, latenessMs: number): Held {
  const { group, lastTime } = watch
  const { body, dedupMs } = rule
  const held = { group, at: lastTime, count: null, needed: null, anomaly: null, values: null, episodes, since: null }
  switch (body.kind) {
    case 'single':
      return held
    case 'rate_anomaly': {
      const state = watch.detector as RateAnomalyState
      const at = state.newest ?? lastTime
      const anomaly = new RateAnomaly(body.rate, { latenessMs, dedupMs }, state).compared(at)
      return { ...held, at, anomaly, count: anomaly.count, since: state.first }
    }
    case 'event_count':
    case 'value_count': {
      const { times, values } = watch.detector as WindowCountSnapshot
      const tally = new WindowTally(body.timespanMs, latenessMs)
      let last = { events: 0, distinct: 0 }
      for (const [index, time] of times.entries()) if (time <= lastTime) last = tally.add(time, values[index] ?? null)
      const inWindow = (times.at(-1) ?? -Infinity) > lastTime - body.timespanMs
      const many = body.kind === 'value_count' ? last.distinct : last.events
      return {
        ...held,
        count: inWindow ? many : 0,
        needed: monotone(body.condition) ? saturation(body.condition) : null,
        values: body.kind === 'value_count' ? tally.values(lastTime) : null,
      }
    }
  }
}

/** Lines for people, without line feeds. */
export function stateLines(held: readonly Held[], rule: Rule): string[] {
  if (held.length === 0) return ['nothing for this rule: none of the events taken in is one that it counts']
  const lines = held.slice(0, shownGroups).flatMap(one => linesOf(one, rule))
  return held.length > shownGroups ? [...lines, `and ${held.length - shownGroups} other groups`] : lines
}

function linesOf(held: Held, rule: Rule): string[] {
  const { group, at, values, anomaly, episodes, since } = held
  const who = rule.groupBy.map((field, i) => `${field.name} ${inSentence(group[i] ?? '')}`).join(', ')
  const lines: string[] = []
  if (held.count === null) lines.push(`newest event ${utc(at)}`)
  else {
    const named = values === null || values.size === 0 ? '' : `: ${valuesText(values)}`
    lines.push(`in the ${windowText(rule)} up to ${utc(at)}: ${countText(held, rule)}${named}`)
  }
  if (anomaly !== null && since !== null)
    lines.push(`history since ${utc(since)}, ${duration(anomaly.exposureMs)} of it with weight`)
  if (episodes.length === 0 && held.count !== null && !reached(held, rule))
    lines.push(`not enough: ${shortfall(held, rule)}`)
  for (const { opening, end } of episodes)
    lines.push(`in an episode: the condition held from ${utc(opening)} to ${utc(end)}`)
  return who === '' ? lines : lines.map(line => `${who}: ${line}`)
}

function reached({ count, needed, anomaly }: Held, { body }: Rule): boolean {
  if (anomaly !== null && body.kind === 'rate_anomaly') {
    const { minCount, minDistinct, alpha } = body.rate
    return anomaly.count >= minCount && anomaly.distinct >= minDistinct && anomaly.pValue <= alpha
  }
  return needed === null || (count ?? 0) >= needed
}

/** One line of JSON data. */
export function stateView(held: readonly Held[]): object {
  return held.map(({ group, at, count, needed, anomaly, values, episodes, since }) => ({
    group,
    at: rfc3339(at),
    count,
    needed,
    anomaly,
    values: values === null ? null : [...values.keys()],
    episodes: episodes.map(({ opening, end }) => ({ opening: rfc3339(opening), end: rfc3339(end) })),
    since: since === null ? null : rfc3339(since),
  }))
}

/** `3 events remembered, newest 2026-…`. */
export function memoryText({ maxTime, seen }: PrincipalStateRecord): string {
  return `newest event ${utc(maxTime)}, ${counted(seen.hashes.length, 'event')} remembered`
}
