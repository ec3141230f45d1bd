// The parts of kafkajs that are not public and that reading outside a group needs: a Cluster with its brokers.
// kafkajs is pinned to one version (see kafkajs.ts), so these shapes do not move under us.

import type { Kafka } from 'kafkajs'
import { twError } from '../errors.ts'
import type { PartitionData } from './corrections/batch.ts'

/** A partition of a decoded Fetch response. */
export type FetchedPartition = PartitionData

/** kafkajs' connection to one broker. */
export interface Broker {
  fetch(request: {
    readonly isolationLevel: 0 | 1
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly fetchOffset: string
        readonly maxBytes: number
      }[]
    }[]
  }): Promise<{ readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[] }>
}

/** kafkajs' view of the cluster: metadata and brokers. */
export interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  refreshMetadata(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[]
  findBroker(node: { readonly nodeId: number }): Promise<Broker>
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number }[]
      readonly fromBeginning?: boolean
      readonly fromTimestamp?: number
    }[],
  ): Promise<readonly { readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>
}

/** A Cluster of its own on the client's settings; with read_committed, "end" means the last stable offset everywhere. */
export function readCommittedCluster(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(s => s.description === 'private:Kafka:createCluster')
  if (!symbol) throw twError('TW_KAFKAJS_UNPATCHED', 'kafkajs no longer has the cluster factory that reading needs.')
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol]
  if (!create) throw twError('TW_KAFKAJS_UNPATCHED', 'kafkajs no longer has the cluster factory that reading needs.')
  return create({ isolationLevel: 1, allowAutoTopicCreation: false, metadataMaxAge: 60_000 })
}
