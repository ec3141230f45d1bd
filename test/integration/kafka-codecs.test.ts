// Records that Apache Kafka's own Java client compressed, with every codec: what a CloudTrail topic of somebody else's
// producer looks like. Needs a JDK and the jars of the harness; skipped without them, an error with REQUIRE_KAFKA=1.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { kafkaLog } from '../../src/kafka/kafka-log.ts'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import type { LogClient } from '../../src/log/log-client.ts'
import { resolveArtifacts } from '../harness/jvm-artifacts.ts'
import { uniqueName } from '../harness/kafka.ts'
import { describeOnKafka, skipWithout } from '../harness/suite.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const lines = Array.from({ length: 2_000 }, (_, i) => `{"eventName":"GetSecretValue","number":${i}}`)

/** Runs the Java client on the lines. */
async function produceWithJava(broker: string, topic: string, codec: string): Promise<void> {
  const { java, kafkaClassPath } = await resolveArtifacts(false, () => undefined)
  const program = join(import.meta.dirname, 'java', 'CodecProducer.java')
  const args = ['-XX:TieredStopAtLevel=1', '-Xmx256m', '-cp', kafkaClassPath, program, broker, topic, codec]
  const child = spawn(java, args, { stdio: ['pipe', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', chunk => (complaints += String(chunk)))
  child.stdin.end(lines.join('\n') + '\n')
  const code = await new Promise<number | null>(resolve => child.once('exit', resolve))
  assert.equal(code, 0, complaints)
}

await describeOnKafka(
  'codecs of the Java client',
  kafka => {
    let log: LogClient
    let unavailable: unknown = null
    before(async () => {
      log = await kafkaLog({ brokers: kafka.brokers, clientId: 'codecs-test' }, quiet)
      await resolveArtifacts(false, () => undefined).catch((error: unknown) => (unavailable = error))
    })
    after(() => log.close())

    for (const codec of codecs) {
      test(`read what Java wrote with ${codec}`, { timeout: 90_000 }, async t => {
        if (unavailable !== null) return skipWithout(t, 'Java client', unavailable)
        const topic = uniqueName(`codec-${codec}`)
        const client = new kafkajs.Kafka({ brokers: kafka.brokers, clientId: 't', logLevel: kafkajs.logLevel.NOTHING })
        const admin = client.admin()
        await admin.connect()
        await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
        await admin.disconnect()
        await produceWithJava(kafka.brokers[0] ?? '', topic, codec)
        const seen: string[] = []
        for await (const { records } of log.read(topic, 0)) seen.push(...records.map(({ value }) => String(value)))
        assert.deepEqual(seen, lines)
      })
    }
  },
  { registry: false },
)
