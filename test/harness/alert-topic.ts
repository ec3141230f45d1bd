// Alerts put on a real topic as the detector puts them there: in a transaction, with their headers, in Avro or JSON.
import type { Alert } from '../../src/alerts/alert.ts'
import { alertHeaders } from '../../src/alerts/headers.ts'
import { alertToJson } from '../../src/alerts/json.ts'
import { alertEncoder } from '../../src/codecs/alert.ts'
import { schemaRegistry } from '../../src/kafka/registry.ts'
import { topicContract } from '../../src/topics.ts'
import type { Line } from './line.ts'

/** Raises one alert on the line's alerts topic; `committed: false` aborts its transaction. */
export async function raise(
  line: Line,
  alert: Alert,
  { committed = true, format = 'avro' }: { readonly committed?: boolean; readonly format?: 'avro' | 'json' } = {},
): Promise<void> {
  const producer = await line.log.transactionalProducer(`${line.topics.alerts}-raise`)
  const transaction = await producer.begin()
  const headers = alertHeaders(alert, '/test', `application/${format}`)
  const value = format === 'json' ? Buffer.from(alertToJson(alert)) : await inAvro(line, alert)
  await transaction.send([{ topic: line.topics.alerts, records: [{ key: alert.principal.key, value, headers }] }])
  await (committed ? transaction.commit() : transaction.abort())
  await producer.close()
}

async function inAvro(line: Line, alert: Alert): Promise<Buffer> {
  const schema = topicContract('ALERTS_TOPIC').schema!
  const registry = schemaRegistry({ url: line.env['SCHEMA_REGISTRY_URL']! })
  return Buffer.from(alertEncoder(schema).encode(alert, await registry.idOf(`${line.topics.alerts}-value`, schema)))
}
