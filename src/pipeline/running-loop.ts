// What the normalizer's and the detector's loops are to the process that runs them.

/** A loop that runs until it is stopped or cannot go on. */
export interface RunningLoop {
  /** Rejects when the loop cannot go on; resolves after `stop`. */
  readonly done: Promise<void>
  /** Joined the group, and every assigned partition is being worked on. */
  ready(): boolean
  /** Finishes the work in hand, leaves the group, closes. */
  stop(): Promise<void>
}
