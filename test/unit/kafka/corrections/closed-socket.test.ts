// Disconnecting from a broker that is gone, again and again: kafkajs' own Connection, on a port where nobody listens.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { leavingClosedSocket } from '../../../../src/kafka/corrections/closed-socket.ts'
import type { SocketHolder } from '../../../../src/kafka/corrections/closed-socket.ts'
import { original } from '../encoded-batches.ts'

interface Connection extends SocketHolder {
  connect(): Promise<unknown>
  disconnect(): Promise<unknown>
}
type ConnectionClass = new (options: object) => Connection

const quiet = () => undefined

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Listeners for a connection that never comes, on the socket of a failed attempt after some calls of disconnect. */
async function listenersLeft(disconnect: (connection: Connection) => Promise<unknown>): Promise<number> {
  const KafkajsConnection = original<ConnectionClass>('network/connection')
  const logger = { namespace: () => ({ debug: quiet, error: quiet, info: quiet, warn: quiet }) }
  const sockets: Socket[] = []
  const socketFactory = ({ host, port }: { host: string; port: number }) => {
    const socket = connect({ host, port })
    sockets.push(socket)
    return socket
  }
  const options = { host: '127.0.0.1', port: await closedPort(), logger, socketFactory, connectionTimeout: 1000 }
  const connection = new KafkajsConnection(options)
  await assert.rejects(connection.connect())
  for (let i = 0; i < 8; i++) await disconnect(connection)
  assert.equal(sockets.length, 1)
  return sockets[0]?.listenerCount('connect') ?? -1
}

test('a closed socket collects no listeners; with the original it gets one with every disconnect', async () => {
  type Original = Parameters<typeof leavingClosedSocket>[0]
  const { prototype } = original<{ prototype: { readonly disconnect: Original } }>('network/connection')
  const before = await listenersLeft(connection => prototype.disconnect.call(connection))
  assert.ok(before >= 8, 'the original no longer adds listeners')
  const corrected = leavingClosedSocket(prototype.disconnect)
  const after = await listenersLeft(connection => corrected.call(connection))
  assert.ok(after < 3, `${after} listeners`)
})
