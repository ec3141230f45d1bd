// The transactional ids of the detector: one per partition of its input, so that whoever owns the partition fences whoever
// owned it before. Rights are granted on their common beginning.

/** What all transactional ids of a group on a topic begin with. */
export function transactionalIdPrefix(group: string, topic: string): string {
  return `trailwarden-${group}-${topic}-`
}

/** The transactional id of one input partition. */
export function transactionalIdOf(group: string, topic: string, partition: number): string {
  return `${transactionalIdPrefix(group, topic)}${partition}`
}
