// What was seen lately, before anyone knows whether it becomes an alert: runs of events that look alike.
// When an episode opens, its alert can show the whole first window. Bounded: alike events share a row, and beyond the cap
// rows of one value are joined, then the oldest go. Describes only; whether a rule fires never depends on it.
import type { Evidence } from '../alerts/alert.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { weightOfNumber } from './detector.ts'
import { alike, evidenceText, Exhibit, noSummary } from './evidence.ts'
import type { Summary } from './evidence.ts'

/** Events alike in everything an alert shows except id and time. */
export interface Sighting {
  /** The counted value, null where the rule counts none. */
  readonly value: string | null
  /** The first of them, as evidence. */
  readonly evidence: Evidence
  readonly secrets: readonly string[]
  readonly first: number
  readonly last: number
  readonly count: number
  /** How many of `count` no episode has taken in yet. */
  readonly fresh: number
}

/** Rows kept for a rule that needs `needed` events or values to fire: enough to show what fired it, within 32 … 96. */
export function rowCap(needed: number): number {
  return Math.min(96, Math.max(32, needed + 16))
}

/**
 * Rows of one rule for one principal and group, in the order in which they began. A row is never changed but replaced, so
 * a copy shares them all.
 */
export class Sightings {
  private readonly window: number
  private readonly cap: number
  private readonly span: number
  private list: Sighting[]
  private text = 0
  /** No row ended before this time: most calls of {@link dropThrough} need not look at the rows. */
  private earliestEnd = Infinity

  /** `window` is the rule's timespan in milliseconds; a row spans at most an eighth of it, which bounds the error of counts at the window's edge. */
  constructor(window: number, cap: number, from: readonly Sighting[] = []) {
    this.window = window
    this.cap = cap
    this.span = Math.ceil(window / 8)
    this.list = [...from]
    for (const row of this.list) {
      this.text += rowText(row)
      this.earliestEnd = Math.min(this.earliestEnd, row.last)
    }
  }

  get rows(): readonly Sighting[] {
    return this.list
  }

  /** Takes an event in, `fields` is what the rule's summary fields say of it. Returns its row. */
  add(
    event: CloudTrailEvent,
    value: string | null,
    fields: Summary = noSummary,
    exhibit: Exhibit = new Exhibit(event),
  ): Sighting {
    const time = event.eventTime
    for (let i = this.list.length - 1; i >= 0; i--) {
      const row = this.list[i] as Sighting
      const first = Math.min(row.first, time)
      const last = Math.max(row.last, time)
      if (last - first > this.span || row.value !== value || !alike(row.evidence, row.secrets, event, fields)) continue
      const { evidence, secrets } = row
      const more = { value, evidence, secrets, first, last, count: row.count + 1, fresh: row.fresh + 1 }
      this.list[i] = more
      return more
    }
    const evidence = exhibit.evidence(fields)
    const row = { value, evidence, secrets: exhibit.secrets(), first: time, last: time, count: 1, fresh: 1 }
    this.list.push(row)
    this.earliestEnd = Math.min(this.earliestEnd, time)
    this.text += rowText(row)
    if (this.list.length > this.cap) this.makeRoom()
    return row
  }

  /** Marks a row as taken in by an episode. */
  take(row: Sighting): void {
    this.list[this.list.indexOf(row)] = { ...row, fresh: 0 }
  }

  /** Joins the first two rows of one value that fit a window (the older one's description is lost), else drops the oldest. */
  private makeRoom(): void {
    for (let i = 0; i < this.list.length; i++) {
      const older = this.list[i] as Sighting
      for (let j = i + 1; j < this.list.length; j++) {
        const newer = this.list[j] as Sighting
        if (newer.value !== older.value) continue
        const first = Math.min(older.first, newer.first)
        const last = Math.max(older.last, newer.last)
        if (last - first > this.window) continue
        const count = older.count + newer.count
        this.list[j] = { ...newer, first, last, count, fresh: older.fresh + newer.fresh }
        this.list.splice(i, 1)
        this.text -= rowText(older)
        return
      }
    }
    this.keepNewest(this.list.length - 1)
  }

  /** Forgets rows that ended at or before `time`. */
  dropThrough(time: number): void {
    if (this.earliestEnd > time) return
    const kept: Sighting[] = []
    this.earliestEnd = Infinity
    for (const row of this.list) {
      if (row.last <= time) this.text -= rowText(row)
      else {
        kept.push(row)
        this.earliestEnd = Math.min(this.earliestEnd, row.last)
      }
    }
    this.list = kept
  }

  /** Keeps the `count` rows that began last. */
  keepNewest(count: number): void {
    for (const row of this.list.splice(0, Math.max(0, this.list.length - count))) this.text -= rowText(row)
  }

  weight(): number {
    return this.text + numbersPerRow * weightOfNumber * this.list.length
  }

  clone(): Sightings {
    const copy = new Sightings(this.window, this.cap)
    copy.list = this.list.slice()
    copy.text = this.text
    copy.earliestEnd = this.earliestEnd
    return copy
  }

  /** Valid until the rows change. */
  snapshot(): readonly Sighting[] {
    return this.list
  }
}

const numbersPerRow = 8

function rowText(row: Sighting): number {
  let text = evidenceText(row.evidence) + (row.value?.length ?? 0)
  for (const secret of row.secrets) text += secret.length
  return text
}
