// The group coordinator of the in-process log: membership, generations, assignment and committed offsets.
// Eager rebalancing: every join or leave begins a generation and assigns all partitions anew, keeping owners where the
// balance allows. Members are told, not asked: who has not heard yet is a zombie, and its commits are refused.
import { twError } from '../errors.ts'
import { assignPartitions } from './sticky-assignment.ts'

/** What the coordinator knows of a member. `rebalanced` is called synchronously; the member takes it up when it can. */
export interface Member {
  readonly topic: string
  rebalanced(generation: number, partitions: readonly number[]): void
}

interface Group {
  generation: number
  /** In order of joining; the value is what the member owns. */
  readonly members: Map<Member, readonly number[]>
  /** By topic, then partition. */
  readonly committed: Map<string, Map<number, number>>
}

export class GroupCoordinator {
  readonly #groups = new Map<string, Group>()
  readonly #partitionCount: (topic: string) => number

  constructor(partitionCount: (topic: string) => number) {
    this.#partitionCount = partitionCount
  }

  join(name: string, member: Member): void {
    const group = this.#group(name)
    group.members.set(member, [])
    this.#rebalance(group)
  }

  /** Also the end of a session: who is not a member (any more) changes nothing. */
  leave(name: string, member: Member): void {
    const group = this.#group(name)
    if (group.members.delete(member)) this.#rebalance(group)
  }

  isMember(name: string, member: Member): boolean {
    return this.#group(name).members.has(member)
  }

  /** Throws TW_REBALANCED unless the member belongs to the group and its generation is the newest. */
  check(name: string, member: Member, generation: number): void {
    const group = this.#group(name)
    if (!group.members.has(member) || group.generation !== generation)
      throw twError('TW_REBALANCED', `Generation ${generation} of group ${name} is over.`)
  }

  isNewest(name: string, generation: number): boolean {
    return this.#group(name).generation === generation
  }

  /** Sets a committed position, in whatever direction: a group may be reset to an earlier one. */
  commit(name: string, topic: string, partition: number, offset: number): void {
    const { committed } = this.#group(name)
    const offsets = committed.get(topic) ?? new Map<number, number>()
    committed.set(topic, offsets.set(partition, offset))
  }

  committed(name: string, topic: string, partition: number): number | null {
    return this.#groups.get(name)?.committed.get(topic)?.get(partition) ?? null
  }

  #group(name: string): Group {
    const group = this.#groups.get(name) ?? { generation: 0, members: new Map(), committed: new Map() }
    this.#groups.set(name, group)
    return group
  }

  #rebalance(group: Group): void {
    group.generation += 1
    const topics = new Set([...group.members.keys()].map(member => member.topic))
    for (const topic of topics) {
      const members = [...group.members].filter(([member]) => member.topic === topic)
      const owned = assignPartitions(
        this.#partitionCount(topic),
        members.map(([, partitions]) => partitions),
      )
      members.forEach(([member], i) => group.members.set(member, owned[i] ?? []))
    }
    for (const [member, partitions] of group.members) member.rebalanced(group.generation, partitions)
  }
}
