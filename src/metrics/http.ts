// The HTTP side of a process: /metrics for Prometheus, /livez and /readyz for its supervisor; nothing else is served.
// Shell. Answers GET and HEAD only, with small limits, so that a stranger on the port cannot hold or crash the process.
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Registry } from 'prom-client'

/** What the process says of itself; read on every request. */
export interface Health {
  /** Joined, restored, able to work. */
  ready(): boolean
  /** Making progress; false asks the supervisor for a restart. */
  live(): boolean
}

/** A running endpoint. */
export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

/** Milliseconds. Whoever is slower than this is no Prometheus and no kubelet. */
export interface HttpLimits {
  /** For sending a request. */
  readonly requestMs: number
  /** For a connection as a whole, however busy it looks; above Prometheus' default scrape timeout of 10 s. */
  readonly connectionMs: number
}

const usualLimits: HttpLimits = { requestMs: 5000, connectionMs: 15_000 }
const MOST_CONNECTIONS = 64

/** Serves the three paths. Rejects when the address cannot be bound. */
export async function serveHealth(options: {
  readonly host: string
  readonly port: number
  readonly registry: Registry
  readonly health: Health
  readonly limits?: HttpLimits
}): Promise<HealthServer> {
  const { registry, health } = options
  const { requestMs, connectionMs } = options.limits ?? usualLimits
  const server = createServer(
    {
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      // Node looks for connections over these times every 30 s unless told otherwise.
      connectionsCheckingInterval: requestMs / 5,
      maxHeaderSize: 8192,
    },
    (request, response) => {
      const answer = (status: number, type: string, body: string) => {
        const allow = status === 405 ? { allow: 'GET, HEAD' } : {}
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', connection: 'close', ...allow })
        response.end(request.method === 'HEAD' ? undefined : body)
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'text/plain', 'GET only\n')
      switch (request.url?.split('?')[0]) {
        case '/livez':
          return answer(...verdict(health.live()))
        case '/readyz':
          return answer(...verdict(health.ready()))
        case '/metrics':
          registry.metrics().then(
            text => answer(200, registry.contentType, text),
            () => answer(500, 'text/plain', 'metrics failed\n'),
          )
          return
        default:
          return answer(404, 'text/plain', 'not found\n')
      }
    },
  )
  server.on('clientError', (_error, socket) => socket.destroy())
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    // Also for who sends nothing, or does not read the answer.
    const life = setTimeout(() => socket.destroy(), connectionMs).unref()
    socket.once('close', () => {
      sockets.delete(socket)
      clearTimeout(life)
    })
    // The oldest goes, not the newest: who holds connections open must not keep the probes out.
    if (sockets.size > MOST_CONNECTIONS) for (const oldest of [...sockets].slice(0, 1)) oldest.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function verdict(good: boolean): [number, string, string] {
  return good ? [200, 'text/plain', 'ok\n'] : [503, 'text/plain', 'not yet\n']
}
