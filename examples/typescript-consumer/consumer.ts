// A consumer of the alerts topic that acts once per alert and keeps one case per episode.
//
//   npm install trailwarden
//   KAFKA_BROKERS=kafka:9092 SCHEMA_REGISTRY_URL=http://registry:8081 node consumer.ts
//
// It reads committed records only (stock kafkajs 2.2.4 shows records of aborted transactions; the client of this package does
// not), in a consumer group, at least once: a position is committed after the alerts below it have been handled. What comes
// twice after a crash is dropped by `ce_id`; the alerts of an episode share a dedup key, and the latest replaces the others.
import type { Alert } from 'trailwarden'
import { AlertReader, kafkaLog, schemaRegistry } from 'trailwarden/kafka'

const brokers = (process.env['KAFKA_BROKERS'] ?? 'localhost:9092').split(',')
const topic = process.env['ALERTS_TOPIC'] ?? 'cloudtrail.alerts.v1'
const group = process.env['GROUP'] ?? 'alert-consumer'
const report = (fields: object, sentence: string): void => console.error(sentence, fields)
const logger = { debug: () => undefined, info: () => undefined, warn: report, error: report }

const log = await kafkaLog({ brokers, clientId: group }, logger)
const reader = new AlertReader(schemaRegistry({ url: process.env['SCHEMA_REGISTRY_URL'] ?? 'http://localhost:8081' }))
const consumer = log.consumer({ group, topic, from: 'earliest' })

// A database with a unique index on either key does the same for longer than one process lives.
const handled = new Set<string>()
const cases = new Map<string, Alert>()

function handle(id: string, alert: Alert): void {
  if (handled.has(id)) return
  const known = cases.get(alert.dedupKey)
  // A rebalance can replay an older alert of the episode after a newer one.
  if (known === undefined || alert.sequence > known.sequence) {
    cases.set(alert.dedupKey, alert)
    const action = known === undefined ? 'open' : 'update'
    console.log(JSON.stringify({ action, case: alert.dedupKey, severity: alert.severity, text: alert.explanation }))
  }
  handled.add(id)
}

const failed = Promise.withResolvers<never>()
await consumer.start({
  assigned: partitions => partitions.forEach(partition => consumer.resume(partition, null)),
  async batch({ records, nextOffset }, control) {
    for (const record of records) {
      const alert = await reader.read(record)
      if (alert === null) report({ offset: record.offset }, 'A record is no alert and is left out.')
      else handle(record.headers['ce_id']?.toString() ?? `${alert.dedupKey}/${alert.sequence}`, alert)
      control.resolve(record.offset + 1)
    }
    await control.commit(nextOffset)
  },
  crashed: error => failed.reject(error),
})

const stopped = new Promise<void>(resolve => process.once('SIGINT', resolve).once('SIGTERM', resolve))
try {
  await Promise.race([stopped, failed.promise])
} finally {
  await consumer.stop()
  await log.close()
}
