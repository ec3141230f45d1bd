// What was seen lately, before anyone knows whether it becomes an alert: runs of events that look alike.
// When an episode opens, its alert can show the whole first window. Bounded: alike events share a row, and beyond the cap
// rows of one value are joined, then the oldest go. Describes only; whether a rule fires never depends on it.
import type { Evidence } from '../alerts/alert.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { boundedText } from './text.ts'

/** Secrets kept per row; a BatchGetSecretValue call names at most 20. */
export const maxRowSecrets = 20

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

interface Row extends Sighting {
  first: number
  last: number
  count: number
  fresh: number
}

/** Rows kept for a rule that needs `needed` events or values to fire: enough to show what fired it, within 32 … 96. */
export function rowCap(needed: number): number {
  return Math.min(96, Math.max(32, needed + 16))
}

/** Rows of one rule for one principal and group, in the order in which they began. */
export class Sightings {
  private readonly window: number
  private readonly cap: number
  private readonly span: number
  private readonly list: Row[]

  /** `window` is the rule's timespan in milliseconds; a row spans at most an eighth of it, which bounds the error of counts at the window's edge. */
  constructor(window: number, cap: number, from: readonly Sighting[] = []) {
    this.window = window
    this.cap = cap
    this.span = Math.ceil(window / 8)
    this.list = from.map(row => ({ ...row }))
  }

  get rows(): readonly Sighting[] {
    return this.list
  }

  /** Takes an event in. Returns its row. */
  add(event: CloudTrailEvent, value: string | null): Sighting {
    const time = event.eventTime
    for (let i = this.list.length - 1; i >= 0; i--) {
      const row = this.list[i] as Row
      const first = Math.min(row.first, time)
      const last = Math.max(row.last, time)
      if (last - first > this.span || row.value !== value || !alike(row, event)) continue
      row.first = first
      row.last = last
      row.count++
      row.fresh++
      return row
    }
    const row = {
      value,
      evidence: evidenceOf(event),
      secrets: secretsOf(event),
      first: time,
      last: time,
      count: 1,
      fresh: 1,
    }
    this.list.push(row)
    if (this.list.length > this.cap) this.makeRoom()
    return row
  }

  /** Marks a row as taken in by an episode. */
  take(row: Sighting): void {
    ;(row as Row).fresh = 0
  }

  /** Joins the first two rows of one value that fit a window (the older one's description is lost), else drops the oldest. */
  private makeRoom(): void {
    for (let i = 0; i < this.list.length; i++) {
      const older = this.list[i] as Row
      for (let j = i + 1; j < this.list.length; j++) {
        const newer = this.list[j] as Row
        if (newer.value !== older.value) continue
        const first = Math.min(older.first, newer.first)
        const last = Math.max(older.last, newer.last)
        if (last - first > this.window) continue
        newer.first = first
        newer.last = last
        newer.count += older.count
        newer.fresh += older.fresh
        this.list.splice(i, 1)
        return
      }
    }
    this.list.shift()
  }

  /** Forgets rows that ended at or before `time`. */
  dropThrough(time: number): void {
    let kept = 0
    for (const row of this.list) if (row.last > time) this.list[kept++] = row
    this.list.length = kept
  }

  clone(): Sightings {
    return new Sightings(this.window, this.cap, this.list)
  }

  snapshot(): Sighting[] {
    return this.list.map(row => ({ ...row }))
  }
}

function alike(row: Row, event: CloudTrailEvent): boolean {
  const { evidence } = row
  const { userIdentity } = event
  return (
    sameText(evidence.eventName, event.eventName, 128) &&
    sameText(evidence.awsRegion, event.awsRegion, 64) &&
    sameText(evidence.sourceIPAddress, event.sourceIPAddress, 128) &&
    sameText(evidence.errorCode, event.errorCode, 128) &&
    sameText(evidence.userAgent, event.userAgent, 256) &&
    sameText(evidence.recipientAccountId, event.recipientAccountId, 64) &&
    sameText(evidence.eventSource, event.eventSource, 128) &&
    sameText(evidence.userIdentity.accessKeyId, userIdentity?.accessKeyId, 128) &&
    sameText(evidence.userIdentity.sessionName, userIdentity?.sessionName, 128) &&
    sameText(evidence.userIdentity.arn, userIdentity?.arn, 512) &&
    sameText(evidence.userIdentity.type, userIdentity?.type, 64) &&
    sameSecrets(row.secrets, event.secrets)
  )
}

function sameText(kept: string | null, text: string | null | undefined, most: number): boolean {
  return kept === (text == null ? null : text.length <= most ? text : boundedText(text, most))
}

function sameSecrets(kept: readonly string[], secrets: readonly string[] | undefined): boolean {
  if (secrets === undefined || kept.length !== Math.min(secrets.length, maxRowSecrets)) return false
  for (let i = 0; i < kept.length; i++) if (kept[i] !== boundedText(secrets[i], 200)) return false
  return true
}

function secretsOf(event: CloudTrailEvent): string[] {
  const secrets: string[] = []
  for (const secret of event.secrets ?? []) {
    if (secrets.length === maxRowSecrets) break
    secrets.push(boundedText(secret, 200) ?? '')
  }
  return secrets
}

/** The event as an alert shows it: never request or response bodies, every text cut. */
export function evidenceOf(event: CloudTrailEvent): Evidence {
  const { userIdentity } = event
  return {
    eventId: boundedText(event.eventId, 64) ?? '',
    eventTime: event.eventTime,
    eventName: boundedText(event.eventName, 128) ?? '',
    eventSource: boundedText(event.eventSource, 128) ?? '',
    awsRegion: boundedText(event.awsRegion, 64) ?? '',
    recipientAccountId: boundedText(event.recipientAccountId, 64) ?? '',
    sourceIPAddress: boundedText(event.sourceIPAddress, 128),
    userAgent: boundedText(event.userAgent, 256),
    errorCode: boundedText(event.errorCode, 128),
    userIdentity: {
      type: boundedText(userIdentity?.type, 64),
      arn: boundedText(userIdentity?.arn, 512),
      accessKeyId: boundedText(userIdentity?.accessKeyId, 128),
      sessionName: boundedText(userIdentity?.sessionName, 128),
    },
  }
}
