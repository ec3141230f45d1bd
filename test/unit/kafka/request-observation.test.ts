// Requests are seen whoever makes them: consumers, producers, admin and our own cluster all come from one factory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { connectionOf } from '../../../src/kafka/connection.ts'
import { clusterFactoryOf } from '../../../src/kafka/internals.ts'
import { observeRequests } from '../../../src/kafka/request-observation.ts'
import { quiet } from '../../harness/pipeline.ts'

function observed() {
  const kafka = connectionOf({ brokers: ['127.0.0.1:1'], clientId: 'test' }, quiet)
  const seen: string[] = []
  const emitters: { emit(name: string, payload: object): void }[] = []
  const factory = clusterFactoryOf(kafka)
  const make = factory.create
  factory.create = options => {
    emitters.push(options['instrumentationEmitter'] as (typeof emitters)[number])
    return make(options)
  }
  observeRequests(kafka, {
    answered: (api, ms) => seen.push(`${api} ${ms}`),
    timedOut: api => seen.push(`${api} timed out`),
  })
  return { kafka, seen, emitters }
}

test('every client of a kafkajs instance reports to the observer, and to its own listeners as before', () => {
  const { kafka, seen, emitters } = observed()
  const consumer = kafka.consumer({ groupId: 'g' })
  kafka.producer()
  kafka.admin()
  clusterFactoryOf(kafka).create({ isolationLevel: 1 })
  assert.equal(emitters.length, 4)
  const heard: number[] = []
  consumer.on(consumer.events.REQUEST, ({ payload }) => heard.push(payload.duration))
  for (const [index, emitter] of emitters.entries())
    emitter.emit('network.request', { apiName: 'Fetch', duration: index })
  emitters[0]!.emit('network.request_timeout', { apiName: 'Produce' })
  emitters[0]!.emit('network.request_queue_size', { queueSize: 3 })
  assert.deepEqual(seen, ['Fetch 0', 'Fetch 1', 'Fetch 2', 'Fetch 3', 'Produce timed out'])
  assert.deepEqual(heard, [0])
})

test('kafkajs still names these events so: a request to a server that answers is seen', async t => {
  // Answers any request with its correlation id and zeros: enough for the client to call it answered.
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.on('data', request => {
      const answer = Buffer.alloc(4 + 4 + 64)
      answer.writeInt32BE(answer.length - 4, 0)
      request.copy(answer, 4, 8, 12)
      socket.write(answer)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const kafka = connectionOf({ brokers: [`127.0.0.1:${port}`], clientId: 'test' }, quiet)
  const seen = new Set<string>()
  observeRequests(kafka, { answered: api => seen.add(api), timedOut: () => undefined })
  const cluster = clusterFactoryOf(kafka).create({})
  await Promise.race([
    cluster.connect().catch(() => undefined),
    new Promise(resolve => setTimeout(resolve, 3000).unref()),
  ])
  await cluster.disconnect().catch(() => undefined)
  assert.ok(seen.has('ApiVersions'), [...seen].join())
})
