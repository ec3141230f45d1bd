// The only module that loads kafkajs. It puts the corrections of ./corrections into the module cache first, loads
// kafkajs on top of them, and proves on kafkajs' own classes that they are what runs. Where that cannot be (kafkajs
// was loaded before, or is another version) it throws TW_KAFKAJS_UNPATCHED: a client that leaks aborted records is
// worse than none.

import Module, { createRequire } from 'node:module'
import type * as Kafkajs from 'kafkajs'
import { twError } from '../errors.ts'
import { Batch } from './corrections/batch.ts'
import { leavingClosedSocket } from './corrections/closed-socket.ts'
import { codecs } from './corrections/codecs.ts'
import type { Codec } from './corrections/codecs.ts'
import { followingCoordinator, joiningPatiently } from './corrections/group-coordinator.ts'
import { recoverFromOffsetOutOfRange } from './corrections/offset-out-of-range.ts'
import {
  committingPatiently,
  endingJoins,
  joiningWhileWanted,
  outagePatience,
  outlastingOutages,
} from './corrections/outage.ts'
import { groupMessagesPerPartition } from './corrections/partition-grouping.ts'
import { framedRequest, produceRequest } from './corrections/produce-request.ts'
import { failingOnRefusal, parsingTheCause, tellingRefusal } from './corrections/refusals.ts'
import { decodeRecordBatches, magicOf } from './corrections/record-batches.ts'
import type { StoredBatch } from './corrections/record-batches.ts'
import { returningBuffers } from './corrections/request-buffers.ts'
import { scheduleCheckPendingRequests } from './corrections/request-queue.ts'
import { processData } from './corrections/whole-responses.ts'

const require = createRequire(import.meta.url)
const supported = '2.2.4'
const mark = Symbol.for('trailwarden.kafkajs.corrections')

/** kafkajs' Decoder, as far as a record set needs it. */
interface Decoder {
  readInt32(): number
  canReadBytes(count: number): boolean
  readBytes(count: number): Buffer
}

interface LegacyMessage {
  readonly offset: string
  readonly timestamp?: string
  readonly key: Buffer | null
  readonly value: Buffer | null
}

interface Compression {
  readonly Codecs: Record<number, (() => Codec) | undefined>
}

/** A codec as its compressing side sees the bytes: wrapped in one of kafkajs' encoders. */
interface Compressor {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
}

interface GroupMethods {
  readonly joinAndSync: ReturnType<typeof joiningPatiently>
  readonly heartbeat: ReturnType<typeof followingCoordinator>
}

interface RunnerMethods {
  readonly start: ReturnType<typeof outlastingOutages>
  readonly stop: ReturnType<typeof endingJoins>
}

interface OffsetManagerMethods {
  readonly commitOffsets: ReturnType<typeof committingPatiently>
}

interface ConnectionMethods {
  readonly rejectRequests: ReturnType<typeof failingOnRefusal>
  readonly disconnect: ReturnType<typeof leavingClosedSocket>
}

interface BrokerMethods {
  readonly produce: ReturnType<typeof returningBuffers>
}

interface PoolMethods {
  readonly withBroker: ReturnType<typeof tellingRefusal>
}

interface ProtocolErrors {
  readonly createErrorFromCode: (code: number) => Error
}

const path = (name: string) => require.resolve(`kafkajs/src/${name}`)
const load = <T>(name: string) => require(`kafkajs/src/${name}`) as T

async function decompress(codec: number, bytes: Buffer): Promise<Buffer> {
  const found = load<Compression>('protocol/message/compression').Codecs[codec]
  if (!found) throw new Error('there is no such codec in the Kafka protocol')
  return found().decompress(bytes)
}

async function compress(codec: number, bytes: Buffer): Promise<Buffer> {
  const found = load<{ lookupCodec(codec: number): Compressor | null }>('protocol/message/compression')
  const compressor = found.lookupCodec(codec)
  if (compressor === null) throw new Error(`there is no codec ${codec} in the Kafka protocol`)
  return compressor.compress({ buffer: bytes })
}

/** Native where its prebuilt binary is installed (ten times faster), else kafkajs' own. */
function checksum(): (bytes: Buffer) => number {
  try {
    return (require('@node-rs/crc32') as { readonly crc32c: (bytes: Buffer) => number }).crc32c
  } catch {
    return load<(bytes: Buffer) => number>('protocol/recordBatch/crc32C')
  }
}

/** kafkajs' own decodeMessages, with record batches decoded by ./corrections/record-batches.ts. */
async function decodeMessages(decoder: Decoder): Promise<StoredBatch[]> {
  const size = decoder.readInt32()
  if (size <= 0 || !decoder.canReadBytes(size)) return []
  const bytes = decoder.readBytes(size)
  return magicOf(bytes) === 2 ? decodeRecordBatches(bytes, decompress) : decodeMessageSet(bytes)
}

/** Message sets of the formats before Kafka 0.11, which an upgraded topic may still hold. */
async function decodeMessageSet(bytes: Buffer): Promise<StoredBatch[]> {
  type Decode = (decoder: unknown, size: number) => Promise<readonly LegacyMessage[]>
  const KafkajsDecoder = load<new (bytes: Buffer) => Decoder>('protocol/decoder')
  const messages = await load<Decode>('protocol/messageSet/decoder')(new KafkajsDecoder(bytes), bytes.length)
  return messages.map(({ offset, timestamp, key, value }) => ({
    baseOffset: Number(offset),
    nextOffset: Number(offset) + 1,
    producerId: -1,
    transactional: false,
    control: false,
    records: [{ offset: Number(offset), timestamp: Number(timestamp ?? -1), key, value, headers: {} }],
  }))
}

/** kafkajs modules that are replaced whole, and the module of kafkajs that must have picked each of them up. */
const replacements = [
  {
    name: 'protocol/requests/fetch/v4/decodeMessages',
    exports: decodeMessages,
    user: 'protocol/requests/fetch/v11/response',
  },
  { name: 'consumer/batch', exports: Batch, user: 'consumer/consumerGroup' },
  { name: 'producer/groupMessagesPerPartition', exports: groupMessagesPerPartition, user: 'producer/sendMessages' },
  {
    name: 'protocol/requests/produce/v3/request',
    exports: produceRequest({ crc32c: checksum(), compress }),
    user: 'protocol/requests/produce/v4/request',
  },
  { name: 'protocol/request', exports: framedRequest, user: 'network/connection' },
] as const

type Marked = Record<symbol, unknown>

function replaceModules(): void {
  const { version } = require('kafkajs/package.json') as { version: string }
  if (version !== supported) {
    throw twError('TW_KAFKAJS_UNPATCHED', `kafkajs ${version} is installed; the corrections are for ${supported}.`)
  }
  for (const { name, exports, user } of replacements) {
    const loaded = require.cache[path(user)] ?? require.cache[path(name)]
    if (loaded) {
      throw twError('TW_KAFKAJS_UNPATCHED', `kafkajs was loaded before trailwarden (its ${name} is already in use).`)
    }
    const replacement = new Module(path(name))
    Object.assign(replacement, { filename: path(name), loaded: true, exports })
    require.cache[path(name)] = replacement
  }
}

function correctInPlace(): void {
  const compression = load<Compression>('protocol/message/compression')
  for (const [number, codec] of Object.entries(codecs)) compression.Codecs[Number(number)] = () => codec
  Object.assign(load<{ prototype: object }>('network/requestQueue').prototype, { scheduleCheckPendingRequests })
  const { prototype: connection } = load<{ prototype: ConnectionMethods }>('network/connection')
  Object.assign(connection, {
    rejectRequests: failingOnRefusal(connection.rejectRequests),
    disconnect: leavingClosedSocket(connection.disconnect),
    processData,
  })
  const { prototype: broker } = load<{ prototype: BrokerMethods }>('broker')
  Object.assign(broker, { produce: returningBuffers(broker.produce) })
  const { prototype: pool } = load<{ prototype: PoolMethods }>('cluster/brokerPool')
  Object.assign(pool, { withBroker: tellingRefusal(pool.withBroker) })
  const parse = parsingTheCause(load<ProtocolErrors>('protocol/error').createErrorFromCode)
  for (const version of [0, 1])
    Object.assign(load<object>(`protocol/requests/addPartitionsToTxn/v${version}/response`), { parse })
  const { prototype: group } = load<{ prototype: GroupMethods }>('consumer/consumerGroup')
  Object.assign(group, {
    recoverFromOffsetOutOfRange,
    joinAndSync: joiningPatiently(joiningWhileWanted(group.joinAndSync), {
      joinForMs: outagePatience.forMs,
      everyMs: 200,
    }),
    heartbeat: followingCoordinator(group.heartbeat),
  })
  const { prototype: runner } = load<{ prototype: RunnerMethods }>('consumer/runner')
  Object.assign(runner, { start: outlastingOutages(runner.start), stop: endingJoins(runner.stop) })
  const { prototype: offsets } = load<{ prototype: OffsetManagerMethods }>('consumer/offsetManager')
  Object.assign(offsets, { commitOffsets: committingPatiently(offsets.commitOffsets) })
}

/** Case A of the leak on the Batch that kafkajs will construct: producer 1 begins first, producer 2 aborts first. */
function proveOn(kafkajs: Marked): void {
  for (const { name, user } of replacements) {
    load(user) // some of kafkajs' modules are loaded at first use only
    const used = require.cache[path(user)]?.children.includes(require.cache[path(name)] as NodeModule)
    if (!used) throw twError('TW_KAFKAJS_UNPATCHED', `kafkajs does not use the corrected ${name}.`)
  }
  const record = (offset: number) => ({ offset, timestamp: 0, key: null, value: null, headers: {} })
  const batch = (offset: number, producerId: number) => ({
    ...{ baseOffset: offset, nextOffset: offset + 1, producerId, transactional: true, control: false },
    records: [record(offset)],
  })
  const abortedTransactions = [
    { producerId: '2', firstOffset: '11' },
    { producerId: '1', firstOffset: '10' },
  ]
  const messages = [batch(10, 1), batch(11, 2), batch(12, 3)]
  const seen = new (load<typeof Batch>('consumer/batch'))('proof', '10', {
    partition: 0,
    highWatermark: '20',
    abortedTransactions,
    messages,
  })
  if (seen.messages.length !== 1 || seen.messages[0]?.offset !== 12 || seen.nextOffset !== 13) {
    throw twError('TW_KAFKAJS_UNPATCHED', 'kafkajs still delivers records of aborted transactions.')
  }
  kafkajs[mark] = supported
}

function loadCorrected(): typeof Kafkajs {
  // A second copy of trailwarden in one process finds the work done.
  const before = require.cache[require.resolve('kafkajs')]?.exports as Marked | undefined
  if (before?.[mark] === supported) return before as unknown as typeof Kafkajs
  replaceModules()
  const kafkajs = require('kafkajs') as typeof Kafkajs
  correctInPlace()
  proveOn(kafkajs)
  return kafkajs
}

/** A module of kafkajs that its index does not export, by its path under src. */
export function kafkajsModule<T>(name: string): T {
  return load<T>(name)
}

/** kafkajs 2.2.4 with the corrections active; importing this module throws TW_KAFKAJS_UNPATCHED where they cannot be. */
export const kafkajs: typeof Kafkajs = loadCorrected()
