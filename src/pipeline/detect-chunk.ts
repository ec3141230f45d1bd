// A run of records of one partition through the engine: alerts, changed state and dead letters, ready for one transaction.
// Records are taken in order, then evaluated principal by principal: a state is decoded once, changed while it is in the
// processor's cache, written, and gone before the garbage collector meets it.
// Asynchronous only where a writer schema has not been seen yet; a record that cannot be read is a dead letter, always.
import { alertHeaders } from '../alerts/headers.ts'
import type { Engine } from '../detect/engine.ts'
import type { EngineTransaction } from '../detect/engine-transaction.ts'
import { StateDamage } from '../detect/stored-state.ts'
import { asTrailwardenError, twError } from '../errors.ts'
import type { LogRecord, OutRecord, TopicRecords } from '../log/log-client.ts'
import { StoredRecord } from '../log/stored-record.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Rejected, RejectReason } from '../rejected.ts'
import type { HistogramBatch } from '../metrics/event-histogram.ts'
import { positionRecord } from './changelog.ts'
import { processClock } from './clock.ts'
import { deadLetter } from './dead-letter.ts'
import type { DetectorOptions } from './detector-options.ts'
import { readEvent } from './event-record.ts'
import { enterStretch, noteEvent, stretchOf } from './state-expiry.ts'
import type { ExpiryProgress } from './state-expiry.ts'
import { WantedRecords } from './wanted-records.ts'
import type { Pace } from './wanted-records.ts'

/** Where a run of records stands. */
export interface ChunkPosition {
  readonly topic: string
  readonly partition: number
  /** Position after the last of the records: it steps over invisible ones behind it. */
  readonly end: number
  readonly expiry: ExpiryProgress
  readonly pace: Pace
}

/** Who waits for the chunk. */
export interface ChunkWatch {
  /** False as soon as the work is no longer ours. */
  readonly wanted: () => boolean
  /** Called while the chunk waits for something outside: keeps the membership, and tells that this is no stall. */
  readonly alive: () => Promise<void>
}

/** What one transaction will hold besides the offsets. */
export interface ChunkOutput {
  readonly send: readonly TopicRecords[]
  readonly rejected: ReadonlyMap<RejectReason, number>
  /** How many records were taken: the rest is for the next transaction. */
  readonly taken: number
  /** Position after those. */
  readonly next: number
  readonly expiry: ExpiryProgress
  /** Principals forgotten. */
  readonly expired: number
  /** Seconds from the event to now, of every event taken. */
  readonly ages: HistogramBatch
}

/** Expiry every so many offsets: a look at every principal of the partition, tens of milliseconds per million. */
const EXPIRE_EVERY = 100_000
const REGISTRY_RETRY_MS = 1000
const BATCH_MAX_MS = 400
/** Records between two looks at the clock: a look costs as much as passing a record over does. */
const LOOK_AT_CLOCK_EVERY = 16

/**
 * Takes records in order into the engine's transaction, at least one and not necessarily all: a chunk ends with a stretch
 * of the expiry, when its time is up, and before a record whose schema must be waited for. Where it ends has no influence
 * on what is written, only on which transaction it is written in.
 * @param records at least one
 * @returns null when the work is no longer wanted; nothing is to be sent then
 */
export async function detectChunk(
  records: readonly LogRecord[],
  position: ChunkPosition,
  engine: Engine,
  transaction: EngineTransaction,
  options: DetectorOptions,
  watch: ChunkWatch,
): Promise<ChunkOutput | null> {
  const { now } = options.clock ?? processClock
  const every = options.expireEvery ?? EXPIRE_EVERY
  const deadline = now() + (options.batchMaxMs ?? BATCH_MAX_MS)
  // Of the wall clock, unlike everything else here: it is seen in a metric and nowhere else.
  const wall = Date.now()
  const ages = options.metrics.eventAge.batch()
  const refused: Refused[] = []
  const unknown = new Set<number>()
  const stretch = stretchOf(records[0]?.offset ?? position.end, every)
  const entered = enterStretch(position.expiry, stretch)
  const expired = entered.horizon === null ? [] : engine.expired(entered.horizon)
  for (const key of expired) transaction.forget(key)
  let expiry = entered.progress
  const stretchEnd = (stretch + 1) * every
  let taken = 0
  const wanted = new WantedRecords()
  const looks = options.events.look !== undefined
  const most = position.pace.within(options.batchMaxMs ?? BATCH_MAX_MS)
  const seen = (eventTime: number, timestamp: number) => {
    taken++
    expiry = noteEvent(expiry, eventTime, timestamp)
    ages.observe(Math.max(0, (wall - eventTime) / 1000))
  }
  for (const record of records) {
    if (record.offset >= stretchEnd || wanted.count >= most) break
    if (taken % LOOK_AT_CLOCK_EVERY === LOOK_AT_CLOCK_EVERY - 1 && now() > deadline) break
    const stored = looks ? StoredRecord.of(record) : null
    const look = stored === null ? null : options.events.look!(stored)
    if (stored !== null && look !== null) {
      if (look.wanted) wanted.add(stored.keyText(), { record: stored, event: null })
      else transaction.pass()
      seen(look.eventTime, record.timestamp)
      continue
    }
    let event = readEvent(record, options.events)
    // What is done already does not wait for the registry.
    if ('unknownSchema' in event && taken > 0) break
    while ('unknownSchema' in event) {
      if (!(await learn(event.unknownSchema, options, watch, unknown))) return null
      event = readEvent(record, options.events)
    }
    if ('rejected' in event) {
      taken++
      refused.push({ record, refusal: event })
    } else {
      wanted.add(event.principal.key, { record, event })
      seen(event.eventTime, record.timestamp)
    }
  }
  // A schema that is registered late is found by the next chunk; how often the registry is asked is its client's business.
  for (const id of unknown) options.events.forget(id)
  const next = taken === records.length ? position.end : (records[taken - 1]?.offset ?? 0) + 1
  const begun = now()
  const state = evaluate(wanted, position, transaction, options, refused)
  position.pace.note(wanted.count, now() - begun)
  state.push(positionRecord(position.topic, position.partition, next, expiry))
  const rejected = new Map<RejectReason, number>()
  for (const { refusal } of refused) rejected.set(refusal.rejected, (rejected.get(refusal.rejected) ?? 0) + 1)
  const send = outputs(state, position, transaction, refused, options)
  return { send, rejected, taken, next, expiry, expired: expired.length, ages }
}

/** A record that goes to the topic of the rejected ones. */
interface Refused {
  readonly record: LogRecord
  readonly refusal: Rejected
}

/** Takes wanted records in, principal by principal; returns the records of the changed states. */
function evaluate(
  wanted: WantedRecords,
  position: ChunkPosition,
  transaction: EngineTransaction,
  options: DetectorOptions,
  refused: Refused[],
): OutRecord[] {
  const { encoder, schemaId } = options.state
  const { partition } = position
  const state: OutRecord[] = []
  for (const [key, records] of wanted.groups()) {
    for (const { record, event } of records) {
      const refusal = process(event ?? options.events.read!(record), record, position, transaction, options)
      if (refusal !== null) refused.push({ record, refusal })
    }
    const changed = transaction.changed(key)
    if (changed == null) continue
    const written = encoder.write(changed, schemaId)
    // The bytes at rest are what is sent: they stay where they are until the transaction is over.
    state.push({ key, value: transaction.rest(key, written) ?? Buffer.from(written), partition })
  }
  for (const key of transaction.forgotten()) state.push({ key, value: null, partition })
  return state
}

function process(
  event: CloudTrailEvent,
  record: LogRecord,
  position: ChunkPosition,
  transaction: EngineTransaction,
  options: DetectorOptions,
): Rejected | null {
  try {
    transaction.process(
      event,
      { topic: position.topic, partition: position.partition, offset: record.offset },
      record.timestamp,
    )
    return null
  } catch (error) {
    if (error instanceof StateDamage)
      throw twError(
        'TW_STATE_INVALID',
        `A record of ${options.topics.state}, partition ${position.partition}, cannot be read.`,
        error,
      )
    // The engine promises not to throw; if it does, the partition goes on and the record is kept for the defect report.
    options.logger.error({ offset: record.offset, error: describe(error) }, 'The engine failed on a record.')
    return { rejected: 'internal-error', detail: describe(error) }
  }
}

function describe(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 200)
}

/** Asks the registry for a writer schema until it answers; false when the work is no longer wanted. */
async function learn(id: number, options: DetectorOptions, watch: ChunkWatch, unknown: Set<number>): Promise<boolean> {
  const { sleep } = options.clock ?? processClock
  while (watch.wanted()) {
    try {
      const schema = await options.schemas.schemaById(id)
      const reason = options.events.learn(id, schema)
      if (schema === null) unknown.add(id)
      if (reason !== null)
        options.logger.error({ schemaId: id, reason }, 'A writer schema cannot be read by this version.')
      return true
    } catch (thrown) {
      const error = asTrailwardenError(thrown)
      options.logger.warn(
        { schemaId: id, code: error.code },
        'The registry does not answer; waiting with this partition.',
      )
      await sleep(REGISTRY_RETRY_MS)
      await watch.alive()
    }
  }
  return false
}

function outputs(
  state: readonly OutRecord[],
  position: ChunkPosition,
  transaction: EngineTransaction,
  refused: Refused[],
  options: DetectorOptions,
): TopicRecords[] {
  // In the order of the log again: what is written must not tell where it was cut into transactions.
  const alerts = transaction.alerts
    .filter(alert => alert.suppressed === null)
    .sort((a, b) => (a.input?.offset ?? 0) - (b.input?.offset ?? 0))
    .map(alert => ({
      key: alert.principal.key,
      value: options.alerts.write(alert),
      headers: alertHeaders(alert, `trailwarden/${options.group}`, options.alerts.contentType),
    }))
  refused.sort((a, b) => a.record.offset - b.record.offset)
  const deadLetters = refused.map(({ record, refusal }) => deadLetter(record, position, 'DETECT', refusal))
  return [
    { topic: options.topics.state, records: state },
    { topic: options.topics.alerts, records: alerts },
    { topic: options.topics.rejected, records: deadLetters },
  ].filter(part => part.records.length > 0)
}
