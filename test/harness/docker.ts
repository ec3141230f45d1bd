// The middle rung of the ladder: the official Kafka image and a registry image on a Docker engine, by testcontainers.
// Works for a remote engine too: a broker is told what to advertise once the engine's host is known. Without an engine
// it rejects in milliseconds. Images come from KAFKA_IMAGE and REGISTRY_IMAGE; a local image is never pulled again.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createWriteStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { StartedNetwork, StartedTestContainer } from 'testcontainers'
import { imageVariable, newClusterId, sharedBrokerConfig } from './cluster.ts'
import type { KafkaForTests, KafkaOptions } from './cluster.ts'
import { tail } from './jvm.ts'
import { freePorts } from './ports.ts'
import { brokersReady, httpReady, reasonOf } from './readiness.ts'
import { startWatchdog } from './watchdog.ts'

const KAFKA_IMAGE = process.env['KAFKA_IMAGE'] ?? 'apache/kafka:4.3.0'
const REGISTRY_IMAGE = process.env['REGISTRY_IMAGE'] ?? 'apicurio/apicurio-registry-mem:2.6.13.Final'
const START_TIMEOUT_MS = 120_000
const WAITING = 'waiting for the advertised address'

/** Starts the cluster and, unless `registry` is false, a registry. Rejects at once when no engine answers. */
export async function startOnDocker(options: KafkaOptions, log: (line: string) => void): Promise<KafkaForTests> {
  await engineAnswers()
  // Loaded only now: half a second of imports that a machine without an engine need not pay.
  const { GenericContainer, Network, Wait, getContainerRuntimeClient } = await import('testcontainers')
  const { dockerode } = (await getContainerRuntimeClient()).container as unknown as { dockerode: Engine }
  const nodes = options.nodes ?? 1
  const folder = mkdtempSync(join(tmpdir(), 'trailwarden-kafka-'))
  const watchdog = startWatchdog()
  watchdog.folder(folder)
  const logs: string[] = []
  const containers: StartedTestContainer[] = []
  let network: StartedNetwork | undefined
  const ports = await freePorts(nodes)
  const clusterId = newClusterId()
  const session = { 'trailwarden.session': randomUUID() }
  watchdog.containers(`trailwarden.session=${session['trailwarden.session']}`)
  const begin = performance.now()

  const keepLog = async (name: string, container: StartedTestContainer): Promise<void> => {
    const file = join(folder, `${name}.log`)
    logs.push(file)
    const stream = await container.logs()
    stream.on('error', () => undefined)
    stream.pipe(createWriteStream(file))
  }

  const started = async (name: string, container: StartedTestContainer): Promise<StartedTestContainer> => {
    containers.push(container)
    await keepLog(name, container)
    return container
  }

  const startBroker = async (
    index: number,
    on: StartedNetwork,
  ): Promise<{ container: StartedTestContainer; address: string }> => {
    const alias = `kafka-${String(index)}`
    const settings = {
      ...sharedBrokerConfig(nodes, options.config),
      'node.id': String(index + 1),
      'controller.quorum.voters': ports.map((_, i) => `${String(i + 1)}@kafka-${String(i)}:9093`).join(','),
      listeners: 'HOST://:9092,INTERNAL://:19092,CONTROLLER://:9093',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,HOST:PLAINTEXT',
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'INTERNAL',
      'log.dirs': '/tmp/kraft-combined-logs',
    }
    const environment = Object.fromEntries(Object.entries(settings).map(([key, value]) => [imageVariable(key), value]))
    const container = await started(
      alias,
      await new GenericContainer(KAFKA_IMAGE)
        .withEnvironment({
          ...environment,
          CLUSTER_ID: clusterId,
          KAFKA_HEAP_OPTS: '-Xms128m -Xmx384m',
          KAFKA_JVM_PERFORMANCE_OPTS: '-XX:+UseSerialGC -XX:TieredStopAtLevel=1',
        })
        .withLabels(session)
        .withNetwork(on)
        .withNetworkAliases(alias)
        // The same host port for the container's whole life: a mapped random one changes with every restart.
        .withExposedPorts({ container: 9092, host: ports[index] ?? 0 })
        .withEntrypoint(['/bin/sh', '-c'])
        .withCommand([`echo ${WAITING}; while [ ! -f /tmp/start.sh ]; do sleep 0.1; done; exec /bin/sh /tmp/start.sh`])
        .withWaitStrategy(Wait.forLogMessage(WAITING))
        .withStartupTimeout(START_TIMEOUT_MS)
        .start(),
    )
    const address = `${container.getHost()}:${String(container.getMappedPort(9092))}`
    const advertised = `HOST://${address},INTERNAL://${alias}:19092`
    const content = `export KAFKA_ADVERTISED_LISTENERS='${advertised}'\nexec /etc/kafka/docker/run\n`
    await container.copyContentToContainer([{ target: '/tmp/start.sh', mode: 0o755, content }])
    return { container, address }
  }

  const startRegistry = async (): Promise<string> => {
    const container = await started(
      'registry',
      await new GenericContainer(REGISTRY_IMAGE)
        .withLabels(session)
        .withEnvironment({ JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1 -Xmx384m' })
        .withExposedPorts(8080)
        .withStartupTimeout(START_TIMEOUT_MS)
        .start(),
    )
    const url = `http://${container.getHost()}:${String(container.getMappedPort(8080))}/apis/ccompat/v7`
    await httpReady(`${url}/subjects`, START_TIMEOUT_MS)
    return url
  }

  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    await Promise.all(containers.map(container => container.stop({ timeout: 0, removeVolumes: true })))
    await network?.stop()
    if (!process.env['KEEP_KAFKA_LOGS']) rmSync(folder, { recursive: true, force: true })
    watchdog.done()
  }

  try {
    log(`starting ${KAFKA_IMAGE} on Docker`)
    const on = (network = await new Network().start())
    watchdog.network(on.getId())
    const [cluster, registryUrl] = await Promise.all([
      Promise.all(ports.map((_, index) => startBroker(index, on))),
      options.registry === false ? '' : startRegistry(),
    ])
    const brokers = cluster.map(broker => broker.address)
    await brokersReady(brokers, START_TIMEOUT_MS)
    const engineOf = (index: number) => dockerode.getContainer(cluster[index]?.container.getId() ?? '')
    const run = async (index: number): Promise<void> => {
      const broker = cluster[index]
      if (!broker) throw new Error(`no broker ${String(index)}`)
      await engineOf(index).start()
      await keepLog(`kafka-${String(index)}-${String(logs.length)}`, broker.container)
      await brokersReady([broker.address], START_TIMEOUT_MS, false)
    }
    return {
      how: 'docker',
      brokers,
      listeners: {},
      registryUrl,
      logs,
      pids: [],
      timings: { ready: Math.round(performance.now() - begin) },
      stop,
      killBroker: async index => {
        await engineOf(index).kill()
      },
      startBroker: run,
      restartBroker: async index => {
        await engineOf(index).stop({ t: 20 })
        await run(index)
      },
    }
  } catch (error) {
    const tails = logs.map(file => `--- ${file}\n${tail(file, 12)}`)
    await stop().catch(() => undefined)
    throw new Error([reasonOf(error), ...tails].join('\n'), { cause: error })
  }
}

// The part of dockerode that testcontainers has no method for: it can stop a container, but not start it again.
interface Engine {
  getContainer(id: string): {
    start(): Promise<unknown>
    kill(): Promise<unknown>
    stop(options: { t: number }): Promise<unknown>
  }
}

async function engineAnswers(): Promise<void> {
  try {
    await promisify(execFile)('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 })
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    // An engine without the command line client: testcontainers talks to the socket itself.
    if (code === 'ENOENT' && (process.env['DOCKER_HOST'] || existsSync('/var/run/docker.sock'))) return
    throw new Error(
      code === 'ENOENT' ? 'docker not found' : `no engine: ${(stderr ?? '').trim().split('\n').at(-1) ?? ''}`,
      { cause: error },
    )
  }
}
