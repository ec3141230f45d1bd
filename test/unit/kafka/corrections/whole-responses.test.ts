import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { processData, readingInPlace } from '../../../../src/kafka/corrections/whole-responses.ts'

/** A response as it stands on the wire. */
function response(correlationId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + payload.length, 0)
  head.writeInt32BE(correlationId, 4)
  return Buffer.concat([head, payload])
}

function connection(socket: object = {}) {
  const seen: { correlationId: number; payload: Buffer; size: number }[] = []
  const authHandlers: { onSuccess(bytes: Buffer): void } | null = null
  return {
    seen,
    ...{ socket, authHandlers: authHandlers as { onSuccess(bytes: Buffer): void } | null, authExpectResponse: false },
    requestQueue: { fulfillRequest: (one: (typeof seen)[number]) => void seen.push(one) },
  }
}

test('responses come out whole, wherever their bytes are cut and although the chunk is overwritten afterwards', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 })
  fc.assert(
    fc.property(payloads, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (bodies, cuts) => {
      const one = connection()
      const wire = Buffer.concat(bodies.map((body, id) => response(id, body)))
      const shared = Buffer.alloc(40)
      for (let at = 0, cut = 0; at < wire.length; cut++) {
        const size = wire.copy(shared, 0, at, at + (cuts[cut % cuts.length] ?? 1))
        processData.call(one, shared.subarray(0, size))
        shared.fill(0xaa)
        at += size
      }
      assert.deepEqual(
        one.seen.map(({ correlationId, payload, size }) => [correlationId, [...payload], size]),
        bodies.map((body, id) => [id, [...body], 4 + body.length]),
      )
    }),
  )
})

test('what a broken connection left over is not part of the next one', () => {
  const one = connection()
  processData.call(one, response(1, Buffer.alloc(20)).subarray(0, 15))
  one.socket = {}
  processData.call(one, response(2, Buffer.from('whole')))
  assert.deepEqual(
    one.seen.map(({ correlationId, payload }) => [correlationId, payload.toString()]),
    [[2, 'whole']],
  )
})

test('while a connection logs in, answers go to whoever waits for them, with their size where there is one', () => {
  const one = connection()
  const answers: Buffer[] = []
  one.authHandlers = { onSuccess: bytes => void answers.push(bytes) }
  one.authExpectResponse = true
  const framed = response(7, Buffer.from('answer'))
  processData.call(one, framed.subarray(0, 3))
  processData.call(one, framed.subarray(3))
  one.authExpectResponse = false
  processData.call(one, Buffer.from('as it is'))
  assert.deepEqual(answers, [framed, Buffer.from('as it is')])
  assert.equal(one.seen.length, 0)
})

test('something that is no Kafka broker is hung up on', async () => {
  const server = createServer(socket => void socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const socket = readingInPlace({ host: '127.0.0.1', port, ssl: false as never, onConnect: () => undefined })
  const one = connection(socket)
  socket.on('data', chunk => processData.call(one, chunk))
  const [error] = (await once(socket, 'error')) as [Error]
  assert.match(error.message, /is none of the Kafka protocol/)
  server.close()
})

test('a socket that reads in place ends and tells like any other', async () => {
  const server = createServer(socket => void socket.pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const socket = readingInPlace({ host: '127.0.0.1', port, ssl: false as never, onConnect: () => undefined })
  let echoed = 0
  socket.on('data', chunk => {
    echoed += (chunk as Buffer).length
    if (echoed === 1_000_000) socket.end()
  })
  socket.write(Buffer.alloc(1_000_000, 1))
  await once(socket, 'end')
  assert.equal(echoed, 1_000_000)
  server.close()
})
