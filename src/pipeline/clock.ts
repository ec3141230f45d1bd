// The detector's time: when to try again, how long a transaction may grow, when silence is a stall. Never event time.
// An argument, so that the fault simulator runs hours of outages in milliseconds, the same way every time.
import { setTimeout as timeout } from 'node:timers/promises'

export interface Clock {
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  readonly now: () => number
  /** Resolves after `ms`, or as soon as the signal is aborted. Never rejects. A wait in the background keeps no process alive. */
  readonly sleep: (ms: number, signal?: AbortSignal, background?: 'background') => Promise<void>
}

/** The clock of the process. */
export const processClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal, background) => {
    const options = { ref: background === undefined, ...(signal === undefined ? {} : { signal }) }
    return timeout(ms, undefined, options).catch(() => undefined)
  },
}
