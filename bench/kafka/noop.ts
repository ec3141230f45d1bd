// Child of the Kafka bench: consumes a topic with the product's own client and does nothing but commit. What is left of
// a row after this is the work itself.
import { kafkaLog } from '../../src/kafka/kafka-log.ts'

const [group = '', topic = ''] = process.argv.slice(2)
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const log = await kafkaLog({ brokers: (process.env['KAFKA_BROKERS'] ?? '').split(','), clientId: 'bench' }, quiet)
const consumer = log.consumer({ group, topic, from: 'earliest' })
await consumer.start({
  assigned: partitions => {
    for (const partition of partitions) consumer.resume(partition, null)
  },
  async batch({ nextOffset }, control) {
    await control.commit(nextOffset)
    control.resolve(nextOffset)
  },
  crashed: error => {
    throw error
  },
})
