// What the detector's loop and its tasks work with, put together once by the command.
import type { Alert } from '../alerts/alert.ts'
import type { StateDecoder, StateEncoder } from '../codecs/principal-state.ts'
import type { EngineOptions } from '../detect/engine.ts'
import type { LogClient } from '../log/log-client.ts'
import type { SchemaSource } from '../log/schema-source.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { RuleSet } from '../rules/rule.ts'
import type { Clock } from './clock.ts'
import type { EventSource } from './event-record.ts'

/** Writes one alert as the value of the alerts topic. */
export type AlertWriter = (alert: Alert) => Buffer

export interface DetectorOptions {
  readonly log: LogClient
  readonly schemas: SchemaSource
  readonly group: string
  readonly topics: {
    readonly events: string
    readonly alerts: string
    readonly state: string
    readonly rejected: string
  }
  readonly rules: RuleSet
  readonly engine: EngineOptions
  readonly events: EventSource
  readonly alerts: { readonly write: AlertWriter; readonly contentType: 'application/avro' | 'application/json' }
  readonly state: {
    readonly decoder: Pick<StateDecoder, 'decode' | 'learn'>
    readonly encoder: Pick<StateEncoder, 'write'>
    readonly schemaId: number
  }
  /** Records of one transaction at most. */
  readonly batchMaxRecords: number
  /** Milliseconds of processing that a transaction is made for, default 400: bounds alert latency under load. */
  readonly batchMaxMs?: number
  /** Input offsets between two expiries of silent principals, default 100 000. Part of what a replay must repeat. */
  readonly expireEvery?: number
  readonly sessionTimeoutMs?: number
  readonly outOfRange?: 'fail' | 'earliest'
  /** How long opening a partition may go on failing before the loop gives up, default 120 000. */
  readonly openRetryMs?: number
  /** How long a partition may stand still with records to read before the loop ends, default 5 min; 0 never. */
  readonly stallMs?: number
  /** Default: the clock of the process. */
  readonly clock?: Clock
  readonly metrics: Metrics
  readonly logger: Logger
}
