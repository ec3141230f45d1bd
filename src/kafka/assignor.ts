// Sticky, eager assignor for kafkajs, which ships round robin over random member ids only: there every restart moves
// almost every partition, and every partition that moves is a state to restore. Every member tells the leader with its
// join what it owned and in which generation (log/sticky-assignment.ts decides); after a rebalance it goes on with what
// it kept without reading its state again.

import type { Assigner, Cluster, PartitionAssigner } from 'kafkajs'
import { assignTopics } from '../log/sticky-assignment.ts'
import type { StickyMember } from '../log/sticky-assignment.ts'
import { ownedBy } from './corrections/group-coordinator.ts'
import type { Ownership } from './corrections/group-coordinator.ts'
import { kafkajs } from './kafkajs.ts'

const nothing: Ownership = { generation: -1, partitions: new Map() }

/** The assignor as kafkajs takes it, for the member that owns the Cluster it is given. */
export const stickyAssignor: PartitionAssigner = ({ cluster }): Assigner => {
  const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol
  const version = 0
  const name = 'trailwarden-sticky'
  return {
    name,
    version,
    protocol({ topics }) {
      const userData = encodeOwnership(ownedBy(cluster) ?? nothing)
      return { name, metadata: MemberMetadata.encode({ version, topics, userData }) }
    },
    async assign({ members, topics }) {
      const known = members.map(({ memberId, memberMetadata }) => stickyMember(memberId, memberMetadata))
      const all = new Set([...topics, ...known.flatMap(member => member.topics)])
      const counts = await partitionCounts(cluster, all)
      return [...assignTopics(known, counts)].map(([memberId, share]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version,
          assignment: Object.fromEntries(
            [...share].flatMap(([topic, partitions]) => (partitions.length > 0 ? [[topic, [...partitions]]] : [])),
          ),
          userData: Buffer.alloc(0),
        }),
      }))
    },
  }
}

/** A topic that only other members read has no metadata here yet; one that does not exist is theirs to complain about. */
async function partitionCounts(cluster: Cluster, topics: Iterable<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const topic of topics) {
    if (cluster.findTopicPartitionMetadata(topic).length === 0)
      await cluster.addTargetTopic(topic).catch(() => undefined)
    counts.set(topic, cluster.findTopicPartitionMetadata(topic).length)
  }
  return counts
}

/** Reads what a member sent with its join. What cannot be read claims nothing: a member must not bring the leader down. */
function stickyMember(id: string, metadata: Buffer): StickyMember {
  try {
    const { topics, userData } = kafkajs.AssignerProtocol.MemberMetadata.decode(metadata) ?? { topics: [] }
    const { generation, partitions } = decodeOwnership(userData ?? Buffer.alloc(0)) ?? nothing
    return { id, topics, generation, owned: partitions }
  } catch {
    return { id, topics: [], generation: -1, owned: new Map() }
  }
}

/**
 * What a member owned, in the layout of the Java client's sticky assignor (StickyAssignorUserData, version 1): an array
 * of topic (string) and partitions (array of int32), then the generation (int32).
 */
export function encodeOwnership({ generation, partitions }: Ownership): Buffer {
  const parts: Buffer[] = [int32(partitions.size)]
  for (const [topic, numbers] of partitions) {
    const name = Buffer.from(topic)
    const length = Buffer.alloc(2)
    length.writeInt16BE(name.length)
    parts.push(length, name, int32(numbers.length), ...numbers.map(int32))
  }
  return Buffer.concat([...parts, int32(generation)])
}

/** Reads it back; null for anything else. Total. */
export function decodeOwnership(bytes: Buffer): Ownership | null {
  let at = 0
  const next = (size: number) => (at += size) - size
  try {
    const partitions = new Map<string, readonly number[]>()
    for (let topics = bytes.readInt32BE(next(4)); topics > 0; topics--) {
      const length = bytes.readInt16BE(next(2))
      if (length < 0) return null
      const from = next(length)
      const topic = bytes.toString('utf8', from, at)
      const count = bytes.readInt32BE(next(4))
      if (count < 0 || count > (bytes.length - at) / 4) return null
      partitions.set(
        topic,
        Array.from({ length: count }, () => bytes.readInt32BE(next(4))),
      )
    }
    const generation = bytes.readInt32BE(next(4))
    return at === bytes.length ? { generation, partitions } : null
  } catch {
    // Reading beyond the end throws: the data is shorter than it says.
    return null
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
