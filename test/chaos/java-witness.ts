// Kafka's own Java client as a second witness, so that what we see of a topic is not judged by our reader alone.
// Only where its jars are (the JVM rung of the ladder); elsewhere there is no second witness.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KafkaForTests } from '../harness/cluster.ts'
import { resolveArtifacts } from '../harness/jvm-artifacts.ts'

/** What the Java client sees. */
export interface Testimony {
  /** `topic partition offset` of every record of the topics that is committed, sorted. */
  readonly records: readonly string[]
  /** Transactions that have not ended, and partitions whose last stable offset is behind their end. */
  readonly open: readonly string[]
}

/** Asks the witness about topics; null where there is none. */
export async function javaWitness(kafka: KafkaForTests, topics: readonly string[]): Promise<Testimony | null> {
  if (kafka.how !== 'jvm') return null
  const { java, kafkaClassPath } = await resolveArtifacts(false, () => undefined)
  const program = join(import.meta.dirname, 'java', 'Witness.java')
  const quick = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xmx256m']
  const args = [...quick, '-cp', kafkaClassPath, program, kafka.brokers.join(','), topics.join(',')]
  const { stdout } = await promisify(execFile)(java, args, { maxBuffer: 1 << 28, timeout: 120_000 })
  const facts = stdout.split('\n').filter(line => line !== '')
  return {
    records: facts.flatMap(fact => (fact.startsWith('record ') ? [fact.slice(7)] : [])).sort(),
    open: facts.filter(fact => !fact.startsWith('record ')),
  }
}
