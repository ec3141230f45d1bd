// One request with a limit on time and size, over TLS with our own authority and certificate.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as plainServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as tlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { httpRequest, httpsAgent } from '../../../src/kafka/http-request.ts'
import { tlsRefusal } from '../../../src/kafka/refusals.ts'
import { certificateAuthority } from '../../harness/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'http-request-test-'))
after(() => {
  rmSync(folder, { recursive: true })
})
const pem = (path: string) => readFileSync(path, 'utf8')

async function listening(t: TestContext, server: Server & { closeAllConnections(): void }): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const call = { method: 'POST', headers: { 'x-a': 'b' }, body: 'sent', timeoutMs: 5_000 }

test('status, headers and body both ways; a redirect is an answer, not followed', async t => {
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    request.on('data', chunk => (body += String(chunk)))
    request.on('end', () => {
      const answer = `${request.method} ${request.url} ${String(request.headers['x-a'])} ${body}`
      response.writeHead(302, { location: '/elsewhere' }).end(answer)
    })
  }
  const port = await listening(t, plainServer(handler))
  const answer = await httpRequest({ ...call, url: `http://127.0.0.1:${port}/path?q=1` })
  assert.deepEqual(answer, { status: 302, text: 'POST /path?q=1 b sent' })
})

test('a server that never answers, or never ends, does not hold anybody', async t => {
  const port = await listening(
    t,
    plainServer((request, response) => {
      if (request.url === '/slow') response.writeHead(200).write('a')
    }),
  )
  for (const path of ['/', '/slow']) {
    const url = `http://127.0.0.1:${port}${path}`
    await assert.rejects(httpRequest({ ...call, url, timeoutMs: 200 }), /no answer within 200 ms/, path)
  }
  await assert.rejects(httpRequest({ ...call, url: 'http://127.0.0.1:1/' }), { code: 'ECONNREFUSED' })
})

test('an answer without an end in sight is cut off', async t => {
  const port = await listening(
    t,
    plainServer((_request, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(1 << 20)));
        response.once('drain', more)
      }
      more()
    }),
  )
  await assert.rejects(httpRequest({ ...call, url: `http://127.0.0.1:${port}/` }), /longer than 16777216 bytes/)
})

test('TLS: our authority is needed, and our certificate is shown', async t => {
  const authority = certificateAuthority(folder)
  const server = authority.issue({ name: 'server' })
  const client = authority.issue({ name: 'warden' })
  const ca = pem(authority.caFile)
  const options = {
    cert: pem(server.certFile),
    key: pem(server.keyFile),
    ca,
    requestCert: true,
    rejectUnauthorized: true,
  }
  const port = await listening(
    t,
    tlsServer(options, (_request, response) => {
      response.end('inside')
    }),
  )
  const url = `https://127.0.0.1:${port}/`
  const agent = httpsAgent({ ca, cert: pem(client.certFile), key: pem(client.keyFile) })!
  t.after(() => agent.destroy())
  assert.deepEqual(await httpRequest({ ...call, url, agent }), { status: 200, text: 'inside' })
  const refusal = (error: Error) => tlsRefusal(error) !== null
  await assert.rejects(httpRequest({ ...call, url }), refusal, 'an authority that the system does not know')
  const nobody = httpsAgent({ ca })!
  t.after(() => nobody.destroy())
  await assert.rejects(httpRequest({ ...call, url, agent: nobody }), refusal, 'no certificate of ours')
  assert.equal(httpsAgent(undefined), undefined)
})
