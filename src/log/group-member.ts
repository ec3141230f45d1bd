// A member of a consumer group on the in-process log: takes up generations, delivers batches, obeys pause and resume.
// One handler at a time per partition, `concurrency` at a time in all, partitions in turn. Nothing here waits for a timer:
// delivery follows from appends, commits, resumes and returning handlers, through the change feed.
import { asTrailwardenError, twError } from '../errors.ts'
import type { ChangeFeed } from './change-feed.ts'
import { gated } from './gate.ts'
import type { Gate } from './gate.ts'
import type { GroupCoordinator, Member } from './groups.ts'
import type { BatchControl, ConsumerHandlers, ConsumerOptions, GroupConsumer } from './log-client.ts'
import type { TopicStore } from './topic-store.ts'

/** What a member needs of the cluster it talks to, and the largest batch it asks for. */
export interface MemberContext {
  readonly store: TopicStore
  readonly groups: GroupCoordinator
  readonly changes: ChangeFeed
  readonly gate: Gate
  readonly maxBatchRecords: number
}

/** Delivery of one assigned partition in one generation. */
interface Slot {
  /** Where the next delivery starts; null until the first resume. */
  position: number | null
  paused: boolean
  /** Counts resumes, so that a handler from before the last one cannot move the position. */
  turn: number
}

export class GroupMember implements GroupConsumer, Member {
  readonly topic: string
  readonly #context: MemberContext
  readonly #options: ConsumerOptions
  #handlers: ConsumerHandlers | null = null
  #state: 'new' | 'running' | 'stopping' | 'over' = 'new'
  /** A fault was reported: nothing more is delivered, while the membership lasts until `stop`. */
  #crashed = false
  /** As far as this member knows: the coordinator may be ahead. Null while it knows to be in none. */
  #generation: number | null = null
  #joining = 0
  #slots = new Map<number, Slot>()
  /** Partitions with a handler at work, in whatever generation it was started. */
  readonly #busy = new Set<number>()
  #lastDelivered = -1
  #unsubscribe: () => void = () => undefined

  constructor(context: MemberContext, options: ConsumerOptions) {
    this.#context = context
    this.#options = options
    this.topic = options.topic
  }

  async start(handlers: ConsumerHandlers): Promise<void> {
    if (this.#state !== 'new') throw twError('TW_INTERNAL', 'A consumer is started once.')
    this.#context.store.partitions(this.topic)
    this.#state = 'running'
    this.#handlers = handlers
    this.#unsubscribe = this.#context.changes.subscribe(() => this.#deliver())
    await this.#join()
  }

  /** Called by the coordinator. What lies between is the time in which this member is a zombie without knowing. */
  rebalanced(generation: number, partitions: readonly number[]): void {
    void this.#takeUp(generation, partitions)
  }

  resume(partition: number, offset: number | null): void {
    const slot = this.#slots.get(partition)
    if (slot === undefined) return
    slot.position = offset ?? this.#startOf(partition)
    slot.paused = false
    slot.turn += 1
    this.#context.changes.notify()
  }

  pause(partition: number): void {
    const slot = this.#slots.get(partition)
    if (slot !== undefined) slot.paused = true
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') this.#state = 'stopping'
    while (this.#state === 'stopping' && this.#busy.size > 0) await this.#context.changes.next()
    if (this.#state === 'stopping')
      await gated(this.#context.gate, 'consumer.leave', () => this.#context.groups.leave(this.#options.group, this))
    this.#end()
  }

  /** The process died: delivery ends at once. The session ends here too; `expire` first for a session that ends earlier. */
  kill(): void {
    this.#end()
    this.expire()
  }

  /** The coordinator gives the member up while the process lives on: it finds out at its next call. */
  expire(): void {
    this.#context.groups.leave(this.#options.group, this)
  }

  /** Finds out whether the session has ended, without a call of the application. */
  heartbeat(): void {
    if (!this.#isDelivering() || this.#joining > 0) return
    if (this.#context.groups.isMember(this.#options.group, this)) return
    this.#generation = null
    this.#slots.clear()
    this.#join().catch((error: unknown) => this.#crash(error))
  }

  /** True when nothing is under way and nothing readable waits. A partition that was never resumed is under way. */
  isQuiet(): boolean {
    if (this.#state === 'new' || this.#state === 'over') return true
    if (this.#state === 'stopping' || this.#joining > 0 || this.#busy.size > 0) return false
    if (this.#crashed) return true
    for (const [partition, { position }] of this.#slots)
      if (position === null || this.#hasWork(partition, position)) return false
    return true
  }

  async #join(): Promise<void> {
    const { gate, groups } = this.#context
    this.#joining += 1
    try {
      await gated(gate, 'consumer.join', () => {
        if (this.#state === 'running') groups.join(this.#options.group, this)
      })
    } finally {
      this.#joining -= 1
      this.#context.changes.notify()
    }
  }

  async #takeUp(generation: number, partitions: readonly number[]): Promise<void> {
    this.#joining += 1
    try {
      await this.#context.gate('consumer.rebalance')
      // A generation that is over before it was heard of is never announced.
      if (!this.#isDelivering() || !this.#context.groups.isNewest(this.#options.group, generation)) return
      this.#generation = generation
      this.#slots = new Map(partitions.map(partition => [partition, { position: null, paused: true, turn: 0 }]))
      this.#handlers?.assigned(partitions, generation)
    } catch (error) {
      this.#crash(error)
    } finally {
      this.#joining -= 1
      this.#context.changes.notify()
    }
  }

  /** The generation is over for this member: no more deliveries in it. Joins again unless the next one is on its way. */
  #leaveGeneration(): void {
    if (this.#generation === null) return
    this.#generation = null
    this.#slots.clear()
    if (!this.#isDelivering() || this.#context.groups.isMember(this.#options.group, this)) return
    this.#join().catch((error: unknown) => this.#crash(error))
  }

  #deliver(): void {
    while (this.#isDelivering() && this.#busy.size < (this.#options.concurrency ?? 3)) {
      const partition = this.#nextReady()
      if (partition === null) return
      this.#busy.add(partition)
      this.#lastDelivered = partition
      void this.#deliverPartition(partition)
    }
  }

  /** The first partition with work after the one served last, so that none starves. */
  #nextReady(): number | null {
    const order = [...this.#slots.keys()]
    const start = order.findIndex(partition => partition > this.#lastDelivered)
    const turned = start < 0 ? order : [...order.slice(start), ...order.slice(0, start)]
    for (const partition of turned) {
      const slot = this.#slots.get(partition)
      if (slot === undefined || slot.paused || slot.position === null || this.#busy.has(partition)) continue
      if (this.#hasWork(partition, slot.position)) return partition
    }
    return null
  }

  async #deliverPartition(partition: number): Promise<void> {
    try {
      await this.#context.gate('consumer.fetch')
      const slot = this.#slots.get(partition)
      if (this.#isDelivering() && slot !== undefined && !slot.paused) await this.#handle(partition, slot)
    } catch (error) {
      this.#crash(error)
    } finally {
      this.#busy.delete(partition)
      this.#context.changes.notify()
    }
  }

  async #handle(partition: number, slot: Slot): Promise<void> {
    const { store, groups, maxBatchRecords } = this.#context
    if (!groups.isMember(this.#options.group, this)) return this.#leaveGeneration()
    const log = store.partition(this.topic, partition)
    if (isOutside(log, slot.position ?? 0)) {
      if (this.#options.outOfRange !== 'earliest')
        throw twError(
          'TW_OFFSET_OUT_OF_RANGE',
          `Group ${this.#options.group} is at ${slot.position} of ${this.topic}[${partition}], which keeps ${log.begin} to ${log.end}.`,
        )
      slot.position = log.begin
    }
    const { records, nextOffset } = log.read(slot.position ?? 0, Infinity, maxBatchRecords)
    if (records.length === 0) return
    const batch = { topic: this.topic, partition, records, nextOffset, highWatermark: log.end }
    const { position, turn } = slot
    await this.#handlers?.batch(batch, this.#control(partition, slot))
    // Undone work comes again, but a handler that never gets on must not keep the event loop from turning.
    if (slot.position === position && slot.turn === turn) await new Promise(resolve => setImmediate(resolve))
  }

  #control(partition: number, slot: Slot): BatchControl {
    const { gate, groups } = this.#context
    const { group } = this.#options
    const { turn } = slot
    const generation = this.#generation
    const asMember = (call: string, effect: () => void): Promise<void> =>
      gated(gate, call, () => {
        try {
          groups.check(group, this, generation ?? 0)
        } catch (error) {
          if (this.#generation === generation) this.#leaveGeneration()
          throw error
        }
        effect()
      })
    return {
      current: () => this.#state !== 'over' && !this.#crashed && generation !== null && this.#generation === generation,
      resolve: nextOffset => {
        if (slot.turn === turn) slot.position = nextOffset
      },
      commit: nextOffset => asMember('consumer.commit', () => groups.commit(group, this.topic, partition, nextOffset)),
      heartbeat: () => asMember('consumer.heartbeat', () => undefined),
    }
  }

  #startOf(partition: number): number {
    const log = this.#context.store.partition(this.topic, partition)
    const committed = this.#context.groups.committed(this.#options.group, this.topic, partition)
    return committed ?? (this.#options.from === 'latest' ? log.stableEnd : log.begin)
  }

  #hasWork(partition: number, position: number): boolean {
    const log = this.#context.store.partition(this.topic, partition)
    return isOutside(log, position) || log.hasRecordFrom(position)
  }

  #isDelivering(): boolean {
    return this.#state === 'running' && !this.#crashed
  }

  /** Reports a fault of the shell, once. A process that is gone reports nothing. */
  #crash(error: unknown): void {
    if (this.#state === 'over' || this.#crashed) return
    this.#crashed = true
    this.#handlers?.crashed(asTrailwardenError(error))
  }

  #end(): void {
    this.#state = 'over'
    this.#unsubscribe()
    this.#context.changes.notify()
  }
}

function isOutside(log: { readonly begin: number; readonly end: number }, position: number): boolean {
  return position < log.begin || position > log.end
}
