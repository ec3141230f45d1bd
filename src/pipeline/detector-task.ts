// One input partition of the detector: its fenced producer, its state, its position, and one transaction at a time.
// State changes, alerts, dead letters and the input position move together or not at all. After any failure the task is
// thrown away with its state and opened again from the log: keeping state over a failure gave duplicates when measured.
import { Engine } from '../detect/engine.ts'
import type { EngineTransaction } from '../detect/engine.ts'
import { asTrailwardenError, twError } from '../errors.ts'
import type { LogRecord, Transaction, TransactionalProducer } from '../log/log-client.ts'
import { addCounts } from '../metrics/metrics.ts'
import { isReserved, readPosition } from './changelog.ts'
import { detectChunk } from './detect-chunk.ts'
import type { ChunkOutput, ChunkPosition } from './detect-chunk.ts'
import type { DetectorOptions } from './detector-options.ts'

/** An open partition. */
export class DetectorTask {
  readonly partition: number
  /** Offset of the next input record. */
  position: number
  readonly #options: DetectorOptions
  readonly #producer: TransactionalProducer
  readonly #engine: Engine

  private constructor(
    partition: number,
    position: number,
    options: DetectorOptions,
    producer: TransactionalProducer,
    engine: Engine,
  ) {
    this.partition = partition
    this.position = position
    this.#options = options
    this.#producer = producer
    this.#engine = engine
  }

  /**
   * Opens a partition: fence, then restore, then the position. The order is the point: everything an earlier owner
   * committed is visible only after it has been fenced, so what is read before the fence may be stale.
   */
  static async open(partition: number, options: DetectorOptions): Promise<DetectorTask> {
    const { log, topics, group } = options
    const producer = await log.transactionalProducer(`trailwarden-${group}-${topics.events}-${partition}`)
    try {
      const engine = new Engine(options.rules, options.engine)
      const stored = await restore(engine, partition, options)
      const committed = (await log.committed(group, topics.events))[partition] ?? null
      // Both were written in one transaction; where they differ somebody has moved the group by hand, and the state
      // belongs to the stored position.
      if (stored !== null && committed !== null && stored !== committed)
        options.logger.warn(
          { partition, stored, committed },
          'The group position differs from the stored one, which is used.',
        )
      const position = stored ?? committed ?? (await log.offsets(topics.events))[partition]?.begin ?? 0
      options.logger.info({ partition, position, principals: engine.principals }, 'Partition opened.')
      options.metrics.stateEntries.set({ partition }, engine.principals)
      return new DetectorTask(partition, position, options, producer, engine)
    } catch (error) {
      await producer.close().catch(() => undefined)
      throw error
    }
  }

  /**
   * Works a run of records off in one transaction. False when the work is no longer ours and nothing was committed.
   * Rejects when the transaction failed: the task is then dead, its state unknown.
   */
  async work(records: readonly LogRecord[], next: number, wanted: () => boolean): Promise<boolean> {
    const { metrics, topics } = this.#options
    const position: ChunkPosition = { topic: topics.events, partition: this.partition, next }
    const overlay = this.#engine.begin()
    const output = await detectChunk(records, position, overlay, this.#options, wanted)
    if (output === null || !wanted()) return false
    await this.#commit(output, next)
    overlay.merge()
    this.position = next
    metrics.recordsIn.inc({ topic: topics.events }, records.length)
    this.#count(overlay, output)
    return true
  }

  async close(): Promise<void> {
    await this.#producer.close().catch(() => undefined)
  }

  async #commit(output: ChunkOutput, next: number): Promise<void> {
    const { group, topics, metrics } = this.#options
    let transaction: Transaction | null = null
    try {
      transaction = await this.#producer.begin()
      // Offsets first: the call waits out a predecessor's transaction that is still completing, which a send does not.
      await transaction.sendOffsets(group, topics.events, new Map([[this.partition, next]]))
      await transaction.send(output.send)
      await transaction.commit()
      metrics.transactions.inc({ result: 'committed' })
    } catch (thrown) {
      const error = asTrailwardenError(thrown)
      metrics.transactions.inc({ result: error.code === 'TW_FENCED' ? 'fenced' : 'aborted' })
      await transaction?.abort().catch(() => undefined)
      throw error
    }
  }

  #count(overlay: EngineTransaction, output: ChunkOutput): void {
    const { metrics } = this.#options
    for (const part of output.send) metrics.recordsOut.inc({ topic: part.topic }, part.records.length)
    addCounts(metrics.rejected, 'reason', output.rejected)
    for (const { ruleId, severity, activity, suppressed } of overlay.alerts) {
      if (suppressed === null) metrics.alerts.inc({ rule: ruleId, severity, activity })
      else metrics.suppressed.inc({ rule: ruleId })
    }
    metrics.late.inc(overlay.counts.late)
    metrics.duplicates.inc(overlay.counts.duplicates)
    metrics.skewed.inc(overlay.counts.skewed)
    metrics.deniedRate.set({ partition: this.partition }, this.#engine.deniedPerHour / 3600)
    metrics.stateEntries.set({ partition: this.partition }, this.#engine.principals)
  }
}

/** Reads the changelog into the engine; returns the stored input position, or null without one. */
async function restore(engine: Engine, partition: number, options: DetectorOptions): Promise<number | null> {
  const { log, topics, schemas, state } = options
  const range = (await log.offsets(topics.state))[partition]
  if (range === undefined)
    throw twError('TW_PARTITIONS_DIFFER', `Topic ${topics.state} has no partition ${partition}, ${topics.events} has.`)
  let position: number | null = null
  for await (const batch of log.read(topics.state, partition, { from: range.begin, to: range.end })) {
    for (const { key, value } of batch.records) {
      if (key === null) continue
      if (isReserved(key)) {
        position = readPosition(key, value, topics.events, partition) ?? position
        continue
      }
      if (value === null) {
        engine.load(key.toString(), null)
        continue
      }
      let record = state.decoder.decode(value)
      if ('unknownSchema' in record) {
        const id = record.unknownSchema
        const reason = state.decoder.learn(id, await schemas.schemaById(id))
        if (reason !== null) throw twError('TW_STATE_INVALID', `State schema ${id} cannot be read: ${reason}`)
        record = state.decoder.decode(value)
      }
      if ('newerVersion' in record)
        throw twError('TW_STATE_INVALID', `The state in ${topics.state} was written by a newer version of trailwarden.`)
      if ('rejected' in record || 'unknownSchema' in record)
        throw twError('TW_STATE_INVALID', `A record of ${topics.state}, partition ${partition}, cannot be read.`)
      engine.load(key.toString(), record)
    }
  }
  return position
}
