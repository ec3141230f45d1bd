// Reference programs beside ours: a folder with `streams/` (Kafka Streams detection, Maven) and `normalize/Norm.java`.
// They are built in a temporary folder, read the same raw data (the detection peer as the flat record it was written
// for), and are measured from outside like ours. The normalizer expects a fixed port, which is forwarded to the broker.
import { execFile } from 'node:child_process'
import { cpSync, copyFileSync, existsSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import avro from 'avsc'
import { schemaRegistry } from '../../src/kafka/registry.ts'
import { topicAdmin } from '../../src/kafka/topics.ts'
import { cloudTrailLines } from '../data.ts'
import type { BenchCluster } from './cluster.ts'
import type { Work } from './process-cost.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const run = promisify(execFile)

/** A program of somebody else that is run once per round. */
export interface Peer {
  readonly name: string
  /** The row of ours that it stands beside. */
  readonly row: string
  start(): Promise<Omit<Work, 'known'>>
}

/** The raw topic that the normalizing peer reads. */
export const peerRawTopic = 'raw'
const flatTopic = 'access'

/** Forwards a fixed local port; the server keeps no process alive. */
function forward(port: number, to: string): void {
  const { hostname, port: target } = new URL(to.includes('://') ? to : `tcp://${to}`)
  const server = createServer(socket => {
    const other = connect(Number(target), hostname)
    socket.pipe(other).pipe(socket)
    for (const end of [socket, other]) end.on('error', () => [socket, other].forEach(one => one.destroy()))
  })
  server.listen(port, '127.0.0.1').unref()
}

/** Builds what there is in `from` and fills the topic of flat records. */
export async function preparePeers(
  from: string,
  cluster: BenchCluster,
  count: number,
  folder: string,
): Promise<Peer[]> {
  forward(19_092, cluster.kafka.brokers[0]!)
  const home = join(folder, 'peers')
  cpSync(from, home, { recursive: true })
  const streams = join(home, 'streams')
  await run('mvn', ['-q', '-B', 'package'], { cwd: streams, maxBuffer: 1 << 26 })
  const library = `${join(streams, 'target', 'classes')}:${join(streams, 'target', 'lib')}/*`
  const schema = join(streams, 'src', 'main', 'avro', 'access-event.avsc')
  await fillFlat(cluster, schema, count)
  const java = ['-Xmx1g', '-cp']
  const detector = (row: string, name: string, mode: string): Peer => {
    let number = 0
    return {
      name,
      row,
      start: async () => {
        const app = `peer-${mode}-${process.pid}-${number++}`
        const settings = [
          `app=${app}`,
          `input=${flatTopic}`,
          `mode=${mode}`,
          'store=mem',
          'exit=never',
          `state=${join(folder, app)}`,
          `boot=${cluster.kafka.brokers[0]!}`,
          'alerts=peer-alerts',
        ]
        return {
          command: 'java',
          args: [`-Dregistry=${cluster.kafka.registryUrl}`, ...java, library, 'peer.PeerApp', ...settings],
          group: app,
          topic: flatTopic,
        }
      },
    }
  }
  const peers = [
    detector('detect', 'Kafka Streams, in memory', 'filter'),
    detector('worst', 'Kafka Streams, in memory, every record', 'all'),
  ]
  const normalizer = join(home, 'normalize')
  if (!existsSync(join(normalizer, 'Norm.java'))) return peers
  copyFileSync(schema, join(normalizer, 'access-event.avsc'))
  await run('javac', ['-cp', library, '-d', normalizer, join(normalizer, 'Norm.java')], { cwd: normalizer })
  let number = 0
  const norm: Peer = {
    name: 'Java, normalize',
    row: 'normalize',
    start: async () => {
      const group = `peer-norm-${process.pid}-${number++}`
      return {
        command: 'java',
        args: [...java, `${normalizer}:${library}`, 'Norm', 'stream'],
        // One record more than there are, so that it does not end before it was measured.
        env: { GROUP: group, OUT_TOPIC: 'peer-events', N: String(count + 1) },
        cwd: normalizer,
        group,
        topic: peerRawTopic,
      }
    },
  }
  return [norm, ...peers]
}

/** The same data as records of the peers' schema, in Confluent wire format. */
async function fillFlat(cluster: BenchCluster, schemaPath: string, count: number): Promise<void> {
  const admin = await topicAdmin({ brokers: cluster.kafka.brokers, clientId: 'bench' }, quiet, null)
  const topics = [flatTopic, 'peer-alerts', 'peer-events']
  await admin.apply(topics.map(name => ({ name, partitions: 6, replicationFactor: 1, config: {} })))
  await admin.close()
  const schema = JSON.parse(readFileSync(schemaPath, 'utf8')) as object
  const type = avro.Type.forSchema(schema as avro.Schema)
  // The peers look the writer's schema up by this id; the ids of the registry depend on what was registered before.
  const id = await schemaRegistry({ url: cluster.kafka.registryUrl }).register(`${flatTopic}-value`, schema, 'NONE')
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  await cluster.fill(flatTopic, cloudTrailLines(count), line => {
    const record = JSON.parse(line) as FlatSource
    const issuer = record.userIdentity.sessionContext.sessionIssuer
    const key = `${record.userIdentity.accountId}:${issuer.principalId}`
    const value = type.toBuffer({
      eventId: record.eventID,
      eventTimeMs: Date.parse(record.eventTime),
      principalKey: key,
      principalKind: 'ROLE',
      accountId: record.recipientAccountId,
      region: record.awsRegion,
      eventSource: record.eventSource,
      eventName: record.eventName,
      outcome: record.errorCode === undefined ? 'SUCCESS' : 'DENIED',
      errorCode: record.errorCode ?? null,
      sourceIp: record.sourceIPAddress,
      userAgent: record.userAgent,
      secretIds: record.requestParameters.secretId === undefined ? [] : [record.requestParameters.secretId],
    })
    return { key, value: Buffer.concat([header, value]) }
  })
}

interface FlatSource {
  readonly eventID: string
  readonly eventTime: string
  readonly eventSource: string
  readonly eventName: string
  readonly awsRegion: string
  readonly recipientAccountId: string
  readonly sourceIPAddress: string
  readonly userAgent: string
  readonly errorCode?: string
  readonly requestParameters: { readonly secretId?: string }
  readonly userIdentity: {
    readonly accountId: string
    readonly sessionContext: { readonly sessionIssuer: { readonly principalId: string } }
  }
}
