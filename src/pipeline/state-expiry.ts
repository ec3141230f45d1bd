// When principals that fell silent lose their state: at fixed offsets of the input, judged by the oldest event since the
// last such offset. Both are functions of the input alone and stored with the position, so that a restored partition, a
// replayed one and one that never stopped forget the same principals at the same record. Pure.
//
// The oldest event and not the newest: a backfill of last year beside live traffic holds the horizon back to last year as
// long as it runs, so a principal is forgotten only when a whole stretch of input lies beyond its time to live.

/** How far the input is from the next expiry. Part of the stored position. */
export interface ExpiryProgress {
  /** Number of the stretch that the last record belongs to; null before the first record. */
  readonly stretch: number | null
  /** Oldest event time of this stretch, epoch milliseconds; null while it holds no event. */
  readonly oldest: number | null
}

/** Before any record. */
export const noExpiryYet: ExpiryProgress = { stretch: null, oldest: null }

/** Number of the stretch of `every` offsets that an offset lies in. No transaction reaches over the end of a stretch. */
export function stretchOf(offset: number, every: number): number {
  return Math.floor(offset / every)
}

/**
 * Takes up the stretch of the next record. `horizon` is the event time that silence is measured against when a stretch
 * with events has ended, else null: nothing is to be forgotten.
 */
export function enterStretch(
  progress: ExpiryProgress,
  stretch: number,
): { readonly progress: ExpiryProgress; readonly horizon: number | null } {
  if (progress.stretch === stretch) return { progress, horizon: null }
  return { progress: { stretch, oldest: null }, horizon: progress.oldest }
}

/**
 * Notes the time of an event. One from a clock ahead counts at its record's timestamp (epoch milliseconds, negative for
 * none).
 */
export function noteEvent(progress: ExpiryProgress, eventTime: number, recordTimestamp: number): ExpiryProgress {
  const time = recordTimestamp >= 0 ? Math.min(eventTime, recordTimestamp) : eventTime
  if (!Number.isSafeInteger(time) || (progress.oldest !== null && progress.oldest <= time)) return progress
  return { ...progress, oldest: time }
}
