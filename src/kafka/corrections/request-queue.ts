// Timer of kafkajs' request queue. Replaces RequestQueue.prototype.scheduleCheckPendingRequests
// (kafkajs src/network/requestQueue/index.js, issue 1751). Why: without throttling the original computes the delay as
// -1 minus now and sets a timer even when nothing waits. Node 24 warns about the negative number on every connection,
// and each of these timers sets the next one, a thousand times a second.

/** The fields of kafkajs' RequestQueue that the timer needs. */
export interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  checkPendingRequests(): void
}

// kafkajs' CHECK_PENDING_REQUESTS_INTERVAL.
const interval = 10

/**
 * Looks at the queue again when throttling ends, or in 10 ms where requests wait for a free slot.
 * Without waiting requests no timer is needed: every push and every response looks at the queue itself.
 */
export function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return
  const throttled = this.throttledUntil - Date.now()
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    throttled > 0 ? throttled : interval,
  )
}
