// One HTTP request with a time limit and, for https, our own authorities and client certificate. For the few calls beside
// Kafka: schema registry and token endpoint. Node's fetch takes no certificates. Redirects are not followed: credentials
// go where they were configured to go.

import { request as plain } from 'node:http'
import { Agent, request as encrypted } from 'node:https'
import type { TlsFiles } from './connection.ts'

// A schema or a token; what is longer is neither.
const maxBytes = 16 << 20

/** What to ask. */
export interface HttpCall {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly timeoutMs: number
  readonly agent?: Agent
}

/** An https agent with the given certificates; undefined where the system's authorities do. */
export function httpsAgent(tls: TlsFiles | undefined): Agent | undefined {
  return tls === undefined ? undefined : new Agent({ ...tls, keepAlive: true })
}

/** Status and body. Rejects with the network's or TLS's own error, or after `timeoutMs` over all. */
export function httpRequest(call: HttpCall): Promise<{ readonly status: number; readonly text: string }> {
  const { method, url, headers, body, timeoutMs, agent } = call
  const secure = url.startsWith('https:')
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const options = { method, headers, signal }
    const request = secure ? encrypted(url, { ...options, ...(agent ? { agent } : {}) }) : plain(url, options)
    const failed = (error: Error) => {
      reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`, { cause: error }) : error)
    }
    request.on('error', failed)
    request.on('response', response => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('error', failed)
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxBytes) request.destroy(new Error(`the answer is longer than ${maxBytes} bytes`))
        else chunks.push(chunk)
      })
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
      })
    })
    request.end(body)
  })
}
