// The parts of kafkajs that are not public and that reading outside a group needs: a Cluster with its brokers.
// kafkajs is pinned to one version (see kafkajs.ts), so these shapes do not move under us.

import type { Kafka } from 'kafkajs'
import { twError } from '../errors.ts'
import type { PartitionData } from './corrections/batch.ts'

/** A partition of a decoded Fetch response. */
export type FetchedPartition = PartitionData

/** A request of the Kafka protocol with the reading of its answer. */
export interface ProtocolCall {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly encode: () => Promise<unknown>
  }
  readonly response: {
    readonly decode: (bytes: Buffer) => Promise<object>
    readonly parse: (decoded: object) => Promise<unknown>
  }
}

/** kafkajs' connection to one broker. */
export interface Broker {
  /** What the broker supports, by api key; null before it is connected. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null
  readonly connectionPool: { send(call: ProtocolCall): Promise<unknown> }
  heartbeat(request: {
    readonly groupId: string
    readonly groupGenerationId: number
    readonly memberId: string
  }): Promise<unknown>
  endTxn(request: {
    readonly transactionalId: string
    readonly producerId: string
    readonly producerEpoch: number
    readonly transactionResult: boolean
  }): Promise<unknown>
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
  getNodeIds(): readonly string[]
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

type CreateCluster = (options: Readonly<Record<string, unknown>>) => Cluster

/** What a client makes its clusters with: read it, or put another in its place. */
export function clusterFactoryOf(kafka: Kafka): { create: CreateCluster } {
  const symbol = Object.getOwnPropertySymbols(kafka).find(s => s.description === 'private:Kafka:createCluster')
  const holder = kafka as unknown as Record<symbol, CreateCluster>
  const create = symbol && holder[symbol]
  if (!create) throw twError('TW_KAFKAJS_UNPATCHED', 'kafkajs no longer has the cluster factory that reading needs.')
  return {
    get create() {
      return holder[symbol] ?? create
    },
    set create(another) {
      holder[symbol] = another
    },
  }
}

/** The same cluster over the same connections, for which "end" means the high watermark. */
export function uncommittedView(cluster: Cluster): Cluster {
  return Object.create(cluster, { isolationLevel: { value: 0 } }) as Cluster
}

/** A Cluster of its own on the client's settings; with read_committed, "end" means the last stable offset everywhere. */
export function readCommittedCluster(kafka: Kafka): Cluster {
  const { create } = clusterFactoryOf(kafka)
  return create({ isolationLevel: 1, allowAutoTopicCreation: false, metadataMaxAge: 60_000 })
}
