// Records of the alerts topic read back as alerts, in Avro or JSON, whichever ALERT_FORMAT wrote them: for `tail`, for
// `explain`, and for consumers of their own (src/kafka-api.ts).
import type { Alert } from '../alerts/alert.ts'
import { alertDecoder, alertFromJson } from '../codecs/alert.ts'
import { schemaIdOf } from '../codecs/confluent.ts'
import type { LogRecord } from './log-client.ts'
import type { SchemaSource } from './schema-source.ts'
import { topicContract } from '../topics.ts'
import { decodeLearning } from './learning-decoder.ts'

/** Reads alerts of any version that this one understands. */
export class AlertReader {
  readonly #schemas: SchemaSource
  readonly #schema = topicContract('ALERTS_TOPIC').schema!
  readonly #decoder = alertDecoder(this.#schema)

  constructor(schemas: SchemaSource) {
    this.#schemas = schemas
  }

  /** The alert of a record, or null where it holds none. @throws TW_REGISTRY_UNAVAILABLE */
  async read({ value }: Pick<LogRecord, 'value'>): Promise<Alert | null> {
    if (value === null) return null
    if (schemaIdOf(value) === null) return alertFromJson(this.#schema, value.toString())
    const alert = await decodeLearning(this.#decoder, this.#schemas, value)
    return 'rejected' in alert ? null : alert
  }
}
