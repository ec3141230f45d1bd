// A real Kafka and schema registry for whoever needs one: integration tests, `demo --kafka` in a checkout, benchmarks.
// The ladder: KAFKA_BROKERS + SCHEMA_REGISTRY_URL, then a Docker engine, then JVM processes from Maven artifacts.
// KAFKA_FOR_TESTS=docker or jvm allows only that one to start brokers. Whatever is started here is gone when the process is.
import { NoKafkaError, needsJvm, uniqueName } from './cluster.ts'
import type { KafkaForTests, KafkaOptions } from './cluster.ts'
import { startOnDocker } from './docker.ts'
import { startOnJvm } from './jvm.ts'
import { brokersReady, httpReady, reasonOf } from './readiness.ts'

export { NoKafkaError, uniqueName }
export type { KafkaForTests, KafkaOptions }

/**
 * Finds or starts a Kafka. Takes some ten seconds on the JVM rung, minutes the first time it has to download.
 * `log` gets one line for each thing worth knowing on the way. Rejects with NoKafkaError when no rung works.
 */
export async function kafkaForTests(
  options: KafkaOptions = {},
  log: (line: string) => void = () => undefined,
): Promise<KafkaForTests> {
  const wanted = process.env['KAFKA_FOR_TESTS'] ?? ''
  const rungs = wanted === '' ? ['docker', 'jvm'] : [wanted]
  const tried: string[] = []
  try {
    const found = await fromEnvironment(options)
    if (typeof found !== 'string') return found
    tried.push(`env: ${found}`)
  } catch (error) {
    // Brokers that were named must be the ones used: falling through would test something else in silence.
    throw new NoKafkaError([`env: ${reasonOf(error)}`])
  }
  for (const rung of rungs) {
    try {
      if (rung === 'docker' && needsJvm(options)) tried.push('docker: starts no brokers with further listeners')
      else if (rung === 'docker') return await startOnDocker(options, log)
      else if (rung === 'jvm') return await startOnJvm(options, log)
      else tried.push(`KAFKA_FOR_TESTS is '${rung}': docker and jvm exist`)
    } catch (error) {
      tried.push(`${rung}: ${reasonOf(error)}`)
      log(`${rung}: ${reasonOf(error).split('\n', 1).join('')}`)
    }
  }
  throw new NoKafkaError(tried)
}

async function fromEnvironment(options: KafkaOptions): Promise<KafkaForTests | string> {
  const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter(address => address !== '')
  const registryUrl = process.env['SCHEMA_REGISTRY_URL'] ?? ''
  if (brokers.length === 0) return 'KAFKA_BROKERS is not set'
  if (options.own || options.nodes === 3 || options.config || needsJvm(options))
    return 'brokers that are not ours are not stopped or configured'
  if (options.registry !== false && registryUrl === '')
    throw new Error('KAFKA_BROKERS is set, SCHEMA_REGISTRY_URL is not')
  await brokersReady(brokers, 15_000, false)
  if (options.registry !== false) await httpReady(`${registryUrl}/subjects`, 15_000)
  const notOurs = async (): Promise<never> => {
    throw new Error('these brokers come from KAFKA_BROKERS: ask for { own: true } to stop or restart one')
  }
  return {
    how: 'env',
    brokers,
    listeners: {},
    registryUrl,
    logs: [],
    pids: [],
    timings: {},
    stop: async () => undefined,
    restartBroker: notOurs,
    killBroker: notOurs,
    startBroker: notOurs,
  }
}
