// What a live cluster holds about one principal, for `explain`: its alerts, the detector's state of it, its events. Reads
// outside any group and commits nothing; of the events and state topics only the principal's own partition.
import { principalHash } from '../alerts/dedup-key.ts'
import type { Alert } from '../alerts/alert.ts'
import { eventDecoder } from '../codecs/cloudtrail-event.ts'
import { StateDecoder } from '../codecs/principal-state.ts'
import type { Config } from '../config.ts'
import type { PrincipalStateRecord } from '../detect/principal-state.ts'
import { twError } from '../errors.ts'
import type { LogClient, LogRecord } from '../log/log-client.ts'
import { partitionFor } from '../log/murmur2.ts'
import type { SchemaSource } from '../log/schema-source.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { isReserved, readPosition } from '../pipeline/changelog.ts'
import { topicContract } from '../topics.ts'
import { AlertReader } from '../log/alert-reader.ts'
import { decodeLearning } from '../log/learning-decoder.ts'

type ClusterTopics = Pick<Config, 'EVENTS_TOPIC' | 'ALERTS_TOPIC' | 'STATE_TOPIC'>

/** An alert's record is younger than its events, but for clocks that differ: the engine tolerates 5 min, this 15. */
const clockToleranceMs = 15 * 60_000

/** The detector's state of a principal as the changelog has it. */
export interface KeptState {
  /** Null where there is none. */
  readonly record: PrincipalStateRecord | null
  /** Why a record that is there cannot be read; null otherwise. */
  readonly problem: string | null
  /** Offset of the events partition up to which the detector has worked; null where it never did. */
  readonly position: number | null
}

/** What the events topic had of a principal. */
export interface KeptEvents {
  /** Events of the principal handed out. */
  readonly events: number
  /** Events of the principal that the detector has not worked off yet. */
  readonly waiting: number
  readonly unreadable: number
  /** Record timestamp of the oldest record of the partition, epoch milliseconds; null for an empty one. */
  readonly keptSince: number | null
}

/** Reads one cluster. Every method rejects with what reading rejects with. */
export class ClusterEvidence {
  readonly #log: LogClient
  readonly #schemas: SchemaSource
  readonly #topics: ClusterTopics

  constructor(log: LogClient, schemas: SchemaSource, topics: ClusterTopics) {
    this.#log = log
    this.#schemas = schemas
    this.#topics = topics
  }

  /** The alerts of an episode in order; `opening` is the event time in the dedup key. */
  async alerts(dedupKey: string, opening: number): Promise<Alert[]> {
    const topic = this.#topics.ALERTS_TOPIC
    await this.#partitionsOf(topic)
    const reader = new AlertReader(this.#schemas)
    const found: Alert[] = []
    const starts = await this.#log.offsetsAt(topic, Math.max(0, opening - clockToleranceMs))
    for (const [partition, from] of starts.entries())
      for await (const { records } of this.#log.read(topic, partition, { from }))
        for (const record of records) {
          if (!namesKey(record, dedupKey)) continue
          const alert = await reader.read(record)
          if (alert?.dedupKey === dedupKey) found.push(alert)
        }
    return found.sort((a, b) => a.sequence - b.sequence)
  }

  /** The principal with state whose key has this hash, or null: for a dedup key whose alerts are gone. */
  async principalCalled(hash: string): Promise<string | null> {
    const topic = this.#topics.STATE_TOPIC
    for (let partition = 0; partition < (await this.#partitionsOf(topic)); partition++)
      for await (const { records } of this.#log.read(topic, partition))
        for (const { key } of records) {
          if (key !== null && !isReserved(key) && principalHash(key.toString()) === hash) return key.toString()
        }
    return null
  }

  /** The partition of a principal's events and state: murmur2 of its key, as every producer of the line has it. */
  async partitionOf(principal: string): Promise<number> {
    return partitionFor(Buffer.from(principal), await this.#partitionsOf(this.#topics.EVENTS_TOPIC))
  }

  async state(principal: string, partition: number): Promise<KeptState> {
    const { STATE_TOPIC, EVENTS_TOPIC } = this.#topics
    const decoder = new StateDecoder(topicContract('STATE_TOPIC').schema!)
    const wanted = Buffer.from(principal)
    let bytes: Buffer | null = null
    let position: number | null = null
    if (partition < (await this.#partitionsOf(STATE_TOPIC)))
      for await (const { records } of this.#log.read(STATE_TOPIC, partition))
        for (const { key, value } of records) {
          if (key === null) continue
          if (isReserved(key)) position = readPosition(key, value, EVENTS_TOPIC, partition)?.offset ?? position
          else if (key.equals(wanted)) bytes = value
        }
    if (bytes === null) return { record: null, problem: null, position }
    const state = await decodeLearning(decoder, this.#schemas, bytes)
    if ('newerVersion' in state) return { record: null, problem: 'it is of a newer version of trailwarden', position }
    if ('rejected' in state) return { record: null, problem: state.detail ?? state.rejected, position }
    return { record: state, problem: null, position }
  }

  /** Hands the principal's events to `take` in the order of the partition, as the detector met them, up to `position`. */
  async events(
    principal: string,
    partition: number,
    position: number | null,
    take: (event: CloudTrailEvent) => void,
  ): Promise<KeptEvents> {
    const decoder = eventDecoder(topicContract('EVENTS_TOPIC').schema!)
    const wanted = Buffer.from(principal)
    const counts = { events: 0, waiting: 0, unreadable: 0 }
    let keptSince: number | null = null
    for await (const { records } of this.#log.read(this.#topics.EVENTS_TOPIC, partition)) {
      keptSince ??= records[0]?.timestamp ?? null
      for (const { key, value, offset } of records) {
        if (key === null || !key.equals(wanted)) continue
        if (position !== null && offset >= position) {
          counts.waiting++
          continue
        }
        const event = value === null ? null : await decodeLearning(decoder, this.#schemas, value)
        if (event === null || 'rejected' in event) {
          counts.unreadable++
          continue
        }
        counts.events++
        take(event)
      }
    }
    return { ...counts, keptSince }
  }

  async #partitionsOf(topic: string): Promise<number> {
    const count = await this.#log.partitions(topic)
    if (count === null) throw twError('TW_TOPIC_MISSING', `There is no topic ${topic}.`)
    return count
  }
}

/** Whether the header names the key; without the header (a copy of the topic made by others) the value has to tell. */
function namesKey({ headers }: LogRecord, dedupKey: string): boolean {
  const header = headers['trailwarden-dedup-key']
  if (header === undefined) return true
  try {
    return decodeURIComponent(header.toString()) === dedupKey
  } catch {
    return false
  }
}
