// The last rung of the ladder: Apache Kafka and the Apicurio registry as JVM processes of this machine.
// Random ports on 127.0.0.1, a temporary folder for data and logs, brokers that can be killed and started again, and
// nothing left behind: stop() in the good case, the watchdog in every other.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newClusterId, sharedBrokerConfig } from './cluster.ts'
import type { KafkaForTests, KafkaOptions } from './cluster.ts'
import { resolveArtifacts } from './jvm-artifacts.ts'
import { freePorts } from './ports.ts'
import { GivenUp, brokersReady, httpReady, reasonOf } from './readiness.ts'
import { startWatchdog } from './watchdog.ts'

// Short-lived JVMs: no tiered optimisation, no parallel collector threads on two cores.
const QUICK = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
const START_TIMEOUT_MS = 120_000

interface Running {
  readonly name: string
  readonly child: ChildProcess
  readonly logFile: string
}

/** Starts the cluster and, unless `registry` is false, a registry beside it. Rejects with the tails of the logs. */
export async function startOnJvm(options: KafkaOptions, log: (line: string) => void): Promise<KafkaForTests> {
  const nodes = options.nodes ?? 1
  const timings: Record<string, number> = {}
  const since = stopwatch(timings)
  const artifacts = await since('artifacts', resolveArtifacts(options.registry !== false, log))
  const folder = mkdtempSync(join(tmpdir(), 'trailwarden-kafka-'))
  const watchdog = startWatchdog()
  watchdog.folder(folder)
  const extra = Object.entries(options.listeners ?? {})
  const ports = await freePorts(2 * nodes + 1 + extra.length)
  const brokerPort = (index: number) => ports[index] ?? 0
  const controllerPort = (index: number) => ports[nodes + index] ?? 0
  const brokers = Array.from({ length: nodes }, (_, index) => `127.0.0.1:${String(brokerPort(index))}`)
  const listeners = Object.fromEntries(
    extra.map(([name], index) => [name, `127.0.0.1:${String(ports[2 * nodes + 1 + index] ?? 0)}`]),
  )
  const logs = new Set<string>()
  const running = new Map<string, Running>()

  const java = (name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running => {
    const logFile = join(folder, `${name}.log`)
    logs.add(logFile)
    const fd = openSync(logFile, 'a')
    // Detached: Ctrl-C goes to the process group, and the owner may still want its broker while it winds down.
    const child = spawn(artifacts.java, args, {
      cwd: folder,
      stdio: ['ignore', fd, fd],
      env: { ...process.env, ...env },
      detached: true,
    })
    closeSync(fd)
    child.unref()
    child.on('error', () => undefined)
    const { pid } = child
    if (pid !== undefined) {
      watchdog.pid(pid)
      child.once('exit', () => {
        watchdog.forget(pid)
      })
    }
    const started = { name, child, logFile }
    running.set(name, started)
    return started
  }

  const signal = async (name: string, kind: NodeJS.Signals): Promise<void> => {
    const found = running.get(name)
    if (!found || hasEnded(found.child)) return
    const exited = ended(found.child)
    found.child.kill(kind)
    // A broker that is alone with a dead quorum waits for ever in its controlled shutdown.
    const timer = setTimeout(() => found.child.kill('SIGKILL'), 20_000)
    await exited
    clearTimeout(timer)
  }

  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    // The data goes anyway, so there is nothing to shut down in order.
    await Promise.all([...running.keys()].map(name => signal(name, 'SIGKILL')))
    if (!process.env['KEEP_KAFKA_LOGS']) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    watchdog.done()
  }

  const mustBeAlive = (name: string) => () => {
    const found = running.get(name)
    if (found && hasEnded(found.child)) throw new GivenUp(`${name} ended during its start`)
  }

  const properties = (index: number) => join(folder, `broker-${String(index)}.properties`)
  const launch = (index: number) =>
    java(`broker-${String(index)}`, [
      ...QUICK,
      '-Xms128m',
      '-Xmx384m',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
      '-cp',
      artifacts.kafkaClassPath,
      ...(options.jvm ?? []),
      'kafka.Kafka',
      properties(index),
    ])

  const startCluster = async (): Promise<void> => {
    const clusterId = newClusterId()
    const voters = brokers.map((_, index) => `${String(index + 1)}@127.0.0.1:${String(controllerPort(index))}`)
    await Promise.all(
      brokers.map(async (address, index) => {
        // Only the first broker has more listeners than the plain one.
        const own = index === 0 ? Object.entries(listeners) : []
        const plain = [`PLAINTEXT://${address}`, ...own.map(([name, at]) => `${name.toUpperCase()}://${at}`)]
        const settings = {
          ...sharedBrokerConfig(nodes, options.config),
          'node.id': String(index + 1),
          'controller.quorum.voters': voters.join(','),
          listeners: [...plain, `CONTROLLER://127.0.0.1:${String(controllerPort(index))}`].join(','),
          'advertised.listeners': plain.join(','),
          'listener.security.protocol.map': [
            'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
            ...extra.map(([name, protocol]) => `${name.toUpperCase()}:${protocol}`),
          ].join(','),
          'controller.listener.names': 'CONTROLLER',
          'inter.broker.listener.name': 'PLAINTEXT',
          // A properties file reads a backslash as an escape.
          'log.dirs': join(folder, `data-${String(index)}`).replaceAll('\\', '/'),
        }
        const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
        writeFileSync(properties(index), lines.join(''))
        const tool = [
          'kafka.tools.StorageTool',
          'format',
          '-t',
          clusterId,
          '-c',
          properties(index),
          ...(options.format ?? []),
        ]
        const name = `format-${String(index)}`
        const { child } = java(name, [...QUICK, '-Xmx128m', '-cp', artifacts.kafkaClassPath, ...tool])
        await ended(child)
        running.delete(name)
        if (child.exitCode !== 0) throw new Error(`${name}: exit code ${String(child.exitCode)}`)
      }),
    )
    for (const index of brokers.keys()) launch(index)
    await brokersReady(brokers, START_TIMEOUT_MS, true, () => {
      for (const index of brokers.keys()) mustBeAlive(`broker-${String(index)}`)()
    })
  }

  const startRegistry = async (jar: string): Promise<string> => {
    const port = String(ports[2 * nodes] ?? 0)
    const bind = [`-Dquarkus.http.port=${port}`, '-Dquarkus.http.host=127.0.0.1']
    java('registry', [...QUICK, '-Xmx384m', ...bind, '-jar', jar], { REGISTRY_STORAGE_KIND: 'mem' })
    const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
    await httpReady(`${url}/subjects`, START_TIMEOUT_MS, mustBeAlive('registry'))
    return url
  }

  try {
    const [, registryUrl] = await Promise.all([
      since('kafka', startCluster()),
      artifacts.registryJar === undefined ? '' : since('registry', startRegistry(artifacts.registryJar)),
    ])
    return {
      how: 'jvm',
      brokers,
      listeners,
      registryUrl,
      timings,
      stop,
      get logs() {
        return [...logs]
      },
      get pids() {
        return brokers.flatMap((_, index) => {
          const found = running.get(`broker-${String(index)}`)
          return found?.child.pid !== undefined && !hasEnded(found.child) ? [found.child.pid] : []
        })
      },
      killBroker: async index => {
        await signal(`broker-${String(index)}`, 'SIGKILL')
      },
      startBroker: async index => {
        launch(index)
        await memberReady(brokers, index, mustBeAlive(`broker-${String(index)}`))
      },
      restartBroker: async index => {
        await signal(`broker-${String(index)}`, 'SIGTERM')
        launch(index)
        await memberReady(brokers, index, mustBeAlive(`broker-${String(index)}`))
      },
    }
  } catch (error) {
    const tails = [...running.values()].map(process => `--- ${process.name}\n${tail(process.logFile, 12)}`)
    await stop()
    throw new Error(`${reasonOf(error)}\n${tails.join('\n')}`, { cause: error })
  }
}

/** The last `lines` lines of a log file; empty when it cannot be read. */
export function tail(file: string, lines: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return ''
  }
}

async function memberReady(brokers: readonly string[], index: number, alive: () => void): Promise<void> {
  await brokersReady(brokers.slice(index, index + 1), START_TIMEOUT_MS, false, alive)
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

async function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  // Waited for, so it has to hold the event loop until then.
  child.ref()
  await new Promise<void>(resolve => {
    child.once('exit', () => {
      resolve()
    })
  })
}

function stopwatch(timings: Record<string, number>) {
  return async <T>(name: string, work: Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await work
    timings[name] = Math.round(performance.now() - start)
    return result
  }
}
