// The HTTP side of a process: /metrics for Prometheus, /livez and /readyz for its supervisor; nothing else is served.
// Shell. Answers GET and HEAD only, with small limits, so that a stranger on the port cannot hold or crash the process.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

/** Serves the three paths. Rejects when the address cannot be bound. */
export async function serveHealth(options: {
  readonly host: string
  readonly port: number
  readonly registry: Registry
  readonly health: Health
}): Promise<HealthServer> {
  const { registry, health } = options
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000, maxHeaderSize: 8192 },
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
  server.maxConnections = 64
  server.on('clientError', (_error, socket) => socket.destroy())
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
