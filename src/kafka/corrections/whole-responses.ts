// From the bytes of a socket to whole responses. Replaces Connection.prototype.processData (kafkajs
// src/network/connection.js). Why: the original keeps the chunks of a response until all are there and then copies them
// together, so that a fetch of six megabytes takes twice that in memory outside V8's heap; and what was left over from a
// connection that broke is taken for the beginning of the next one's first response.
// Here a response has memory of its own from its first byte on, so the socket can read into the same buffer for ever.

import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactory } from 'kafkajs'

/** The fields of kafkajs' Connection that responses go through. */
export interface RespondingConnection {
  readonly socket: object
  /** Set while the connection logs in. */
  readonly authHandlers: { onSuccess(bytes: Buffer): void } | null
  readonly authExpectResponse: boolean
  readonly requestQueue: {
    fulfillRequest(response: { readonly size: number; readonly correlationId: number; readonly payload: Buffer }): void
  }
}

/** A response on its way: four bytes of size and what follows. */
interface Partial {
  frame: Buffer
  filled: number
}

const sizeBytes = 4
/** Far above the 16 MB a fetch asks for: whoever announces more is no Kafka broker ("HTTP" reads as 1.2 GB). */
const largestResponse = 512 << 20

const partials = new WeakMap<object, Partial>()

/** Takes a chunk in, which may be overwritten afterwards, and hands on every response that it completes. */
export function processData(this: RespondingConnection, chunk: Buffer): void {
  if (this.authHandlers !== null && !this.authExpectResponse) {
    this.authHandlers.onSuccess(Buffer.from(chunk))
    return
  }
  const { socket } = this
  for (let at = 0; at < chunk.length;) {
    let partial = partials.get(socket)
    if (partial === undefined) partials.set(socket, (partial = { frame: Buffer.alloc(sizeBytes), filled: 0 }))
    at += take(partial, chunk, at)
    if (partial.filled < partial.frame.length) return
    if (partial.frame.length === sizeBytes) {
      const size = partial.frame.readInt32BE(0)
      if (size < sizeBytes || size > largestResponse) {
        partials.delete(socket)
        ;(socket as Socket).destroy(new Error(`a response of ${size} bytes is none of the Kafka protocol`))
        return
      }
      const frame = Buffer.allocUnsafeSlow(sizeBytes + size)
      partial.frame.copy(frame)
      partial.frame = frame
      continue
    }
    partials.delete(socket)
    finished(this, partial.frame)
  }
}

function take(partial: Partial, chunk: Buffer, at: number): number {
  const taken = chunk.copy(partial.frame, partial.filled, at, at + partial.frame.length - partial.filled)
  partial.filled += taken
  return taken
}

function finished(connection: RespondingConnection, frame: Buffer): void {
  if (connection.authHandlers !== null) {
    connection.authHandlers.onSuccess(frame)
    return
  }
  connection.requestQueue.fulfillRequest({
    size: frame.length - sizeBytes,
    correlationId: frame.readInt32BE(sizeBytes),
    payload: frame.subarray(2 * sizeBytes),
  })
}

// kafkajs' own.
const keepAliveMs = 60_000
const readBytes = 256 << 10

/** Sockets as kafkajs makes them, but without TLS every read goes into one buffer: see {@link processData}. */
export const readingInPlace: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  let socket: Socket
  if (ssl) {
    socket = connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
  } else {
    const buffer = Buffer.allocUnsafeSlow(readBytes)
    // The listeners that kafkajs adds know nothing of `onread`.
    const callback = (count: number) => {
      socket.emit('data', buffer.subarray(0, count))
      return true
    }
    socket = connect({ host, port, onread: { buffer, callback } }, onConnect)
  }
  socket.setKeepAlive(true, keepAliveMs)
  return socket
}
