// Puts the detector's loop together from configuration, a log and a schema source: for `detect` and for `demo`.
import { alertToJson } from '../alerts/json.ts'
import { alertEncoder } from '../codecs/alert.ts'
import { eventDecoder } from '../codecs/cloudtrail-event.ts'
import { EventDispatch } from '../codecs/event-dispatch.ts'
import { StateDecoder, StateEncoder } from '../codecs/principal-state.ts'
import type { Config } from '../config.ts'
import type { LogClient } from '../log/log-client.ts'
import type { SchemaSource } from '../log/schema-source.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { DetectorOptions } from '../pipeline/detector-options.ts'
import { topicContract } from '../topics.ts'
import type { Detection } from './rule-set.ts'

/** Everything {@link startDetector} needs. @throws TW_SCHEMA_NOT_REGISTERED, TW_REGISTRY_UNAVAILABLE */
export async function detectorOptions(
  config: Config,
  detection: Detection,
  log: LogClient,
  schemas: SchemaSource,
  metrics: Metrics,
  logger: Logger,
): Promise<DetectorOptions> {
  const fast = config.FAST_PATHS
  const eventSchema = topicContract('EVENTS_TOPIC').schema!
  const stateSchema = topicContract('STATE_TOPIC').schema!
  const decoder = new StateDecoder(stateSchema, undefined, fast)
  const state = {
    decoder,
    encoder: new StateEncoder(stateSchema, fast),
    schemaId: await schemas.idOf(`${config.STATE_TOPIC}-value`, stateSchema),
  }
  decoder.learn(state.schemaId, stateSchema)
  return {
    log,
    schemas,
    group: config.DETECT_GROUP,
    topics: {
      events: config.EVENTS_TOPIC,
      alerts: config.ALERTS_TOPIC,
      state: config.STATE_TOPIC,
      rejected: config.REJECTED_TOPIC,
    },
    rules: detection.rules,
    engine: fast ? { ...detection.engine, stored: decoder } : detection.engine,
    events: fast ? new EventDispatch(eventSchema, detection.rules) : eventDecoder(eventSchema),
    alerts: await alertFormat(config, schemas),
    state,
    batchMaxRecords: config.BATCH_MAX_RECORDS,
    sessionTimeoutMs: config.SESSION_TIMEOUT_MS,
    outOfRange: config.OFFSET_OUT_OF_RANGE,
    openRetryMs: config.PRODUCE_RETRY_MS,
    metrics,
    logger,
  }
}

async function alertFormat(config: Config, schemas: SchemaSource): Promise<DetectorOptions['alerts']> {
  if (config.ALERT_FORMAT === 'json')
    return { write: alert => Buffer.from(alertToJson(alert)), contentType: 'application/json' }
  const schema = topicContract('ALERTS_TOPIC').schema!
  const schemaId = await schemas.idOf(`${config.ALERTS_TOPIC}-value`, schema)
  const encoder = alertEncoder(schema)
  return { write: alert => encoder.encode(alert, schemaId), contentType: 'application/avro' }
}
