// The detector's time: when to try again, how long a transaction may grow, when silence is a stall. Never event time.
// An argument, so that the fault simulator runs hours of outages in milliseconds, the same way every time.
import { setTimeout as timeout } from 'node:timers/promises'

export interface Clock {
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  readonly now: () => number
  /** Resolves after `ms`, or as soon as the signal is aborted. Never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** The clock of the process. A wait keeps the process alive only as long as nobody aborts it. */
export const processClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => timeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
}
