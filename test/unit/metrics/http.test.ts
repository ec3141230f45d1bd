// The HTTP endpoint: three paths, two methods, verdicts of the moment, and nothing that a stranger sends can stop it.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { after, test } from 'node:test'
import { serveHealth } from '../../../src/metrics/http.ts'
import { createMetrics } from '../../../src/metrics/metrics.ts'

const { registry } = createMetrics('normalize', '1')
const state = { ready: false, live: true }
const health = { ready: () => state.ready, live: () => state.live }
const server = await serveHealth({ host: '127.0.0.1', port: 0, registry, health })
after(() => server.close())
const url = (path: string) => `http://127.0.0.1:${server.port}${path}`

/** Sends bytes as they are and returns what comes back until the server closes the connection. */
async function exchange(bytes: string | Buffer): Promise<string> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect(server.port, '127.0.0.1', () => socket.end(bytes))
    socket.on('data', chunk => (answer += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      resolve(answer)
    })
  })
}

test('/readyz and /livez say what is so at the moment of the request', async () => {
  const verdicts = async () => {
    const answers = await Promise.all([fetch(url('/readyz')), fetch(url('/livez'))])
    return Promise.all(answers.map(async answer => `${answer.status} ${await answer.text()}`))
  }
  assert.deepEqual(await verdicts(), ['503 not yet\n', '200 ok\n'])
  state.ready = true
  state.live = false
  assert.deepEqual(await verdicts(), ['200 ok\n', '503 not yet\n'])
  state.live = true
})

test('/metrics is Prometheus text, with a query or without', async () => {
  for (const path of ['/metrics', '/metrics?name[]=x']) {
    const answer = await fetch(url(path))
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(await answer.text(), /^# HELP trailwarden_records_in_total /m)
  }
})

test('a metric that cannot be read is a 500, not a hanging scrape', async () => {
  const broken = { contentType: 'text/plain', metrics: () => Promise.reject(new Error('no')) }
  const other = await serveHealth({ host: '127.0.0.1', port: 0, registry: broken as never, health })
  const answer = await fetch(`http://127.0.0.1:${other.port}/metrics`)
  assert.deepEqual([answer.status, await answer.text()], [500, 'metrics failed\n'])
  await other.close()
})

test('nothing else is served', async () => {
  for (const path of ['/', '/metrics/', '/..%2fetc/passwd', '/LIVEZ', '/livez/x'])
    assert.equal((await fetch(url(path))).status, 404, path)
})

test('other methods are refused with the ones that are allowed', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const answer = await fetch(url('/livez'), { method })
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, HEAD'], method)
  }
})

test('HEAD has the status and no body', async () => {
  assert.match(await exchange('HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/)
  const answer = await exchange('HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  assert.ok(answer.endsWith('\r\n\r\n'))
})

test('garbage, oversized headers and broken requests end their own connection and no other', async () => {
  for (const bytes of [
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
    Buffer.alloc(100_000, 0x41),
    'GET /livez HTTP/9.9\r\n\r\n',
    `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    'GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    '',
  ])
    assert.doesNotMatch(await exchange(bytes), /ok\n$/)
  assert.equal((await fetch(url('/livez'))).status, 200)
})

test('who sends its request a byte at a time, or nothing, or does not read the answer, is cut off', async () => {
  const big = { contentType: 'text/plain', metrics: async () => 'x'.repeat(50 << 20) }
  const limits = { requestMs: 300, connectionMs: 900 }
  const other = await serveHealth({ host: '127.0.0.1', port: 0, registry: big as never, health, limits })
  const cutOff = (behave: (socket: Socket) => void) =>
    new Promise<number>(resolve => {
      const begun = performance.now()
      const socket = connect(other.port, '127.0.0.1', () => behave(socket))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(performance.now() - begun))
    })
  const drip = (socket: Socket) => {
    socket.write('GET /livez HTTP/1.1\r\n')
    const timer = setInterval(() => socket.write('X: y\r\n'), 50)
    socket.on('close', () => clearInterval(timer))
    socket.resume()
  }
  const silent = (socket: Socket) => socket.resume()
  // Nothing is read, so the close shows only when the kernel refuses what is written.
  const deaf = (socket: Socket) => {
    socket.pause()
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
    const timer = setInterval(() => socket.write('\r\n'), 50)
    socket.on('close', () => clearInterval(timer))
  }
  const times = await Promise.all([drip, silent, deaf].map(cutOff))
  for (const ms of times) assert.ok(ms > 250 && ms < 20_000, String(times))
  await other.close()
})

test('a crowd that holds connections open does not keep a probe out', async () => {
  const crowd = Array.from({ length: 200 }, () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => undefined)
    return socket
  })
  await Promise.all(crowd.map(socket => new Promise(resolve => socket.once('connect', resolve))))
  assert.equal((await fetch(url('/livez'))).status, 200)
  const left = crowd.filter(socket => !socket.destroyed && socket.readyState === 'open')
  for (const socket of crowd) socket.destroy()
  assert.ok(left.length > 0)
})

test('closing does not wait for an idle connection', async () => {
  const other = await serveHealth({ host: '127.0.0.1', port: 0, registry, health })
  const idle = connect(other.port, '127.0.0.1')
  idle.on('error', () => undefined)
  await new Promise(resolve => idle.once('connect', resolve))
  await other.close()
  await assert.rejects(fetch(`http://127.0.0.1:${other.port}/livez`))
})

test('an occupied port is the caller’s to report', async () => {
  await assert.rejects(serveHealth({ host: '127.0.0.1', port: server.port, registry, health }), { code: 'EADDRINUSE' })
})
