// Which rights (ACLs) the user of a connection lacks. Asks and changes nothing: topics by the authorized operations of
// KIP-430, groups and transactional ids by requests that a broker first authorizes and then turns down, because no such
// member or producer exists.

import type { Logger } from '../logger.ts'
import { connectionOf } from './connection.ts'
import type { KafkaConnection } from './connection.ts'
import { asFault, protocolCode } from './faults.ts'
import { readCommittedCluster } from './internals.ts'
import type { Broker } from './internals.ts'
import { kafkajsModule } from './kafkajs.ts'

/** A right in Kafka's terms: https://kafka.apache.org/documentation/#security_authz. Describe comes with every other one. */
export interface Right {
  readonly operation: 'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs' | 'AlterConfigs'
  readonly resource: 'Topic' | 'Group' | 'TransactionalId'
  readonly name: string
  /** Whether it has to hold for every name that begins so (pattern type PREFIXED). */
  readonly prefixed?: true
}

/** `Read on Topic cloudtrail.raw`, with a star behind a prefix: how a right is written in findings, errors and docs. */
export function rightText({ operation, resource, name, prefixed }: Right): string {
  return `${operation} on ${resource} ${name}${prefixed ? '*' : ''}`
}

// AclOperation codes, the bit numbers of authorized operations (clients/.../common/acl/AclOperation.java).
const bits = { Read: 3, Write: 4, Create: 5, Describe: 8, DescribeConfigs: 10, AlterConfigs: 11 } as const
// What a broker answers that was not asked for, or that does not know.
const unknown = -2147483648
const refused: ReadonlySet<number> = new Set([29, 30, 53])
// No producer has it: ids count up from 0.
const nobodysProducerId = '9223372036854775807'

/**
 * The rights among `wanted` that the user lacks; rights that this cluster cannot tell (brokers before 2.3) are not among
 * them. Rejects where the cluster cannot be reached or does not let the user in.
 */
export async function missingRights(
  connection: KafkaConnection,
  logger: Logger,
  wanted: readonly Right[],
): Promise<readonly Right[]> {
  const cluster = readCommittedCluster(connectionOf(connection, logger))
  try {
    await cluster.connect()
    await cluster.refreshMetadata()
    const [nodeId] = cluster.getNodeIds()
    const broker = await cluster.findBroker({ nodeId: Number(nodeId) })
    const topics = [...new Set(wanted.filter(({ resource }) => resource === 'Topic').map(({ name }) => name))]
    const operations = await topicOperations(broker, topics)
    const missing: Right[] = []
    for (const right of wanted) if (await lacks(right, broker, operations)) missing.push(right)
    return missing
  } catch (error) {
    throw asFault(error, 'TW_BROKER_UNAVAILABLE', 'Asking for the rights of this user')
  } finally {
    await cluster.disconnect().catch(() => undefined)
  }
}

async function lacks(right: Right, broker: Broker, operations: ReadonlyMap<string, number>): Promise<boolean> {
  switch (right.resource) {
    case 'Topic': {
      const known = operations.get(right.name) ?? unknown
      return known !== unknown && (known & (1 << bits[right.operation])) === 0
    }
    case 'Group':
      return isRefusing(() => broker.heartbeat({ groupId: right.name, groupGenerationId: -1, memberId: '' }))
    case 'TransactionalId': {
      const nobody = { producerId: nobodysProducerId, producerEpoch: 0, transactionResult: false }
      const transactionalId = right.prefixed ? `${right.name}0` : right.name
      return isRefusing(() => broker.endTxn({ transactionalId, ...nobody }))
    }
  }
}

async function isRefusing(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask()
    return false
  } catch (error) {
    const code = protocolCode(error)
    if (code === null) throw error
    return refused.has(code)
  }
}

interface Decoder {
  readInt8(): number
  readInt16(): number
  readInt32(): number
  readString(): string | null
  readBoolean(): boolean
  readArray<T>(read: (decoder: Decoder) => T): T[]
}

interface Encoder {
  writeArray(items: readonly string[]): Encoder
  writeBoolean(value: boolean): Encoder
}

const metadataKey = 3
const metadataVersion = 8

/**
 * Bit sets by topic; 0 for a topic that may not even be seen. A topic that does not exist has none. Metadata version 8, the
 * first with authorized operations; kafkajs ends at 6: https://kafka.apache.org/protocol#The_Messages_Metadata
 */
async function topicOperations(broker: Broker, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  if (topics.length === 0 || (broker.versions?.[metadataKey]?.maxVersion ?? 0) < metadataVersion) return found
  const NewEncoder = kafkajsModule<new () => Encoder>('protocol/encoder')
  const NewDecoder = kafkajsModule<new (bytes: Buffer) => Decoder>('protocol/decoder')
  await broker.connectionPool.send({
    request: {
      apiKey: metadataKey,
      apiVersion: metadataVersion,
      apiName: 'Metadata',
      // Topics, no creation of topics, no operations on the cluster, those on the topics.
      encode: async () =>
        new NewEncoder().writeArray(topics).writeBoolean(false).writeBoolean(false).writeBoolean(true),
    },
    response: {
      decode: async bytes => {
        for (const { name, code, operations } of metadataTopics(new NewDecoder(bytes)))
          if (name !== null && (code === 0 || refused.has(code))) found.set(name, code === 0 ? operations : 0)
        return {}
      },
      parse: async () => undefined,
    },
  })
  return found
}

function metadataTopics(decoder: Decoder) {
  decoder.readInt32() // throttle time
  decoder.readArray(d => [d.readInt32(), d.readString(), d.readInt32(), d.readString()]) // brokers
  decoder.readString() // cluster id
  decoder.readInt32() // controller
  return decoder.readArray(topic => {
    const code = topic.readInt16()
    const name = topic.readString()
    topic.readBoolean() // internal
    topic.readArray(d => {
      d.readInt16() // error
      for (let field = 0; field < 3; field++) d.readInt32() // partition, leader, leader epoch
      for (let list = 0; list < 3; list++) d.readArray(one => one.readInt32()) // replicas, in sync, offline
    })
    return { code, name, operations: topic.readInt32() }
  })
}
