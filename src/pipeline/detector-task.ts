// One input partition of the detector: its fenced producer, its state, its position, and one transaction at a time.
// State changes, alerts, dead letters and the input position move together or not at all. After any failure the task is
// thrown away with its state and opened again from the log: keeping state over a failure gave duplicates when measured.
import { Engine } from '../detect/engine.ts'
import type { EngineTransaction } from '../detect/engine-transaction.ts'
import { asTrailwardenError, twError } from '../errors.ts'
import type { Appended, LogRecord, Transaction, TransactionalProducer } from '../log/log-client.ts'
import { addCounts, addPlaces } from '../metrics/metrics.ts'
import type { StoredPosition } from './changelog.ts'
import { processClock } from './clock.ts'
import { detectChunk } from './detect-chunk.ts'
import type { ChunkOutput, ChunkWatch } from './detect-chunk.ts'
import type { DetectorOptions } from './detector-options.ts'
import { abortHanging, hasOpenTransaction } from './hanging-transaction.ts'
import { restore } from './restore.ts'
import type { RestoreWatch } from './restore.ts'
import { noExpiryYet } from './state-expiry.ts'
import type { ExpiryProgress } from './state-expiry.ts'
import { StateSize } from './state-size.ts'
import { transactionalIdOf } from './transactional-id.ts'
import { Pace } from './wanted-records.ts'

// Markers follow the end of a transaction within milliseconds; no broker is shut down and started again within a second.
const MARKERS_MS = 1000

/** Who waits for a transaction. */
export interface WorkWatch extends ChunkWatch {
  /** False as soon as another member may own the partition. A transaction that was begun is finished as long as it is true. */
  readonly owned: () => boolean
}

/** An open partition. */
export class DetectorTask {
  readonly partition: number
  readonly #options: DetectorOptions
  readonly #producer: TransactionalProducer
  readonly #engine: Engine
  readonly #size: StateSize
  #position: number
  #expiry: ExpiryProgress
  readonly #pace = new Pace()
  #turn: Promise<unknown> = Promise.resolve()
  #closed = false
  /** When the last transaction was about to end; null once its markers have been seen. */
  #endedAt: number | null = null

  private constructor(
    partition: number,
    options: DetectorOptions,
    producer: TransactionalProducer,
    engine: Engine,
    size: StateSize,
    position: StoredPosition,
  ) {
    this.partition = partition
    this.#options = options
    this.#producer = producer
    this.#engine = engine
    this.#size = size
    this.#position = position.offset
    this.#expiry = position.expiry
  }

  /**
   * Opens a partition: fence, abort what hangs, then restore, then the position. The order is the point: everything an
   * earlier owner committed is visible only after it has been fenced, so what is read before the fence may be stale.
   */
  static async open(partition: number, options: DetectorOptions, watch: RestoreWatch): Promise<DetectorTask> {
    const { log, topics, group, logger, metrics } = options
    const opened = metrics.restoreTime.startTimer()
    const producer = await log.transactionalProducer(transactionalIdOf(group, topics.events, partition))
    try {
      await abortHanging(producer, partition, options, watch.signal)
      const engine = new Engine(options.rules, options.engine)
      const size = new StateSize()
      const stored = await restore(engine, size, partition, options, watch)
      const committed = (await log.committed(group, topics.events))[partition] ?? null
      // Both were written in one transaction; where they differ somebody has moved the group by hand, and the state
      // belongs to the stored position.
      if (stored !== null && committed !== null && stored.offset !== committed)
        logger.warn(
          { partition, stored: stored.offset, committed },
          'The group position differs from the stored one, which is used.',
        )
      const begin = committed ?? (await log.offsets(topics.events))[partition]?.begin ?? 0
      const position = stored ?? { offset: begin, expiry: noExpiryYet }
      logger.info({ partition, position: position.offset, principals: engine.principals }, 'Partition opened.')
      metrics.restores.inc({ result: 'completed' })
      opened()
      return new DetectorTask(partition, options, producer, engine, size, position)
    } catch (error) {
      await producer.close().catch(() => undefined)
      throw error
    } finally {
      metrics.restoreProgress.remove({ partition })
    }
  }

  /** Writes the size of the state to the metrics. */
  exposeState(): void {
    const { metrics } = this.#options
    metrics.stateEntries.set({ partition: this.partition }, this.#engine.principals)
    metrics.stateBytes.set({ partition: this.partition }, this.#engine.restingBytes + this.#size.bytes)
  }

  /** Offset of the next input record. */
  get position(): number {
    return this.#position
  }

  /**
   * Runs work on this task after all earlier work on it. A partition that is assigned to us again may be delivered
   * while the handler of the generation before still waits for its commit.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  /**
   * Works off records from the position on in one transaction, as many as detectChunk takes, and moves the position.
   * @param records in offset order from the position on, at least one; `end` is the position behind them
   * @returns how many were worked off; 0 when the work is no longer ours, and then nothing was committed
   * Rejects when the transaction failed, or the one before it hangs: the task is then dead, its state unknown.
   */
  async work(records: readonly LogRecord[], end: number, watch: WorkWatch): Promise<number> {
    const { metrics, topics } = this.#options
    const worked = metrics.batches.startTimer()
    const position = { topic: topics.events, partition: this.partition, end, expiry: this.#expiry, pace: this.#pace }
    const overlay = this.#engine.begin()
    const output = await detectChunk(records, position, this.#engine, overlay, this.#options, watch)
    if (output === null) return 0
    // Here, and not before a chunk that may have waited for the registry: nothing may lie between the look and the transaction.
    if (await this.hangs())
      throw twError('TW_TRANSACTION_FAILED', `The transaction before ${this.#position} ended without its markers.`)
    if (!watch.wanted()) return 0
    const places = await this.#commit(output, watch)
    if (places === null) return 0
    overlay.merge()
    this.#position = output.next
    this.#expiry = output.expiry
    worked()
    this.#count(overlay, output, places)
    return output.taken
  }

  /**
   * Whether the last transaction was ended a while ago and is still open on the log: the cluster was away and has
   * forgotten its end. Looked up once per transaction at most, and not at all under load. To be called in turn.
   */
  async hangs(): Promise<boolean> {
    const { log, topics, clock } = this.#options
    const { now } = clock ?? processClock
    if (this.#endedAt === null || this.#closed || now() - this.#endedAt < MARKERS_MS) return false
    if (await hasOpenTransaction(log, topics.state, this.partition)) return true
    this.#endedAt = null
    return false
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#producer.close().catch(() => undefined)
  }

  /** Where the records went, or null when the work was no longer ours. */
  async #commit(output: ChunkOutput, watch: WorkWatch): Promise<readonly Appended[] | null> {
    const { group, topics, metrics, clock } = this.#options
    const committed = metrics.transactionTime.startTimer()
    let transaction: Transaction | null = null
    try {
      transaction = await this.#producer.begin()
      // Offsets first: the call waits out a predecessor's transaction that is still completing, which a send does not.
      await transaction.sendOffsets(group, topics.events, new Map([[this.partition, output.next]]))
      const places = await transaction.send(output.send)
      // Not needed for correctness, the epoch decides; it spares the next owner being fenced out of a race it has won.
      const owned = watch.owned()
      this.#endedAt = (clock ?? processClock).now()
      if (!owned) {
        await transaction.abort()
        metrics.transactions.inc({ result: 'aborted' })
        return null
      }
      await transaction.commit()
      metrics.transactions.inc({ result: 'committed' })
      committed()
      return places
    } catch (thrown) {
      const error = asTrailwardenError(thrown)
      metrics.transactions.inc({ result: error.code === 'TW_FENCED' ? 'fenced' : 'aborted' })
      await transaction?.abort().catch(() => undefined)
      throw error
    }
  }

  #count(overlay: EngineTransaction, output: ChunkOutput, places: readonly Appended[]): void {
    const { metrics, rules, topics, engine } = this.#options
    const rests = engine.stored !== undefined
    for (const { topic, records } of output.send)
      if (topic === topics.state)
        for (const { key, value } of records) if (typeof key === 'string') this.#size.set(key, rests ? null : value)
    addCounts(metrics.rejected, 'reason', output.rejected)
    for (const { ruleId, severity, activity, suppressed } of overlay.alerts) {
      if (suppressed === null) metrics.alerts.inc({ rule: ruleId, severity, activity })
      else metrics.suppressed.inc({ rule: ruleId })
    }
    metrics.expired.inc(output.expired)
    metrics.late.inc(overlay.counts.late)
    metrics.duplicates.inc(overlay.counts.duplicates)
    metrics.skewed.inc(overlay.counts.skewed)
    metrics.eventAge.add(output.ages)
    for (const [index, events] of overlay.counts.evaluated.entries())
      if (events > 0) metrics.ruleEvents.inc({ rule: rules.rules[index]?.id ?? '' }, events)
    // Series of a partition that has gone to another process while this was committed must not come back.
    addPlaces(metrics.recordsOut, this.#closed ? places.filter(({ topic }) => topic !== topics.state) : places)
    if (this.#closed) return
    const { partition } = this
    metrics.recordsIn.inc({ topic: topics.events, partition }, output.taken)
    metrics.deniedRate.set({ partition }, this.#engine.deniedPerHour / 3600)
    this.exposeState()
  }
}
