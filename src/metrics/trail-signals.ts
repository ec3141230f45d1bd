// Signs that the trail itself is blind: no read-only events where others flow (EventBridge delivers none unless its rule
// says so), and regions that fall silent. Noted per event into plain maps, added to the metrics per batch.
import type { Counter, Gauge } from 'prom-client'
import type { CloudTrailEvent } from '../normalize/event.ts'

/** AWS has about forty regions in all partitions; what comes after these is `other`. */
const mostRegions = 64
const regionName = /^[a-z]{2,5}(-[a-z0-9]+){1,4}$/

type Noted = Pick<CloudTrailEvent, 'awsRegion' | 'eventTime' | 'managementEvent' | 'readOnly' | 'sourceKind'>

interface Region {
  events: number
  newest: number
}

/** Events of one batch. */
export class TrailBatch {
  readonly regions = new Map<string, Region>()
  readonly kinds = new Map<string, { reads: number; writes: number }>()

  note(event: Noted): void {
    const { awsRegion, eventTime, sourceKind } = event
    const region = this.regions.get(awsRegion)
    if (region === undefined) this.regions.set(awsRegion, { events: 1, newest: eventTime })
    else {
      region.events++
      if (eventTime > region.newest) region.newest = eventTime
    }
    if (event.managementEvent === false || event.readOnly === null) return
    let kind = this.kinds.get(sourceKind)
    if (kind === undefined) this.kinds.set(sourceKind, (kind = { reads: 0, writes: 0 }))
    if (event.readOnly) kind.reads++
    else kind.writes++
  }
}

/** The metrics that batches are added to. */
export class TrailSignals {
  readonly #management: Counter<'kind' | 'read_only'>
  readonly #events: Counter<'region'>
  readonly #newest: Gauge<'region'>
  readonly #now: () => number
  readonly #newestOf = new Map<string, number>()

  constructor(
    management: Counter<'kind' | 'read_only'>,
    events: Counter<'region'>,
    newest: Gauge<'region'>,
    now: () => number = Date.now,
  ) {
    this.#management = management
    this.#events = events
    this.#newest = newest
    this.#now = now
  }

  batch(): TrailBatch {
    return new TrailBatch()
  }

  add(batch: TrailBatch): void {
    // Both series of a kind exist from its first event on: one that is missing cannot be told from one that is 0.
    for (const [kind, { reads, writes }] of batch.kinds) {
      this.#management.inc({ kind, read_only: 'true' }, reads)
      this.#management.inc({ kind, read_only: 'false' }, writes)
    }
    const now = this.#now()
    for (const [name, { events, newest }] of batch.regions) {
      const region = this.#label(name)
      this.#events.inc({ region }, events)
      // One event from a clock ahead must not hide a gap for as long as it is ahead.
      const seen = Math.max(this.#newestOf.get(region) ?? 0, Math.min(newest, now))
      this.#newestOf.set(region, seen)
      this.#newest.set({ region }, seen / 1000)
    }
  }

  #label(name: string): string {
    if (this.#newestOf.has(name)) return name
    return regionName.test(name) && this.#newestOf.size < mostRegions ? name : 'other'
  }
}
