// The transaction coordinator of the in-process log: epochs, fencing, atomic end of a transaction, offsets that ride on it.
// Kafka's EOSv1: handing out a producer for an id raises its epoch, aborts what the earlier holder left open, and makes
// every later call of that holder fail with TW_FENCED. Synchronous: each method is one atomic step of the cluster.
// Markers can be lost, as on Kafka: what a transaction wrote then stays open until the next one of its id ends there.
import { twError } from '../errors.ts'
import type { GroupCoordinator } from './groups.ts'
import type { Appended, TopicRecords } from './log-client.ts'
import type { PartitionLog, TransactionFate } from './partition-log.ts'
import type { TopicStore } from './topic-store.ts'

interface OffsetsOfGroup {
  readonly group: string
  readonly topic: string
  readonly offsets: ReadonlyMap<number, number>
}

interface OpenTransaction {
  readonly fate: TransactionFate
  readonly touched: Set<PartitionLog>
  offsets: OffsetsOfGroup[]
}

interface Holder {
  epoch: number
  open: OpenTransaction | null
  /** Ended as far as the coordinator knows, but without markers. */
  hanging: OpenTransaction[]
}

export class TransactionCoordinator {
  /** While it is true, no end of a transaction reaches a partition or a group. */
  losesMarkers = false
  readonly #holders = new Map<string, Holder>()
  readonly #store: TopicStore
  readonly #groups: GroupCoordinator
  #lostMarkers = 0

  constructor(store: TopicStore, groups: GroupCoordinator) {
    this.#store = store
    this.#groups = groups
  }

  /** InitProducerId: fences the earlier holder, aborts its open transaction, returns the epoch of the new one. */
  init(id: string): number {
    const holder = this.#holders.get(id) ?? { epoch: -1, open: null, hanging: [] }
    this.#holders.set(id, holder)
    this.#end(holder, 'aborted')
    holder.epoch += 1
    return holder.epoch
  }

  /** What the coordinator does when transaction.timeout.ms is over: abort and fence. Without an open transaction nothing. */
  expire(id: string): void {
    const holder = this.#holders.get(id)
    if (holder?.open) this.init(id)
  }

  /** Transactions whose markers were lost so far. */
  get lostMarkers(): number {
    return this.#lostMarkers
  }

  /** Appends in the transaction of this id and epoch; the first record opens it. TW_FENCED for an old epoch. */
  send(id: string, epoch: number, batch: readonly TopicRecords[]): readonly Appended[] {
    const holder = this.#holder(id, epoch)
    // Opened only once the append has passed: a refused one leaves nothing behind.
    const open = holder.open ?? newTransaction()
    const appended = this.#store.append(batch, open.fate)
    for (const log of appended.keys()) open.touched.add(log)
    holder.open = open
    return [...appended.values()]
  }

  /** Keeps positions that become the group's on commit, and never on abort. TW_FENCED for an old epoch. */
  sendOffsets(id: string, epoch: number, offsets: OffsetsOfGroup): void {
    const holder = this.#holder(id, epoch)
    // A pending offset needs a partition that exists at commit, when nothing may fail any more.
    for (const partition of offsets.offsets.keys()) this.#store.partition(offsets.topic, partition)
    holder.open ??= newTransaction()
    holder.open.offsets.push({ ...offsets, offsets: new Map(offsets.offsets) })
  }

  /** Ends the transaction of this id and epoch, records and offsets in one step. TW_FENCED for an old epoch. */
  end(id: string, epoch: number, state: 'committed' | 'aborted'): void {
    this.#end(this.#holder(id, epoch), state)
  }

  #end(holder: Holder, state: 'committed' | 'aborted'): void {
    const open = holder.open
    if (open === null) return
    holder.open = null
    if (this.losesMarkers) {
      holder.hanging.push(open)
      this.#lostMarkers += 1
      return
    }
    const offsets = [...takeAlong(holder, open), ...open.offsets]
    if (state === 'committed')
      for (const { group, topic, offsets: positions } of offsets)
        for (const [partition, offset] of positions) this.#groups.commit(group, topic, partition, offset)
    this.#store.endTransaction(open.fate, state, open.touched)
  }

  #holder(id: string, epoch: number): Holder {
    const holder = this.#holders.get(id)
    if (holder?.epoch !== epoch)
      throw twError('TW_FENCED', `Another producer took over transactional id ${id} (epoch ${epoch} is over).`)
    return holder
  }
}

/**
 * A marker names a producer, not a transaction: on a partition it ends everything of that producer, and for a group all
 * pending offsets. Joins what hangs to the transaction that ends, as far as both touched the same; returns the offsets.
 */
function takeAlong(holder: Holder, { fate, touched, offsets }: OpenTransaction): OffsetsOfGroup[] {
  const groups = new Set(offsets.map(({ group }) => group))
  const taken: OffsetsOfGroup[] = []
  for (const left of holder.hanging) {
    for (const log of touched) if (left.touched.delete(log)) log.join(left.fate, fate)
    taken.push(...left.offsets.filter(({ group }) => groups.has(group)))
    left.offsets = left.offsets.filter(({ group }) => !groups.has(group))
  }
  holder.hanging = holder.hanging.filter(left => left.touched.size > 0 || left.offsets.length > 0)
  return taken
}

function newTransaction(): OpenTransaction {
  return { fate: { state: 'open' }, touched: new Set(), offsets: [] }
}
