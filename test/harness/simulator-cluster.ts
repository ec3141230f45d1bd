// A cluster with the detector's topics, and detector processes on it: what a straight run and a simulated one share.
// Everything of src runs as it is; only clocks, registry and, for alerts, the codec (JSON, to be read in a diff) are ours.
import { alertToJson } from '../../src/alerts/json.ts'
import { eventDecoder } from '../../src/codecs/cloudtrail-event.ts'
import { EventDispatch } from '../../src/codecs/event-dispatch.ts'
import { schemaIdOf } from '../../src/codecs/confluent.ts'
import { StateDecoder, StateEncoder } from '../../src/codecs/principal-state.ts'
import type { EngineOptions } from '../../src/detect/engine.ts'
import type { StoredStates } from '../../src/detect/stored-state.ts'
import { twError } from '../../src/errors.ts'
import { inProcessLog } from '../../src/log/in-process.ts'
import type { InProcessLog } from '../../src/log/in-process.ts'
import type { LogClient } from '../../src/log/log-client.ts'
import type { SchemaSource } from '../../src/log/schema-source.ts'
import type { StoredRecord } from '../../src/log/stored-record.ts'
import { createMetrics } from '../../src/metrics/metrics.ts'
import type { Clock } from '../../src/pipeline/clock.ts'
import type { DetectorOptions } from '../../src/pipeline/detector-options.ts'
import { topicContract } from '../../src/topics.ts'
import { hour, plainProse } from './detection.ts'
import { unread } from './outcome.ts'
import { eventSchema, eventSchemaId, simulatedRules } from './simulator-input.ts'
import type { InputRecord } from './simulator-input.ts'

export const group = 'detect'
export const topics = { events: 'events', alerts: 'alerts', state: 'state', rejected: 'rejected' } as const

const stateSchema = topicContract('STATE_TOPIC').schema!
const stateSchemaId = 72
/** Built once, because resolving schemas takes longer than a whole simulation. */
const plainEvents = eventDecoder(eventSchema)
const fastEvents = new EventDispatch(eventSchema, simulatedRules)
for (const decoder of [plainEvents, fastEvents]) decoder.learn(eventSchemaId, eventSchema)
const plainStates = new StateDecoder(stateSchema, undefined, false)
export const sharedStates = new StateDecoder(stateSchema)
for (const decoder of [plainStates, sharedStates]) decoder.learn(stateSchemaId, stateSchema)
const plainEncoder = new StateEncoder(stateSchema, false)
const fastEncoder = new StateEncoder(stateSchema)
const metrics = createMetrics('detect', 'simulated')
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** What one seed fixes for all its runs: the result depends on it. */
export interface World {
  readonly partitions: number
  readonly engine: Pick<EngineOptions, 'stateTtlMs' | 'dedupHorizonMs'>
  readonly expireEvery: number
}

/** What may differ from run to run without any influence on the result. */
export interface Batching {
  readonly maxBatchRecords: number
  readonly batchMaxRecords: number
  readonly batchMaxMs: number
}

/** A cluster whose input is appended by hand. */
export class SimulatedCluster {
  readonly log: InProcessLog
  readonly group = group
  readonly topics = topics
  #now = 0

  constructor(world: World, maxBatchRecords: number) {
    this.log = inProcessLog({ now: () => this.#now, maxBatchRecords })
    for (const topic of Object.values(topics))
      this.log.createTopic(topic, { partitions: world.partitions, compact: topic === topics.state })
  }

  /** Appends input records, each with its own timestamp. */
  async append(records: readonly InputRecord[]): Promise<void> {
    const producer = await this.log.producer()
    for (const { key, value, timestamp, aborted } of records) {
      this.#now = timestamp
      const batch = [{ topic: topics.events, records: [{ key, value }] }]
      if (aborted !== true) {
        await producer.send(batch)
        continue
      }
      const transaction = await (await this.log.transactionalProducer('input')).begin()
      await transaction.send(batch)
      await transaction.abort()
    }
    await producer.close()
  }

  /** Input records that the group has not committed yet. */
  remaining(): Promise<number> {
    return unread(this)
  }
}

/** The registry, which may be away. Its answers pass no gate: what waits for it waits by sleeping. */
export class SimulatedRegistry implements SchemaSource {
  away = false

  async idOf(): Promise<number> {
    return stateSchemaId
  }

  async schemaById(id: number): Promise<object | null> {
    if (this.away) throw twError('TW_REGISTRY_UNAVAILABLE', 'The registry is away.')
    return id === eventSchemaId ? eventSchema : id === stateSchemaId ? stateSchema : null
  }
}

/**
 * Options of a detector as a new process would have them: it knows no schema yet. With `plain` it has no fast path; a
 * straight run is such, so every simulation holds the fast ways to the plain ones as well.
 */
export function detectorOptions(
  log: LogClient,
  schemas: SchemaSource,
  clock: Clock,
  world: World,
  batching: Batching,
  plain = false,
): DetectorOptions {
  const events = knowing(plain ? plainEvents : fastEvents)
  const states = knowing(plain ? plainStates : sharedStates)
  const look = (record: StoredRecord) => (events.knows(record.value!) ? fastEvents.look(record) : null)
  const read = (record: StoredRecord) => fastEvents.read(record)
  const stored: StoredStates = {
    read: (bytes, start, end) => sharedStates.read(bytes, start, end),
    maxTimeOf: value => (states.knows(value) ? sharedStates.maxTimeOf(value) : NaN),
  }
  return {
    log,
    schemas,
    group,
    topics,
    rules: simulatedRules,
    engine: { ...plainProse, ...world.engine, ...(plain ? {} : { stored }) },
    events: plain ? events : { ...events, look, read },
    alerts: { write: alert => Buffer.from(alertToJson(alert)), contentType: 'application/json' },
    state: {
      decoder: states,
      encoder: plain ? plainEncoder : fastEncoder,
      schemaId: stateSchemaId,
    },
    batchMaxRecords: batching.batchMaxRecords,
    batchMaxMs: batching.batchMaxMs,
    expireEvery: world.expireEvery,
    // An hour: no simulated outage lasts as long, so an end by this limit is a finding.
    openRetryMs: hour,
    metrics,
    logger: silent,
    clock,
  }
}

/** A client of which some calls are replaced. */
export function clientWith(client: LogClient, changes: Partial<LogClient>): LogClient {
  return {
    producer: options => client.producer(options),
    transactionalProducer: id => client.transactionalProducer(id),
    consumer: options => client.consumer(options),
    partitions: topic => client.partitions(topic),
    offsets: topic => client.offsets(topic),
    highWatermarks: topic => client.highWatermarks(topic),
    offsetsAt: (topic, time) => client.offsetsAt(topic, time),
    committed: (group, topic) => client.committed(group, topic),
    read: (topic, partition, options) => client.read(topic, partition, options),
    close: () => client.close(),
    ...changes,
  }
}

/** A decoder that asks for every schema once, in front of one that knows them all. */
function knowing<T extends object>(shared: { decode(bytes: Uint8Array): T }) {
  const known = new Map<number, boolean>()
  return {
    /** Whether the schema of a record was learnt; a record without a schema id needs none. */
    knows(bytes: Uint8Array): boolean {
      const id = schemaIdOf(bytes)
      return id === null || known.get(id) === true
    },
    decode(bytes: Uint8Array): T | { readonly unknownSchema: number } {
      const id = schemaIdOf(bytes)
      if (id === null || known.get(id) === true) return shared.decode(bytes)
      if (known.get(id) === false)
        return { rejected: 'unknown-schema-id', detail: `Schema id ${id} cannot be read.` } as unknown as T
      return { unknownSchema: id }
    },
    learn(id: number, schema: object | null): null {
      known.set(id, schema !== null)
      return null
    },
    forget(id: number): void {
      known.delete(id)
    },
  }
}
