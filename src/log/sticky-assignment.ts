// Which member of a group reads which partitions: sticky and balanced. One function for the group of the in-process log
// and for the assignor on Kafka, so that the fault simulation runs what real groups run. Pure and deterministic: a leader
// that is replaced in the middle of a rebalance decides the same.

/** A member as the leader of the group sees it. */
export interface StickyMember {
  readonly id: string
  readonly topics: readonly string[]
  /** Partitions it says it owned, by topic: a claim, not a fact. */
  readonly owned: ReadonlyMap<string, readonly number[]>
  /** Generation of the claim; the newest claim of a partition counts. */
  readonly generation: number
}

/**
 * Assigns every partition of every topic that somebody reads to exactly one of its readers.
 * Each topic is shared out evenly, to within one partition, among those who read it; where topics do not divide evenly,
 * the larger shares go round. A member keeps what it owned as far as that allows. Claims on partitions that do not exist
 * count for nothing, of two claims on one the newer counts, of equally new ones that of the smaller id.
 * @param counts number of partitions by topic; topics nobody reads are left out of the result
 * @returns by member id, then topic; every member has an entry, partitions are in ascending order
 */
export function assignTopics(
  members: readonly StickyMember[],
  counts: ReadonlyMap<string, number>,
): Map<string, Map<string, readonly number[]>> {
  const inOrder = [...members].sort((a, b) => compare(a.id, b.id))
  const result = new Map(inOrder.map(({ id }) => [id, new Map<string, readonly number[]>()]))
  const load = new Map<string, number>()
  const loadOf = ({ id }: StickyMember) => load.get(id) ?? 0
  for (const [topic, count] of [...counts].sort(([a], [b]) => compare(a, b))) {
    const readers = inOrder.filter(({ topics }) => topics.includes(topic)).sort((a, b) => loadOf(a) - loadOf(b))
    const shares = assignPartitions(count, acceptedClaims(topic, count, readers))
    for (const [index, reader] of readers.entries()) {
      const share = shares[index] ?? []
      result.get(reader.id)?.set(topic, share)
      load.set(reader.id, loadOf(reader) + share.length)
    }
  }
  return result
}

/** What each reader owned of a topic, without contradictions, ascending. */
function acceptedClaims(topic: string, count: number, readers: readonly StickyMember[]): number[][] {
  const newestFirst = [...readers.entries()].sort(([, a], [, b]) => b.generation - a.generation || compare(a.id, b.id))
  const taken = new Set<number>()
  const claims = readers.map((): number[] => [])
  for (const [index, { owned }] of newestFirst)
    for (const partition of owned.get(topic) ?? []) {
      if (!Number.isInteger(partition) || partition < 0 || partition >= count || taken.has(partition)) continue
      taken.add(partition)
      claims[index]?.push(partition)
    }
  return claims.map(partitions => partitions.sort((a, b) => a - b))
}

/** By code unit: the order must not depend on the locale of a machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Sticky assignment of partitions 0..count-1: every member gets the same number or one more, keeps what it owned as far
 * as that allows, and the rest is dealt in order. `owned` is by member, disjoint; the result has its order, sorted inside.
 */
export function assignPartitions(count: number, owned: readonly (readonly number[])[]): number[][] {
  const least = Math.floor(count / owned.length)
  let larger = count % owned.length
  const free = new Set(Array.from({ length: count }, (_, partition) => partition))
  const result = owned.map(before => {
    const quota = before.length > least && larger > 0 ? least + 1 : least
    if (quota > least) larger -= 1
    const kept = before.slice(0, quota)
    for (const partition of kept) free.delete(partition)
    return kept
  })
  const deal = (upTo: number): void => {
    for (const partitions of result)
      for (const partition of free) {
        if (partitions.length >= upTo) break
        partitions.push(partition)
        free.delete(partition)
      }
  }
  deal(least)
  deal(least + 1)
  return result.map(partitions => partitions.sort((a, b) => a - b))
}
