// Brute force for windows and episodes: the definitions of docs/decisions/0010-windows-and-episodes.md, read literally.
// Shares nothing with src/detect. Looks at all events for every time; order of arrival plays no part.
import type { Condition } from '../../src/rules/rule.ts'

/** An event as the definitions see it. `value` null: the counted field is absent. */
export interface Point {
  readonly time: number
  readonly value: string | null
}

/** Whether a count satisfies a condition. */
function satisfied(condition: Condition, n: number): boolean {
  return Object.entries(condition).every(([operator, bound]: [string, number]) => {
    switch (operator) {
      case 'gt':
        return n > bound
      case 'gte':
        return n >= bound
      case 'lt':
        return n < bound
      case 'lte':
        return n <= bound
      case 'eq':
        return n === bound
      case 'neq':
        return n !== bound
      default:
        throw new Error(`unknown operator ${operator}`)
    }
  })
}

/** The times of events at which the condition holds, looking at (t - timespan, t]. */
export function qualifyingTimes(
  points: readonly Point[],
  kind: 'event_count' | 'value_count',
  timespan: number,
  condition: Condition,
): number[] {
  const times = [...new Set(points.map(p => p.time))].sort((a, b) => a - b)
  return times.filter(t => {
    const inside = points.filter(p => p.time > t - timespan && p.time <= t)
    const n = kind === 'event_count' ? inside.length : new Set(inside.flatMap(p => p.value ?? [])).size
    return satisfied(condition, n)
  })
}

/** Qualifying times cut where neighbours are more than `dedup` apart or an episode would exceed `longest`. */
export function episodesOf(qualifying: readonly number[], dedup: number, longest: number): [number, number][] {
  const episodes: [number, number][] = []
  for (const t of qualifying) {
    const last = episodes.at(-1)
    if (last !== undefined && t - last[1] <= dedup && t - last[0] <= longest) last[1] = t
    else episodes.push([t, t])
  }
  return episodes
}

/** What is not late, given the order of arrival: an event exactly `lateness` behind the newest still counts. */
export function notLate<T extends { readonly time: number }>(arrivals: readonly T[], lateness: number): T[] {
  let newest = -Infinity
  return arrivals.filter(p => {
    if (p.time < newest - lateness) return false
    newest = Math.max(newest, p.time)
    return true
  })
}
