// The ladder without any Kafka: what is tried, what is said, and how fast. Its rungs on real brokers are proven by the
// integration suite, which runs on whichever there is.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { imageVariable, newClusterId, sharedBrokerConfig } from '../../harness/cluster.ts'
import { NoKafkaError, kafkaForTests } from '../../harness/kafka.ts'
import { freePorts, isFree } from '../../harness/ports.ts'
import { brokersReady, clusterMembers } from '../../harness/readiness.ts'

const names = ['PATH', 'JAVA_HOME', 'DOCKER_HOST', 'KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'KAFKA_FOR_TESTS']
let saved: [string, string | undefined][]

beforeEach(() => {
  saved = names.map(name => [name, process.env[name]])
  for (const name of names) delete process.env[name]
  process.env['PATH'] = '/nowhere'
  // A socket may exist without an engine behind it; this address is refused at once.
  process.env['DOCKER_HOST'] = 'tcp://127.0.0.1:1'
})

afterEach(() => {
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

async function refusal(options = {}): Promise<NoKafkaError> {
  try {
    await kafkaForTests(options)
  } catch (error) {
    if (error instanceof NoKafkaError) return error
    throw error
  }
  throw new Error('a Kafka was found')
}

test('with nothing there, every rung gives its reason', async () => {
  const { tried, message } = await refusal()
  assert.equal(tried.length, 3)
  assert.match(tried[0] ?? '', /^env: KAFKA_BROKERS is not set/)
  assert.match(tried[1] ?? '', /^docker: /)
  assert.match(tried[2] ?? '', /^jvm: java not found/)
  assert.match(message, /set KAFKA_BROKERS and SCHEMA_REGISTRY_URL, or start a Docker engine, or install Java 17/)
})

test('KAFKA_FOR_TESTS allows one rung, and an unknown one is named', async () => {
  process.env['KAFKA_FOR_TESTS'] = 'jvm'
  assert.deepEqual((await refusal()).tried.slice(1), ['jvm: java not found (17 or newer needed)'])
  process.env['KAFKA_FOR_TESTS'] = 'podman'
  assert.match((await refusal()).tried[1] ?? '', /'podman'/)
})

test('named brokers are never replaced by others in silence', async () => {
  process.env['KAFKA_BROKERS'] = '127.0.0.1:1'
  const { tried } = await refusal()
  assert.deepEqual(tried, ['env: KAFKA_BROKERS is set, SCHEMA_REGISTRY_URL is not'])
})

test('a test that stops brokers never gets those named by the environment', async () => {
  process.env['KAFKA_BROKERS'] = '127.0.0.1:1'
  for (const options of [{ own: true }, { nodes: 3 }, { config: { 'log.retention.ms': '1' } }]) {
    assert.match((await refusal(options)).tried[0] ?? '', /not ours/)
  }
})

test('broker properties become variables of the official image', () => {
  // https://github.com/apache/kafka/blob/trunk/docker/examples/README.md
  assert.equal(imageVariable('log.retention.ms'), 'KAFKA_LOG_RETENTION_MS')
  assert.equal(imageVariable('a_b.c-d'), 'KAFKA_A__B_C___D')
})

test('three nodes replicate, one does not, and a test has the last word', () => {
  assert.equal(sharedBrokerConfig(1)['min.insync.replicas'], '1')
  assert.equal(sharedBrokerConfig(3)['min.insync.replicas'], '2')
  assert.equal(sharedBrokerConfig(3)['transaction.state.log.replication.factor'], '3')
  assert.equal(sharedBrokerConfig(1, { 'offsets.topic.num.partitions': '9' })['offsets.topic.num.partitions'], '9')
})

test('a cluster id is 22 characters and never looks like a flag', () => {
  for (let i = 0; i < 500; i++) assert.match(newClusterId(), /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
})

test('free ports are different, free, and below the ephemeral range', async () => {
  const ports = await freePorts(20)
  assert.equal(new Set(ports).size, 20)
  assert.ok(ports.every(port => port >= 20_000 && port < 32_768))
  const [port = 0] = ports
  const server = createServer().listen(port, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  assert.equal(await isFree(port), false)
  server.close()
})

// A broker's answer to Metadata version 4, laid down byte for byte from the protocol page, for two members.
function metadataResponse(members: readonly [id: number, host: string, port: number, rack: string | null][]): Buffer {
  const parts = [int32(1), int32(0), int32(members.length)]
  for (const [id, host, port, rack] of members) {
    parts.push(int32(id), text(host), int32(port), rack === null ? int16(-1) : text(rack))
  }
  parts.push(text('cluster'), int32(1), int32(0))
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length), body])
}
function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
function text(value: string): Buffer {
  return Buffer.concat([int16(value.length), Buffer.from(value)])
}

async function listening(
  onData: (socket: Socket, request: Buffer) => void,
): Promise<{ server: Server; address: string }> {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.on('data', request => {
      onData(socket, request)
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return { server, address: `127.0.0.1:${String((server.address() as AddressInfo).port)}` }
}

test('the members of a cluster are read from an answer in pieces', async () => {
  const answer = metadataResponse([
    [1, 'first.example', 9092, null],
    [2, 'second.example', 9093, 'rack-b'],
  ])
  let asked = Buffer.alloc(0)
  const { server, address } = await listening((socket, request) => {
    asked = Buffer.from(request)
    socket.write(answer.subarray(0, 7))
    setTimeout(() => socket.write(answer.subarray(7)), 20)
  })
  assert.deepEqual(await clusterMembers(address), [
    { nodeId: 1, host: 'first.example', port: 9092 },
    { nodeId: 2, host: 'second.example', port: 9093 },
  ])
  assert.equal(asked.readInt32BE(0), asked.length - 4)
  assert.deepEqual([asked.readInt16BE(4), asked.readInt16BE(6)], [3, 4])
  server.close()
})

test('a broker that advertises another address, or says nothing, is not ready', async () => {
  const other = await listening(socket => socket.write(metadataResponse([[1, 'localhost', 1, null]])))
  await assert.rejects(brokersReady([other.address], 300), /advertises localhost:1$/)
  other.server.close()
  const silent = await listening(() => undefined)
  await assert.rejects(clusterMembers(silent.address, 100), /did not answer in 100 ms/)
  silent.server.close()
})
