// A TCP proxy in front of every broker of a cluster. Clients that bootstrap from it stay on it, because it puts its own
// addresses into the answers that name brokers. It can lose the answer to a commit, lose a commit, and cut connections.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { apiKeys, correlationIdOf, Frames, isCommit, isDone, requestHead, withAddresses } from './kafka-frames.ts'
import type { Address, RequestHead } from './kafka-frames.ts'

/**
 * How a commit goes wrong: `reply` the broker commits and the connection breaks before the answer; `silence` the answer
 * never comes, the client waits out its request timeout (30 s); `request` the connection breaks before the broker hears
 * of it; `held` the commit is swallowed and nothing breaks.
 */
export type LostCommit = 'reply' | 'silence' | 'request' | 'held'

/** A running proxy. */
export interface BrokerProxy {
  /** What clients take as bootstrap brokers. */
  readonly brokers: readonly string[]
  /** Commits that went wrong so far. */
  readonly lost: Readonly<Record<LostCommit, number>>
  /** The next commit, whoever makes it, goes wrong in this way. */
  lose(how: LostCommit): void
  /** Breaks every connection; returns how many. */
  cut(): number
  close(): Promise<void>
}

/** Starts one listener on 127.0.0.1 per broker (`host:port`). */
export async function proxyOf(brokers: readonly string[]): Promise<BrokerProxy> {
  const addresses = new Map<string, Address>()
  const connections = new Set<Connection>()
  const lost = { reply: 0, silence: 0, request: 0, held: 0 }
  const armed: LostCommit[] = []
  const context: Context = {
    replace: address => addresses.get(`${address.host}:${address.port}`) ?? address,
    next: () => armed[0] ?? null,
    lose() {
      const how = armed.shift()
      if (how !== undefined) lost[how]++
    },
  }
  const servers: Server[] = []
  for (const broker of brokers) {
    const server = createServer(client => {
      const connection = new Connection(client, broker, context)
      connections.add(connection)
      client.once('close', () => connections.delete(connection))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    addresses.set(broker, { host: '127.0.0.1', port: (server.address() as AddressInfo).port })
    servers.push(server)
  }
  const cut = () => {
    const { size } = connections
    for (const connection of connections) connection.break()
    return size
  }
  return {
    brokers: [...addresses.values()].map(({ host, port }) => `${host}:${port}`),
    lost,
    lose: how => void armed.push(how),
    cut,
    async close() {
      const closed = servers.map(server => once(server, 'close'))
      for (const server of servers) server.close()
      cut()
      await Promise.all(closed)
    },
  }
}

interface Context {
  readonly replace: (address: Address) => Address
  /** What happens to the next commit, or null. */
  readonly next: () => LostCommit | null
  /** It has happened. */
  readonly lose: () => void
}

/** One client connection and its connection to the broker. */
class Connection {
  readonly #client: Socket
  readonly #broker: Socket
  readonly #context: Context
  readonly #asked = new Map<number, RequestHead & { readonly commit: boolean }>()

  constructor(client: Socket, broker: string, context: Context) {
    this.#client = client
    this.#context = context
    const colon = broker.lastIndexOf(':')
    this.#broker = connect({ host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) })
    for (const socket of [this.#client, this.#broker]) {
      socket.setNoDelay(true)
      // A broker that is down, a client that was killed: the other end learns of it by the close.
      socket.on('error', () => undefined)
      socket.on('close', () => this.break())
    }
    const requests = new Frames()
    this.#client.on('data', chunk => {
      for (const frame of requests.push(chunk)) this.#request(frame)
    })
    const answers = new Frames()
    this.#broker.on('data', chunk => {
      for (const frame of answers.push(chunk)) this.#answer(frame)
    })
  }

  break(): void {
    this.#client.destroy()
    this.#broker.destroy()
  }

  #request(frame: Buffer): void {
    const head = requestHead(frame)
    const commit = head.apiKey === apiKeys.endTxn && isCommit(frame)
    const how = commit ? this.#context.next() : null
    if (how === 'request' || how === 'held') {
      this.#context.lose()
      if (how === 'request') this.break()
      return
    }
    this.#asked.set(head.correlationId, { ...head, commit })
    this.#broker.write(frame)
  }

  #answer(frame: Buffer): void {
    const correlationId = correlationIdOf(frame)
    const asked = this.#asked.get(correlationId)
    this.#asked.delete(correlationId)
    const how = asked?.commit === true && isDone(frame) ? this.#context.next() : null
    if (how === 'reply' || how === 'silence') {
      this.#context.lose()
      if (how === 'reply') this.break()
      return
    }
    this.#client.write(asked === undefined ? frame : withAddresses(frame, asked, this.#context.replace))
  }
}
