// What happens when a fetch position no longer exists. Replaces ConsumerGroup.prototype.recoverFromOffsetOutOfRange
// (kafkajs src/consumer/consumerGroup.js). Why: the original commits the default offset for the group and goes on, so
// that records lost to retention are lost without a trace, and the committed position is gone as well.

/** Called with the partition whose position is gone; it must stop fetching it before it returns. */
export type OutOfRangeHandler = (topic: string, partition: number) => void

// By kafkajs' Cluster, of which every consumer has its own: the group instance itself is never exposed.
const handlers = new WeakMap<object, OutOfRangeHandler>()

/** Registers what the consumer that owns this kafkajs Cluster does when a position is out of range. */
export function onOffsetOutOfRange(cluster: object, handler: OutOfRangeHandler): void {
  handlers.set(cluster, handler)
}

/** Asks the owner of the consumer; throws the broker's error where there is none (the consumer then crashes, visibly). */
export async function recoverFromOffsetOutOfRange(
  this: { readonly cluster: object },
  error: Error & { readonly topic: string; readonly partition: number },
): Promise<void> {
  const handler = handlers.get(this.cluster)
  if (!handler) throw error
  handler(error.topic, error.partition)
}
