// The runtime of Kafka Connect from Maven artifacts, as one standalone worker with one connector.
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from './ports.ts'

const run = promisify(execFile)
const pom = join(import.meta.dirname, '..', 'connect-pom.xml')

/** Where the jars are; downloads them once. Rejects where Java, Maven or the network is missing. */
export async function connectJars(): Promise<string> {
  const key = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
  const cache = process.env['TRAILWARDEN_TEST_CACHE'] ?? join(import.meta.dirname, '..', '..', '.cache')
  const folder = join(cache, `connect-${key}`)
  await run('java', ['-version'], { timeout: 60_000 })
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const partial = `${folder}.${process.pid}`
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`]
  await run('mvn', ['-B', '-q', '-ntp', '-f', pom, ...goal], { timeout: 300_000 })
  if (existsSync(folder)) rmSync(partial, { recursive: true })
  else renameSync(partial, folder)
  return folder
}

/** Starts a worker with the connector of a file like those of examples/kafka-connect. */
export async function startConnect(
  jars: string,
  folder: string,
  brokers: readonly string[],
  connector: object,
): Promise<{ readonly child: ChildProcess; output(): string }> {
  const [port] = await freePorts(1)
  const plugins = join(folder, 'plugins')
  mkdirSync(plugins)
  const worker = {
    'bootstrap.servers': brokers.join(','),
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'offset.storage.file.filename': join(folder, 'offsets'),
    listeners: `http://127.0.0.1:${port}`,
    // The connector is on the class path; a plugin path with all jars on it would be searched for a minute.
    'plugin.path': plugins,
    'plugin.discovery': 'service_load',
  }
  const lines = Object.entries(worker).map(([key, value]) => `${key}=${value}`)
  writeFileSync(join(folder, 'worker.properties'), `${lines.join('\n')}\n`)
  writeFileSync(join(folder, 'connector.json'), JSON.stringify(connector))
  const args = ['-Xmx256m', '-cp', join(jars, '*'), 'org.apache.kafka.connect.cli.ConnectStandalone']
  const child = spawn('java', [...args, join(folder, 'worker.properties'), join(folder, 'connector.json')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
  return { child, output: () => output.slice(-4000) }
}
