// Episodes as computed: the times at which a rule's condition holds, cut by silence and by length.
// Defined on event time alone, so the order of arrival within lateness cannot matter: times that can still get company are
// kept one by one, older ones are folded into the opening and end of the last settled episode.
import { insertDistinct, thinToCap, upperBound } from './sorted-times.ts'

/** First and last qualifying time of an episode, epoch milliseconds. */
export interface Episode {
  readonly opening: number
  readonly end: number
}

/** Plain form of {@link Episodes}. */
export interface EpisodesSnapshot {
  readonly settled: Episode | null
  readonly open: readonly number[]
}

/** Qualifying times kept for the lateness zone; see `maxEvaluationTimes` of window-count.ts for the arithmetic. */
const maxQualifyingTimes = 1024

/** The qualifying times of one rule for one principal and group. */
export class Episodes {
  private readonly dedup: number
  private readonly longest: number
  private settled: Episode | null
  private readonly open: number[]

  /** `dedup` is the longest gap inside an episode, `longest` the greatest distance from its opening to its end. */
  constructor(dedup: number, longest: number, from?: EpisodesSnapshot) {
    this.dedup = dedup
    this.longest = longest
    this.settled = from?.settled ?? null
    this.open = from === undefined ? [] : [...from.open]
  }

  /** Takes a qualifying time in. Adding a known one again changes nothing. */
  add(time: number): void {
    if (!insertDistinct(this.open, time)) return
    thinToCap(this.open, maxQualifyingTimes)
  }

  /**
   * Nothing earlier than `zone` can arrive any more: folds earlier times, and forgets an episode nothing can join.
   * Returns whether an episode was forgotten.
   */
  settle(zone: number): boolean {
    let forgotten = false
    const count = upperBound(this.open, Math.ceil(zone) - 1)
    for (let i = 0; i < count; i++) {
      const next = this.extend(this.settled, this.open[i] as number)
      if (this.settled !== null && next.opening !== this.settled.opening) forgotten = true
      this.settled = next
    }
    if (count > 0) this.open.splice(0, count)
    const { settled } = this
    if (settled !== null && (zone - settled.end > this.dedup || zone - settled.opening > this.longest)) {
      // an episode of the zone has its own opening by now, so this one can go
      this.settled = null
      forgotten = true
    }
    return forgotten
  }

  private extend(episode: Episode | null, time: number): Episode {
    if (episode !== null && time - episode.end <= this.dedup && time - episode.opening <= this.longest) {
      return { opening: episode.opening, end: time }
    }
    return { opening: time, end: time }
  }

  /** The episodes from the last settled one on, in order: greedy from the front. */
  list(): Episode[] {
    const episodes: Episode[] = []
    let current = this.settled
    for (const time of this.open) {
      const next = this.extend(current, time)
      if (current !== null && next.opening !== current.opening) episodes.push(current)
      current = next
    }
    if (current !== null) episodes.push(current)
    return episodes
  }

  empty(): boolean {
    return this.settled === null && this.open.length === 0
  }

  size(): number {
    return this.open.length
  }

  clone(): Episodes {
    return new Episodes(this.dedup, this.longest, { settled: this.settled, open: this.open })
  }

  snapshot(): EpisodesSnapshot {
    return { settled: this.settled, open: this.open }
  }
}
