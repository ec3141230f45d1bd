// Reads the changelog of one partition back into an engine. Called after the fence and never before: what an earlier owner
// committed is complete only then. A record that cannot be read stops the start; nothing is skipped.
import type { Engine } from '../detect/engine.ts'
import { twError } from '../errors.ts'
import { isReserved, readPosition } from './changelog.ts'
import type { StoredPosition } from './changelog.ts'
import { processClock } from './clock.ts'
import type { DetectorOptions } from './detector-options.ts'
import type { StateSize } from './state-size.ts'

const PROGRESS_EVERY_MS = 5000

/** Who waits for a restore. */
export interface RestoreWatch {
  /** Aborted as soon as the partition is no longer ours. */
  readonly signal: AbortSignal
  /** Called with every batch: a long restore is not a stall. */
  readonly alive: () => void
}

/**
 * Reads [begin, end) of the changelog into the engine and its size; returns the stored input position, or null without one.
 * @throws TW_STATE_INVALID, TW_PARTITIONS_DIFFER, TW_REBALANCED once the signal is aborted, and what reading throws
 */
export async function restore(
  engine: Engine,
  size: StateSize,
  partition: number,
  options: DetectorOptions,
  watch: RestoreWatch,
): Promise<StoredPosition | null> {
  const { log, topics, metrics, logger } = options
  const { now } = options.clock ?? processClock
  const range = (await log.offsets(topics.state))[partition]
  if (range === undefined)
    throw twError('TW_PARTITIONS_DIFFER', `Topic ${topics.state} has no partition ${partition}, ${topics.events} has.`)
  metrics.restoreProgress.set({ partition }, 0)
  let position: StoredPosition | null = null
  let reportAt = now() + PROGRESS_EVERY_MS
  for await (const batch of log.read(topics.state, partition, { from: range.begin, to: range.end })) {
    if (watch.signal.aborted) throw twError('TW_REBALANCED', `Partition ${partition} went away while it was restored.`)
    for (const { key, value } of batch.records) {
      if (key === null) continue
      if (isReserved(key)) position = readPosition(key, value, topics.events, partition) ?? position
      else {
        const principal = key.toString()
        const rests = engine.load(principal, value)
        if (!rests && value !== null) engine.load(principal, await stateOf(value, partition, options))
        size.set(principal, rests ? null : value)
      }
    }
    watch.alive()
    metrics.restored.inc(batch.records.length)
    const ratio = (batch.nextOffset - range.begin) / (range.end - range.begin)
    metrics.restoreProgress.set({ partition }, ratio)
    if (now() < reportAt) continue
    reportAt = now() + PROGRESS_EVERY_MS
    const percent = Math.floor(100 * ratio)
    logger.info({ partition, percent, principals: engine.principals }, 'Restoring the state.')
  }
  return position
}

async function stateOf(value: Buffer, partition: number, { schemas, state, topics }: DetectorOptions) {
  let record = state.decoder.decode(value)
  if ('unknownSchema' in record) {
    const id = record.unknownSchema
    const reason = state.decoder.learn(id, await schemas.schemaById(id))
    if (reason !== null) throw twError('TW_STATE_INVALID', `State schema ${id} cannot be read: ${reason}`)
    record = state.decoder.decode(value)
  }
  if ('newerVersion' in record)
    throw twError('TW_STATE_INVALID', `The state in ${topics.state} was written by a newer version of trailwarden.`)
  if ('rejected' in record || 'unknownSchema' in record) {
    const reason = 'rejected' in record ? ` ${record.detail}` : ''
    throw twError('TW_STATE_INVALID', `A record of ${topics.state}, partition ${partition}, cannot be read.${reason}`)
  }
  return record
}
