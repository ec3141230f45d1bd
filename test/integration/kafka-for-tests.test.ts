// The harness on real brokers: an own cluster whose brokers are killed, started and restarted keeps address and data.
// The chaos tests stand on this, so it is proven by itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { uniqueName } from '../harness/kafka.ts'
import { clusterMembers } from '../harness/readiness.ts'
import { describeOnKafka } from '../harness/suite.ts'

async function topicsOf(
  brokers: string[],
  work?: (admin: ReturnType<Kafka['admin']>) => Promise<unknown>,
): Promise<string[]> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await work?.(admin)
    return await admin.listTopics()
  } finally {
    await admin.disconnect()
  }
}

await describeOnKafka('the shared Kafka', kafka => {
  test('answers, and so does the registry', async () => {
    for (const broker of kafka.brokers) assert.ok((await clusterMembers(broker)).length > 0)
    const response = await fetch(`${kafka.registryUrl}/subjects`)
    assert.ok(Array.isArray(await response.json()))
  })
})

await describeOnKafka(
  'an own Kafka',
  kafka => {
    const [broker = ''] = kafka.brokers
    const topic = uniqueName('kept')

    test('is not the shared one and takes broker settings', async () => {
      assert.notEqual(kafka.how, 'env')
      assert.notEqual(broker, process.env['KAFKA_BROKERS'])
      await topicsOf([broker], async admin => {
        await admin.createTopics({ topics: [{ topic }] })
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: 2, name: topic }],
        })
        assert.equal(
          resources[0]?.configEntries.find(entry => entry.configName === 'retention.ms')?.configValue,
          '3600000',
        )
      })
    })

    test('a killed broker is gone, and comes back with address and data', async () => {
      await kafka.killBroker(0)
      await assert.rejects(clusterMembers(broker))
      await kafka.startBroker(0)
      assert.ok((await topicsOf([broker])).includes(topic))
    })

    test('a restarted broker keeps address and data', async () => {
      await kafka.restartBroker(0)
      assert.ok((await topicsOf([broker])).includes(topic))
    })

    test('stopping twice is harmless, and nothing answers afterwards', async () => {
      await kafka.stop()
      await kafka.stop()
      await assert.rejects(clusterMembers(broker))
    })
  },
  { registry: false, config: { 'log.retention.ms': '3600000' } },
)
