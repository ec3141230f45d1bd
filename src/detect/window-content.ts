// What a sliding window has to remember: the port between window-count (when to evaluate) and the two ways to count.
// Windows are half-open, (end - timespan, end]: an event exactly one timespan before the end is outside.

/** The content of all windows of one rule, pruned so that counts up to the saturation stay exact. */
export interface WindowContent {
  /**
   * Adds an event. `value` is null where the counted field is absent: such an event adds nothing to a distinct count.
   * Returns false when no window's count (up to the saturation) changed, so no other time needs to be looked at.
   */
  insert(time: number, value: string | null): boolean
  /** Count in (from, to]: exact below the saturation, at least the saturation above it. */
  count(from: number, to: number): number
  /** Forgets everything at or before `time`. */
  dropThrough(time: number): void
  /** An upper bound of every count, at no cost. */
  most(): number
  /** Entries kept, for tests and for the size bound. */
  size(): number
  /** UTF-16 units of text kept. */
  textSize(): number
  clone(): WindowContent
  snapshot(): ContentSnapshot
}

/** Entries in time order; `values` is empty where only events are counted. `nextPrune` is the size that starts a pass. */
export interface ContentSnapshot {
  readonly times: readonly number[]
  readonly values: readonly string[]
  readonly nextPrune: number
}
