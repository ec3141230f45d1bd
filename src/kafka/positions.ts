// Which partitions of a group member are being delivered, and from where. Pure bookkeeping for consumer.ts.
// It decides what kafkajs cannot: whether a batch that arrives belongs to the current delivery of its partition, or was
// fetched before a rebalance, a pause or a seek and must be dropped. A dropped batch is never lost: it is read again.

/** One delivery of a partition, from a `resume` to the next pause, resume or rebalance. */
export interface Delivery {
  readonly generation: number
  /** The offset at which the next batch has to begin. */
  position: number
}

/** What to do with a batch. */
export type Verdict =
  | { readonly kind: 'deliver'; readonly delivery: Delivery }
  /** Not delivered at present: leave it alone. */
  | { readonly kind: 'drop' }
  /** Delivered, but this batch is from another position: go back to the right one. */
  | { readonly kind: 'rewind'; readonly to: number }

/** The deliveries of one group member. */
export class Positions {
  readonly #deliveries = new Map<number, Delivery>()
  #generation = 0

  get generation(): number {
    return this.#generation
  }

  /** A new generation of the group: every delivery of the old one is over. Returns its number, counting from 1. */
  nextGeneration(): number {
    this.#deliveries.clear()
    return ++this.#generation
  }

  begin(partition: number, position: number): void {
    this.#deliveries.set(partition, { generation: this.#generation, position })
  }

  end(partition: number): void {
    this.#deliveries.delete(partition)
  }

  judge(partition: number, fetchedOffset: number): Verdict {
    const delivery = this.#deliveries.get(partition)
    if (!delivery) return { kind: 'drop' }
    if (delivery.position !== fetchedOffset) return { kind: 'rewind', to: delivery.position }
    return { kind: 'deliver', delivery }
  }

  /** Moves a delivery on. False where it is over: its handler comes too late and must not move anything. */
  move(partition: number, delivery: Delivery, position: number): boolean {
    if (this.#deliveries.get(partition) !== delivery) return false
    delivery.position = position
    return true
  }

  /** kafkajs stepped over records nobody may see. Taken over only where it did so from the current position. */
  stepped(partition: number, from: number, position: number): void {
    const delivery = this.#deliveries.get(partition)
    if (delivery?.position === from) delivery.position = position
  }
}
