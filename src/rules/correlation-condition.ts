// The `condition` of a correlation: bounds of a count, checked for being possible. Pure.
import type { Condition } from './rule.ts'
import type { Section } from './section.ts'

/** Sigma's comparisons of a count. */
export const operators = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const
// State grows with the threshold, so a slip of three zeros must not become a memory bound.
const maxThreshold = 10_000

/** Reads the bounds; several form a range. */
export function readCondition(block: Section): Condition {
  const condition: { -readonly [operator in keyof Condition]: number } = {}
  for (const operator of operators) {
    const bound = block.number(operator, { min: 0, max: maxThreshold, whole: true })
    if (bound !== null) condition[operator] = bound
  }
  if (!operators.some(operator => block.value(operator) !== undefined)) block.missing('gte', "Write a bound: 'gte: 5'")
  else if (!satisfiable(condition))
    block.problems.add(block.map.at, 'no count satisfies all bounds of the condition', 'Correct the bounds')
  return condition
}

function satisfiable({ gt = -1, gte = 0, lt = Infinity, lte = Infinity, eq, neq }: Condition): boolean {
  const low = Math.max(gt + 1, gte, eq ?? 0, 1)
  const high = Math.min(lt - 1, lte, eq ?? Infinity)
  return low < high || (low === high && low !== neq)
}
