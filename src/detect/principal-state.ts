// All state of one principal: its clock, the events already seen, and a watch per rule and group.
// A pure fold over the principal's matching events; nothing in it depends on other principals, batches or processes.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { principalHash } from '../alerts/dedup-key.ts'
import type { Trigger } from './announcement.ts'
import type { CompiledRule } from './compiled-rule.ts'
import { Exhibit } from './evidence.ts'
import { SeenEvents } from './seen-events.ts'
import type { SeenEventsSnapshot } from './seen-events.ts'
import { boundedValue } from './text.ts'
import type { WatchContext, WatchSnapshot } from './watch.ts'
import { Watch } from './watch.ts'

/** Groups watched per rule with further group-by fields; the one with the oldest newest event goes first. */
const maxGroups = 64

/**
 * Budget of one principal over all rules and groups, in UTF-16 units of text plus 4 per number: a state record stays
 * below Kafka's default message size of 1 MB even where every unit takes three bytes of UTF-8. Beyond it the watch with
 * the oldest newest event is dropped, and a watch that is alone gives up description.
 */
const maxWeight = 250_000

/** Version of {@link PrincipalStateRecord}; src/codecs/principal-state.ts upgrades earlier ones. */
export const stateVersion = 2

/** Plain form of {@link PrincipalState}: the value of the state topic. Lists may be those of the state: valid until it changes. */
export interface PrincipalStateRecord {
  readonly version: number
  /** Newest event time of the principal. */
  readonly maxTime: number
  readonly seen: SeenEventsSnapshot
  readonly watches: readonly WatchSnapshot[]
}

/** What happened to an event. */
export type Admission = 'admitted' | 'duplicate' | 'late'

/** Times of the rule set and the engine, milliseconds. */
export interface Timing {
  readonly latenessMs: number
  readonly dedupHorizonMs: number
  readonly stateTtlMs: number
}

/** State of one principal. Copied on first touch in a transaction; a watch is copied when it is about to change. */
export class PrincipalState {
  private readonly key: string
  maxTime = -Infinity
  private seen: SeenEvents
  private readonly watches: Map<string, Watch>
  /** Watches that another copy may hold too. */
  private readonly borrowed = new Set<string>()
  private hash: string | null = null
  private readonly hashOf = (): string => (this.hash ??= principalHash(this.key))
  /** Sum over the watches. */
  private weight = 0

  private constructor(key: string, seen: SeenEvents, watches: Map<string, Watch>) {
    this.key = key
    this.seen = seen
    this.watches = watches
  }

  static fresh(key: string): PrincipalState {
    return new PrincipalState(key, new SeenEvents(), new Map())
  }

  /**
   * Takes a record back. Watches of rules that are gone are dropped; a watch whose window parameters changed starts
   * anew, because its entries were pruned for other windows.
   */
  static restore(key: string, record: PrincipalStateRecord, rules: ReadonlyMap<string, CompiledRule>): PrincipalState {
    const watches = new Map<string, Watch>()
    for (const snapshot of record.watches) {
      const rule = rules.get(snapshot.ruleId)
      if (rule === undefined || rule.parameters !== snapshot.parameters) continue
      watches.set(watchKey(rule, snapshot.group), new Watch(rule, snapshot.group, snapshot))
    }
    const state = new PrincipalState(key, new SeenEvents(record.seen), watches)
    state.maxTime = record.maxTime
    for (const watch of watches.values()) state.weight += watch.growth()
    return state
  }

  /** A copy that can change without touching this one. */
  clone(): PrincipalState {
    const copy = new PrincipalState(this.key, this.seen.clone(), new Map(this.watches))
    copy.maxTime = this.maxTime
    copy.hash = this.hash
    copy.weight = this.weight
    for (const key of this.watches.keys()) copy.borrowed.add(key)
    return copy
  }

  /** What is to be done with an event at `time`, known by `hash` (null without an id); changes nothing. */
  admit(hash: number | null, time: number, timing: Timing): Admission {
    if (hash !== null && this.seen.has(hash)) return 'duplicate'
    return time < this.maxTime - timing.latenessMs ? 'late' : 'admitted'
  }

  /** True when an event at `time` follows a silence longer than the state's time to live. */
  outlived(time: number, stateTtlMs: number): boolean {
    return this.maxTime !== -Infinity && time - this.maxTime > stateTtlMs
  }

  /**
   * Takes an admitted event in. `event.eventTime` is the time of evaluation; `claimedTime` the one the event came with,
   * which is later for an event from a clock ahead: copies of it can count until that one is late.
   */
  take(
    event: CloudTrailEvent,
    hash: number | null,
    claimedTime: number,
    rules: readonly CompiledRule[],
    timing: Timing,
    trigger: Trigger,
    raise: WatchContext['raise'],
  ): void {
    const time = event.eventTime
    const moved = time > this.maxTime
    this.maxTime = Math.max(this.maxTime, time)
    const zone = this.maxTime - timing.latenessMs
    if (hash !== null) this.seen.add(hash, Math.max(time, claimedTime), zone, this.maxTime - timing.dedupHorizonMs)
    const context: WatchContext = { zone, trigger, principalHash: this.hashOf, raise }
    if (moved) this.advance(context)
    const exhibit = new Exhibit(event)
    for (const rule of rules) {
      const watch = this.watchOf(rule, event)
      watch.advance(this.maxTime, context)
      watch.observe(event, context, exhibit)
      this.weight += watch.growth()
      if (this.weight > maxWeight) this.lighten(watch)
    }
  }

  private advance(context: WatchContext): void {
    for (const [key, watch] of this.watches) {
      if (!watch.due(this.maxTime)) continue
      const own = this.own(key, watch)
      own.advance(this.maxTime, context)
      this.weight += own.growth()
      if (own.empty()) this.drop(key, own)
    }
  }

  private own(key: string, watch: Watch): Watch {
    if (!this.borrowed.delete(key)) return watch
    const copy = watch.clone()
    this.watches.set(key, copy)
    return copy
  }

  private drop(key: string, watch: Watch): void {
    this.weight -= watch.weight()
    this.watches.delete(key)
    this.borrowed.delete(key)
  }

  /** Comes back under the budget without touching `current`'s decisions. */
  private lighten(current: Watch): void {
    while (this.weight > maxWeight) {
      const oldest = this.oldest(watch => watch !== current)
      if (oldest === null) break
      this.drop(...oldest)
    }
    if (this.weight <= maxWeight) return
    current.shed(maxWeight)
    this.weight += current.growth()
  }

  /** The watch whose newest event is oldest; of equals the one with the smallest key, so that the choice is always the same. */
  private oldest(among: (watch: Watch) => boolean): [string, Watch] | null {
    let oldest: [string, Watch] | null = null
    for (const [key, watch] of this.watches) {
      if (!among(watch)) continue
      const order = oldest === null ? -1 : watch.lastTime - oldest[1].lastTime
      if (order < 0 || (order === 0 && oldest !== null && key < oldest[0])) oldest = [key, watch]
    }
    return oldest
  }

  private watchOf(rule: CompiledRule, event: CloudTrailEvent): Watch {
    const group = groupOf(rule, event)
    const key = watchKey(rule, group)
    const known = this.watches.get(key)
    if (known !== undefined) return this.own(key, known)
    if (group.length > 0) this.makeRoom(rule)
    const watch = new Watch(rule, group)
    this.watches.set(key, watch)
    this.weight += watch.growth()
    return watch
  }

  private makeRoom(rule: CompiledRule): void {
    let count = 0
    for (const watch of this.watches.values()) if (watch.rule === rule) count++
    if (count < maxGroups) return
    const oldest = this.oldest(watch => watch.rule === rule)
    if (oldest !== null) this.drop(...oldest)
  }

  /** Watches by rule, for explanations and tests. */
  watching(): Iterable<Watch> {
    return this.watches.values()
  }

  snapshot(): PrincipalStateRecord {
    const watches: WatchSnapshot[] = []
    for (const watch of this.watches.values()) watches.push(watch.snapshot())
    return { version: stateVersion, maxTime: this.maxTime, seen: this.seen.snapshot(), watches }
  }
}

const noGroup: readonly string[] = []

function groupOf(rule: CompiledRule, event: CloudTrailEvent): readonly string[] {
  const fields = rule.rule.groupBy
  // an absent field is a group of its own, as the empty text
  return fields.length === 0 ? noGroup : fields.map(field => boundedValue(field.read(event)) ?? '')
}

function watchKey(rule: CompiledRule, group: readonly string[]): string {
  return group.length === 0 ? rule.rule.id : [rule.rule.id, ...group].join('\u0000')
}
