// A schema registry behind TLS and a password, as an ingress puts it: an https server on 127.0.0.1 that asks for basic
// authentication and passes everything else on to a registry.
import { readFileSync } from 'node:fs'
import { request as plain } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from './certificates.ts'

/** A running gate. */
export interface RegistryGate {
  readonly url: string
  readonly refused: number
  close(): Promise<void>
}

/** Starts a gate to `registryUrl`; with `clientCa` it also wants a client certificate of that authority. */
export async function startRegistryGate(
  registryUrl: string,
  certificate: Certificate,
  user: { readonly username: string; readonly password: string },
  clientCa?: string,
): Promise<RegistryGate> {
  const target = new URL(registryUrl)
  const wanted = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`
  let refused = 0
  const tls = {
    cert: readFileSync(certificate.certFile),
    key: readFileSync(certificate.keyFile),
    ...(clientCa === undefined ? {} : { ca: readFileSync(clientCa), requestCert: true }),
  }
  const server = createServer(tls, (request, response) => {
    if (request.headers.authorization !== wanted) {
      refused++
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error_code":401,"message":"Unauthorized"}')
      return
    }
    const { host: _host, authorization: _authorization, ...headers } = request.headers
    const { method, url } = request
    const passed = plain({ hostname: target.hostname, port: target.port, method, path: url, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.writeHead(502).end())
    request.pipe(passed)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`,
    get refused() {
      return refused
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
