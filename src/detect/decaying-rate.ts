// An exponentially weighted rate of events in event time: a gauge for people, never an input to a decision.
// Weights only ever decay towards the newest time, so disorder cannot blow it up.

/** Events per hour with weight e^(-age/tau); age is counted from the newest event. */
export class DecayingRate {
  private readonly tau: number
  private weight = 0
  private newest = -Infinity

  /** `tau` is the time constant in milliseconds. */
  constructor(tau: number) {
    this.tau = tau
  }

  add(time: number): void {
    if (time > this.newest) {
      this.weight = this.weight * Math.exp((this.newest - time) / this.tau) + 1
      this.newest = time
    } else this.weight += Math.exp((time - this.newest) / this.tau)
  }

  /** The weighted number of events divided by the time constant. */
  perHour(): number {
    return (this.weight * 3_600_000) / this.tau
  }

  clone(): DecayingRate {
    const copy = new DecayingRate(this.tau)
    copy.assign(this)
    return copy
  }

  assign(other: DecayingRate): void {
    this.weight = other.weight
    this.newest = other.newest
  }
}
