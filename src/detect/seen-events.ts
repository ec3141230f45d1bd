// Which events of a principal were taken in already: the second and later copies change nothing.
// Times and 53-bit hashes of (recipientAccountId, eventID) in two flat arrays, oldest first by arrival; looked through from
// the newest, because real copies follow soon.
import { hash53 } from './hash.ts'

/**
 * Events remembered at most. A lookup among n hashes of 53 bits errs with probability n/2^53: 4.5e-13 at the cap, one
 * event lost in 2.2e12. Beyond the cap the oldest are forgotten first, so a copy that comes after 4096 further matching
 * events of the same principal within lateness (4.5 a second for 15 minutes) counts again.
 */
const maxSeen = 4096

/**
 * Events remembered beyond lateness. A copy has the same event time, so once that is late no copy can count: older
 * entries only tell "duplicate" from "late" in the metrics, and are worth little state.
 */
const maxSeenSettled = 128

const sweepEvery = 64
const firstSweep = maxSeenSettled + sweepEvery

/** Plain form of {@link SeenEvents}: parallel arrays, oldest arrival first. */
export interface SeenEventsSnapshot {
  readonly hashes: readonly number[]
  readonly times: readonly number[]
}

/** The hash under which an event is known, or null for an event without an id (rule tests), which is never a copy. */
export function eventHash(recipientAccountId: string, eventId: string): number | null {
  if (typeof eventId !== 'string' || eventId === '') return null
  return hash53(typeof recipientAccountId === 'string' ? recipientAccountId : '', eventId)
}

/**
 * Bounded memory of events. Copies share their arrays: each looks at its own length only, and one that finds the arrays
 * longer than that (another copy went on first) takes its own before it appends. So a copy costs nothing.
 */
export class SeenEvents {
  private hashes: number[]
  private times: number[]
  private length: number

  constructor(from?: SeenEventsSnapshot) {
    this.hashes = from === undefined ? [] : [...from.hashes]
    this.times = from === undefined ? [] : [...from.times]
    this.length = this.hashes.length
  }

  has(hash: number): boolean {
    const { hashes } = this
    for (let i = this.length - 1; i >= 0; i--) if (hashes[i] === hash) return true
    return false
  }

  /**
   * Remembers an event. `time` is the time up to which copies of it can count; entries older than `zone` (nothing before
   * it can count) or `horizon` (the dedup horizon) make room.
   */
  add(hash: number, time: number, zone: number, horizon: number): void {
    // decided by the length alone, so that a restored copy sweeps at the same moments
    if (this.length >= firstSweep && this.length % sweepEvery === 0) this.sweep(zone, horizon)
    if (this.hashes.length > this.length) {
      this.hashes = this.hashes.slice(0, this.length)
      this.times = this.times.slice(0, this.length)
    }
    this.hashes.push(hash)
    this.times.push(time)
    this.length++
  }

  private sweep(zone: number, horizon: number): void {
    let settled = 0
    for (let i = 0; i < this.length; i++) if ((this.times[i] as number) < zone) settled++
    let surplus = Math.max(0, settled - maxSeenSettled)
    let overflow = Math.max(0, this.length - surplus - (maxSeen - sweepEvery))
    const hashes: number[] = []
    const times: number[] = []
    for (let i = 0; i < this.length; i++) {
      const time = this.times[i] as number
      if (time < horizon) continue
      if (time < zone && surplus > 0) surplus--
      else if (overflow > 0) overflow--
      else {
        hashes.push(this.hashes[i] as number)
        times.push(time)
      }
    }
    this.hashes = hashes
    this.times = times
    this.length = hashes.length
  }

  size(): number {
    return this.length
  }

  clone(): SeenEvents {
    const copy = new SeenEvents()
    copy.hashes = this.hashes
    copy.times = this.times
    copy.length = this.length
    return copy
  }

  snapshot(): SeenEventsSnapshot {
    const { hashes, times, length } = this
    if (hashes.length === length) return { hashes, times }
    return { hashes: hashes.slice(0, length), times: times.slice(0, length) }
  }
}
