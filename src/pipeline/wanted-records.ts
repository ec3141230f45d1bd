// The records of one transaction that some rule wants, by principal: in the order in which principals first come, and within
// a principal in the order of the log. No rule sees further than one principal, so nothing else depends on the order.
import type { LogRecord } from '../log/log-client.ts'
import type { StoredRecord } from '../log/stored-record.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'

/** A record and its event, null where it is still to be read. */
export type WantedRecord =
  | { readonly record: LogRecord; readonly event: CloudTrailEvent }
  | { readonly record: StoredRecord; readonly event: null }

/** Wanted records of one transaction. */
export class WantedRecords {
  count = 0
  readonly #groups = new Map<string, WantedRecord[]>()

  /** Adds the next record of the log. */
  add(principal: string, wanted: WantedRecord): void {
    this.count++
    const group = this.#groups.get(principal)
    if (group === undefined) this.#groups.set(principal, [wanted])
    else group.push(wanted)
  }

  /** Principal keys with their records. */
  groups(): Iterable<readonly [principal: string, records: readonly WantedRecord[]]> {
    return this.#groups
  }
}

const firstGuessMs = 0.05
/** So many records count for half of what is believed. */
const convincing = 500

/** How long a wanted record takes, learnt from transaction to transaction: how many of them fit the time of one. */
export class Pace {
  #ms = firstGuessMs

  /** Records that take about so many milliseconds, at least one. */
  within(ms: number): number {
    return Math.max(1, Math.floor(ms / this.#ms))
  }

  /** So many records took so many milliseconds. */
  note(records: number, ms: number): void {
    if (records > 0) this.#ms += (Math.max(0, ms) / records - this.#ms) * (0.5 * Math.min(1, records / convincing))
    this.#ms = Math.max(1e-3, this.#ms)
  }
}
