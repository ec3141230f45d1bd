// A run of records of one partition through the engine: alerts, changed state and dead letters, ready for one transaction.
// Asynchronous only where a writer schema has not been seen yet; a record that cannot be read is a dead letter, always.
import { setTimeout as sleep } from 'node:timers/promises'
import { alertHeaders } from '../alerts/headers.ts'
import type { EngineTransaction } from '../detect/engine.ts'
import { asTrailwardenError } from '../errors.ts'
import type { LogRecord, OutRecord, TopicRecords } from '../log/log-client.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Rejected, RejectReason } from '../rejected.ts'
import { positionRecord } from './changelog.ts'
import { deadLetter } from './dead-letter.ts'
import type { DetectorOptions } from './detector-options.ts'

/** Where a chunk stands. */
export interface ChunkPosition {
  readonly topic: string
  readonly partition: number
  /** Position after the chunk. */
  readonly next: number
}

/** What one transaction will hold besides the offsets. */
export interface ChunkOutput {
  readonly send: readonly TopicRecords[]
  readonly rejected: ReadonlyMap<RejectReason, number>
}

const REGISTRY_RETRY_MS = 1000

/**
 * Processes records in order into the engine's transaction.
 * @param wanted false as soon as the work is no longer ours; then null is returned and nothing is to be sent
 */
export async function detectChunk(
  records: readonly LogRecord[],
  position: ChunkPosition,
  transaction: EngineTransaction,
  options: DetectorOptions,
  wanted: () => boolean,
): Promise<ChunkOutput | null> {
  const rejected = new Map<RejectReason, number>()
  const deadLetters: OutRecord[] = []
  const unknown = new Set<number>()
  for (const record of records) {
    let event = readEvent(record, options)
    while ('unknownSchema' in event) {
      if (!(await learn(event.unknownSchema, options, wanted, unknown))) return null
      event = readEvent(record, options)
    }
    const refusal = 'rejected' in event ? event : process(event, record, position, transaction, options)
    if (refusal === null) continue
    rejected.set(refusal.rejected, (rejected.get(refusal.rejected) ?? 0) + 1)
    deadLetters.push(deadLetter(record, position, 'DETECT', refusal))
  }
  // A schema that is registered late is found by the next chunk; how often the registry is asked is its client's business.
  for (const id of unknown) options.events.forget(id)
  return { send: outputs(position, transaction, deadLetters, options), rejected }
}

function readEvent(record: LogRecord, options: DetectorOptions): ReturnType<DetectorOptions['events']['decode']> {
  if (record.key === null) return { rejected: 'null-key', detail: 'The record has no key.' }
  if (record.value === null) return { rejected: 'null-value', detail: 'The record has no value.' }
  const event = options.events.decode(record.value)
  // State and order belong to the key's partition: an event under another key would be judged by half of its history.
  if ('principal' in event && record.key.toString() !== event.principal.key)
    return { rejected: 'key-mismatch', detail: 'The key of the record is not the principal of the event.' }
  return event
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
    // The engine promises not to throw; if it does, the partition goes on and the record is kept for the defect report.
    options.logger.error({ offset: record.offset, error: describe(error) }, 'The engine failed on a record.')
    return { rejected: 'internal-error', detail: describe(error) }
  }
}

function describe(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 200)
}

/** Asks the registry for a writer schema until it answers; false when the work is no longer wanted. */
async function learn(
  id: number,
  options: DetectorOptions,
  wanted: () => boolean,
  unknown: Set<number>,
): Promise<boolean> {
  while (wanted()) {
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
    }
  }
  return false
}

function outputs(
  position: ChunkPosition,
  transaction: EngineTransaction,
  deadLetters: readonly OutRecord[],
  options: DetectorOptions,
): TopicRecords[] {
  const { partition } = position
  const state: OutRecord[] = []
  for (const [key, record] of transaction.changes()) {
    const value = record === null ? null : options.state.encoder.encode(record, options.state.schemaId)
    state.push({ key, value, partition })
  }
  state.push(positionRecord(position.topic, partition, position.next))
  const alerts = transaction.alerts
    .filter(alert => alert.suppressed === null)
    .map(alert => ({
      key: alert.principal.key,
      value: options.alerts.write(alert),
      headers: alertHeaders(alert, `trailwarden/${options.group}`, options.alerts.contentType),
    }))
  return [
    { topic: options.topics.state, records: state },
    { topic: options.topics.alerts, records: alerts },
    { topic: options.topics.rejected, records: deadLetters },
  ].filter(part => part.records.length > 0)
}
