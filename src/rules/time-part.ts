// The time modifiers (minute, hour, day, week, month, year): one number of a time, in UTC. Pure.
import type { FieldAccess, Scalar } from './field.ts'
import type { TimePart } from './modifiers.ts'

/** Reads the part of a field that is a time; null for fields that are not. */
export function timeReader<T>(access: FieldAccess<T>, part: TimePart): ((record: T) => Scalar | undefined) | null {
  const time = access.time
  if (time === undefined) return null
  return record => {
    const at = time(record)
    return at === null || Math.abs(at) > 8.64e15 ? undefined : partOf(new Date(at), part)
  }
}

function partOf(at: Date, part: TimePart): number {
  switch (part) {
    case 'minute':
      return at.getUTCMinutes()
    case 'hour':
      return at.getUTCHours()
    case 'day':
      return at.getUTCDate()
    case 'month':
      return at.getUTCMonth() + 1
    case 'year':
      return at.getUTCFullYear()
    case 'week': {
      // ISO 8601: the week of the year's first Thursday is week 1.
      const thursday = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 4 - (at.getUTCDay() || 7))
      const january = Date.UTC(new Date(thursday).getUTCFullYear(), 0, 1)
      return Math.floor((thursday - january) / 604_800_000) + 1
    }
  }
}
