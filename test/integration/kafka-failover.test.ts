// Three brokers, one of them restarted or killed while records flow: nothing is lost, readers and members go on, and a
// plain send that failed half way is redone with the new leaders. A member that is killed leaves its work to the others.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaLog } from '../../src/kafka/kafka-log.ts'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import { topicAdmin } from '../../src/kafka/topics.ts'
import type { LogClient } from '../../src/log/log-client.ts'
import { uniqueName } from '../harness/kafka.ts'
import { describeOnKafka } from '../harness/suite.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** A member in a process of its own, so that it can be killed: says when it has partitions, commits nothing. */
const memberProgram = (brokers: readonly string[], group: string, topic: string) => `
  const { kafkaLog } = await import(${JSON.stringify(new URL('../../src/kafka/kafka-log.ts', import.meta.url).href)})
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  const log = await kafkaLog({ brokers: ${JSON.stringify(brokers)}, clientId: 'victim' }, quiet)
  const consumer = log.consumer({ group: '${group}', topic: '${topic}', sessionTimeoutMs: 6000 })
  await consumer.start({
    assigned(partitions) {
      for (const partition of partitions) consumer.resume(partition, null)
      if (partitions.length > 0) console.log('assigned')
    },
    async batch(batch, control) { control.resolve(batch.nextOffset) },
    crashed(error) { console.log(error.code); process.exit(3) },
  })`

await describeOnKafka(
  'three brokers',
  kafka => {
    let log: LogClient
    const connection = { brokers: kafka.brokers, clientId: 'failover-test' }
    const client = new kafkajs.Kafka({ ...connection, logLevel: kafkajs.logLevel.NOTHING })
    before(async () => {
      log = await kafkaLog(connection, quiet)
    })
    after(() => log.close())
    async function topicOf(numPartitions: number): Promise<string> {
      const topic = uniqueName('failover')
      const admin = client.admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 3 }], waitForLeaders: true })
      await admin.disconnect()
      return topic
    }

    test(
      'a broker is killed and another restarted while we produce, consume and read',
      { timeout: 240_000 },
      async () => {
        const topic = await topicOf(6)
        const group = uniqueName('group')
        const producer = await log.producer()
        const consumer = log.consumer({ group, topic })
        const consumed = new Set<string>()
        await consumer.start({
          assigned: partitions => partitions.forEach(partition => consumer.resume(partition, null)),
          async batch({ records, nextOffset }, control) {
            for (const { value } of records) consumed.add(String(value))
            control.resolve(nextOffset)
            await control.commit(nextOffset).catch(() => undefined)
          },
          crashed: error => assert.fail(error),
        })
        let running = true
        let sent = 0
        const flow = (async () => {
          while (running) {
            const records = Array.from({ length: 60 }, (_, i) => {
              const text = String(sent + i)
              return { key: text, value: Buffer.from(text) }
            })
            await producer.send([{ topic, records }])
            sent += records.length
            await sleep(10)
          }
        })()
        await sleep(1_000)
        await kafka.killBroker(1)
        await sleep(8_000)
        await kafka.startBroker(1)
        await sleep(4_000)
        await kafka.restartBroker(2)
        await sleep(2_000)
        running = false
        await flow
        const expected = new Set(Array.from({ length: sent }, (_, i) => String(i)))
        const end = Date.now() + 60_000
        while (consumed.size < expected.size && Date.now() < end) await sleep(100)
        const missing = [...expected].filter(text => !consumed.has(text))
        assert.deepEqual(missing, [], `${sent} sent`)
        const read = new Set<string>()
        for (let partition = 0; partition < 6; partition++) {
          for await (const { records } of log.read(topic, partition))
            for (const { value } of records) read.add(String(value))
        }
        assert.equal(read.size, expected.size)
        await consumer.stop()
        await producer.close()
      },
    )

    test('topics that were just created can be used at once, whichever broker is asked', async () => {
      const admin = await topicAdmin(connection, quiet, null)
      const names = Array.from({ length: 20 }, () => uniqueName('applied'))
      await admin.apply(names.map(name => ({ name, partitions: 3, replicationFactor: 3, config: {} })))
      await admin.close()
      for (const name of names) assert.equal(await log.partitions(name), 3)
    })

    test('the partitions of a killed member move to the one that is left', { timeout: 90_000 }, async () => {
      const topic = await topicOf(4)
      const group = uniqueName('group')
      const consumer = log.consumer({ group, topic, sessionTimeoutMs: 6_000 })
      let mine: readonly number[] = []
      const seen: string[] = []
      await consumer.start({
        assigned(partitions) {
          mine = partitions
          for (const partition of partitions) consumer.resume(partition, null)
        },
        async batch({ records, nextOffset }, control) {
          seen.push(...records.map(({ value }) => String(value)))
          control.resolve(nextOffset)
          await control.commit(nextOffset).catch(() => undefined)
        },
        crashed: error => assert.fail(error),
      })
      const args = ['--input-type=module', '-e', memberProgram(kafka.brokers, group, topic)]
      const victim = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      const output = new Promise<string>(resolve => victim.stdout.once('data', chunk => resolve(String(chunk))))
      assert.match(await output, /assigned/)
      while (mine.length === 4) await sleep(50)
      victim.kill('SIGKILL')
      const producer = await log.producer()
      const records = Array.from({ length: 40 }, (_, i) => ({ key: `k${i}`, value: Buffer.from(String(i)) }))
      await producer.send([{ topic, records }])
      const end = Date.now() + 30_000
      while (new Set(seen).size < 40 && Date.now() < end) await sleep(50)
      assert.equal(mine.length, 4)
      assert.equal(new Set(seen).size, 40)
      await consumer.stop()
      await producer.close()
    })
  },
  { nodes: 3, registry: false },
)
