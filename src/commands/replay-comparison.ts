// What a change of rules does to the alerts: which appear, which disappear, which change. Pure.
// Dedup keys hold the opening time, which a changed threshold moves; so a finding is told again by its rule, principal and
// group and by overlapping in event time with what the other rules found.
import type { Change, Comparison, Episode } from '../report/backtest.ts'

/** Compares the episodes of two rule sets over the same events; `against` names the old rules. */
export function compareEpisodes(before: readonly Episode[], after: readonly Episode[], against: string): Comparison {
  const places = Map.groupBy(
    [...before.map(episode => ({ episode, old: true })), ...after.map(episode => ({ episode, old: false }))],
    ({ episode }) => JSON.stringify([episode.ruleId, episode.principal.key, episode.group.map(({ value }) => value)]),
  )
  const changes: Change[] = []
  let unchanged = 0
  for (const side of places.values()) {
    for (const found of overlapping(side)) {
      const [old, now] = [true, false].map(which => found.filter(entry => entry.old === which).map(e => e.episode))
      if (old === undefined || now === undefined) continue
      if (old.length === 1 && now.length === 1 && same(old[0]!, now[0]!)) unchanged++
      else changes.push({ change: kindOf(old, now), before: old, after: now })
    }
  }
  return { against, changes: changes.sort((a, b) => startOf(a) - startOf(b)), unchanged }
}

interface Side {
  readonly episode: Episode
  readonly old: boolean
}

/** Episodes of one rule, principal and group, together as far as they overlap, also by way of others. */
function overlapping(sides: readonly Side[]): Side[][] {
  const runs: Side[][] = []
  let end = -Infinity
  for (const side of [...sides].sort((a, b) => a.episode.firstSeen - b.episode.firstSeen)) {
    const last = runs.at(-1)
    if (last !== undefined && side.episode.firstSeen <= end) last.push(side)
    else runs.push([side])
    end = Math.max(end, side.episode.lastSeen)
  }
  return runs
}

/** The same to whoever handles it: how grave, when, how much, and whether it is told at all. */
function same(a: Episode, b: Episode): boolean {
  return (
    a.severity === b.severity &&
    a.firstSeen === b.firstSeen &&
    a.lastSeen === b.lastSeen &&
    a.count === b.count &&
    a.distinct === b.distinct &&
    a.suppressed?.id === b.suppressed?.id
  )
}

function kindOf(before: readonly Episode[], after: readonly Episode[]): Change['change'] {
  return before.length === 0 ? 'appeared' : after.length === 0 ? 'disappeared' : 'changed'
}

function startOf({ before, after }: Change): number {
  return Math.min(...[...before, ...after].map(episode => episode.firstSeen))
}

/** True when the new rules tell somebody something that the old ones did not: an alert where there was none, or none told. */
export function tellsMore({ before, after }: Change): boolean {
  return after.some(told) && !before.some(told)
}

function told(episode: Episode): boolean {
  return episode.suppressed === null
}
