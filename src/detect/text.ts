// Bounds on text that callers of AWS choose and that lives in detector state. Pure.
// Everything kept is well-formed UTF-16, so that a state record read back equals the one that was written.
import { capped } from '../normalize/capped-text.ts'

/** Longest counted value or group value that is kept as it is; a longer one is cut and keeps its identity by a hash. */
const maxValueLength = 200

/** A counted value: empty is absent, long ones are cut and hashed so that they stay distinct. */
export function boundedValue(value: string | null | undefined): string | null {
  if (typeof value !== 'string' || value === '') return null
  const wellFormed = value.isWellFormed() ? value : value.toWellFormed()
  return wellFormed.length <= maxValueLength ? wellFormed : capped(wellFormed, maxValueLength)
}

/** A text that is only shown: cut to `most` UTF-16 units; anything that is not a text is null. */
export function boundedText(value: unknown, most: number): string | null {
  if (typeof value !== 'string') return null
  if (value.length <= most) return value.isWellFormed() ? value : value.toWellFormed()
  return value.slice(0, most).toWellFormed()
}
