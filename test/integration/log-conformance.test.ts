// The LogClient on Kafka keeps the contract that the in-process log keeps: the same table of behaviours on a real broker.
import { after } from 'node:test'
import { kafkaLog } from '../../src/kafka/kafka-log.ts'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import { logConformance } from '../harness/log-conformance.ts'
import { uniqueName } from '../harness/kafka.ts'
import { describeOnKafka } from '../harness/suite.ts'

const quiet = () => undefined
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet }

await describeOnKafka(
  'conformance on Kafka',
  kafka => {
    const admin = new kafkajs.Kafka({
      brokers: kafka.brokers,
      clientId: 'conformance',
      logLevel: kafkajs.logLevel.NOTHING,
    }).admin()
    after(() => admin.disconnect())
    logConformance('Kafka', async () => {
      await admin.connect()
      return {
        settleMs: 1_000,
        client: () => kafkaLog({ brokers: kafka.brokers, clientId: uniqueName('conformance') }, logger),
        createTopic: async ({ partitions }) => {
          const topic = uniqueName('conformance')
          await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true })
          return topic
        },
        deleteRecordsBefore: async (topic, partition, offset) => {
          // kafkajs looks for the leader before it has asked for the topic's metadata: this asks.
          await admin.fetchTopicOffsets(topic)
          await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
        },
      }
    })
  },
  { registry: false },
)
