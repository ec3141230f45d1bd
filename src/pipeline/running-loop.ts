// What the normalizer's and the detector's loops are to the process that runs them.

/** A loop that runs until it is stopped or cannot go on. */
export interface RunningLoop {
  /** Rejects when the loop cannot go on; resolves after `stop`. */
  readonly done: Promise<void>
  /** Joined the group, and every assigned partition is being worked on. */
  ready(): boolean
  /** Offset of the next record of every owned partition; null while that is not known yet. */
  positions(): ReadonlyMap<number, number | null>
  /** Finishes the work in hand, leaves the group, closes. */
  stop(): Promise<void>
}
