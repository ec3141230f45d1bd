// Sigma's correlation condition as arithmetic: when it holds, how far one must count to know, and whether it can
// become false again by one more event. Pure; the parser in src/rules has checked that at least one bound is set.
import type { Condition } from '../rules/rule.ts'

/** True when a count satisfies every bound of the condition. */
export function holds(condition: Condition, count: number): boolean {
  if (condition.gte !== undefined && !(count >= condition.gte)) return false
  if (condition.gt !== undefined && !(count > condition.gt)) return false
  if (condition.lte !== undefined && !(count <= condition.lte)) return false
  if (condition.lt !== undefined && !(count < condition.lt)) return false
  if (condition.eq !== undefined && count !== condition.eq) return false
  if (condition.neq !== undefined && count === condition.neq) return false
  return true
}

/** True when more events can only make the condition true: gt and gte alone. A time that qualifies then never stops to. */
export function monotone(condition: Condition): boolean {
  return (
    condition.lt === undefined &&
    condition.lte === undefined &&
    condition.eq === undefined &&
    condition.neq === undefined
  )
}

/**
 * How far to count: min(count, saturation) decides the condition for every count. At least 1.
 * gte b needs ceil(b); every other bound needs to tell b from b + 1, hence floor(b) + 1.
 */
export function saturation(condition: Condition): number {
  const { gte, gt, lte, lt, eq, neq } = condition
  let needed = 1
  if (gte !== undefined) needed = Math.max(needed, Math.ceil(gte))
  for (const bound of [gt, lte, lt, eq, neq]) {
    if (bound !== undefined) needed = Math.max(needed, Math.floor(bound) + 1)
  }
  return needed
}
