// Tokens: what the endpoint is asked and how often, what becomes of its refusals, and that the token for MSK is the
// presigned request that its documentation describes, signature included.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { mskToken, reusingToken, tokenFrom } from '../../../src/kafka/bearer-token.ts'
import type { TrailwardenError } from '../../../src/errors.ts'

interface Asked {
  readonly authorization: string | undefined
  readonly form: Readonly<Record<string, string>>
}

async function endpoint(t: TestContext, status: number, body: string) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => (text += String(chunk)))
    request.on('end', () => {
      asked.push({
        authorization: request.headers.authorization,
        form: Object.fromEntries(new URLSearchParams(text)),
      })
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token` }
}

const secret = 's%cr:t word'
const client = { clientId: 'the client', clientSecret: secret }

test('client credentials go as basic authentication, form-encoded; scope and audience as asked for', async t => {
  const { url, asked } = await endpoint(t, 200, JSON.stringify({ access_token: 'abc', expires_in: 60 }))
  const token = await tokenFrom({ url, ...client, scope: 'kafka read', audience: 'brokers' }, () => 1000)
  assert.deepEqual(token, { value: 'abc', expiresAt: 61_000 })
  assert.deepEqual(asked, [
    {
      authorization: `Basic ${Buffer.from('the+client:s%25cr%3At+word').toString('base64')}`,
      form: { grant_type: 'client_credentials', scope: 'kafka read', audience: 'brokers' },
    },
  ])
})

test('refusals are final and name the error code only; an endpoint that is away may come back', async t => {
  const failure = (at: string) =>
    tokenFrom({ url: at, ...client }).then(
      () => assert.fail('there was a token'),
      (error: unknown) => error as TrailwardenError,
    )
  const echo = { error: 'invalid_client', error_description: `the secret ${secret} is wrong` }
  const { url: refusing } = await endpoint(t, 401, JSON.stringify(echo))
  const refused = await failure(refusing)
  assert.equal(refused.code, 'TW_AUTHENTICATION_FAILED')
  assert.match(refused.message, /status 401 \(invalid_client\)/)
  assert.ok(!refused.message.includes(secret))
  const { url: silly } = await endpoint(t, 200, '<html>')
  assert.equal((await failure(silly)).code, 'TW_AUTHENTICATION_FAILED')
  const { url: failing } = await endpoint(t, 503, '')
  assert.equal((await failure(failing)).code, 'TW_BROKER_UNAVAILABLE')
  assert.equal((await failure('http://127.0.0.1:1/token')).code, 'TW_BROKER_UNAVAILABLE')
})

test('one token serves everybody for four fifths of its life; a failure is not kept', async () => {
  let now = 0
  let fetched = 0
  let lifetimeMs = 100_000
  const token = reusingToken(
    async () => {
      fetched++
      if (fetched === 1) throw new Error('away')
      return { value: `token ${fetched}`, expiresAt: now + lifetimeMs }
    },
    () => now,
  )
  await assert.rejects(token(), /away/)
  assert.deepEqual(await Promise.all([token(), token(), token()]), ['token 2', 'token 2', 'token 2'])
  now = 79_999
  assert.equal(await token(), 'token 2')
  now = 80_000
  lifetimeMs = 20_000
  assert.equal(await token(), 'token 3')
  now += 4_999
  assert.equal(await token(), 'token 3')
  now += 1
  assert.equal(await token(), 'token 4', 'a session needs fifteen seconds')
})

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** AWS Signature Version 4 of a presigned GET without a body: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signature(url: URL, key: string, region: string): string {
  const encoded = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature' && name !== 'User-Agent')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&')
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const canonical = ['GET', '/', query, `host:${url.host}\n`, 'host', sha256('')].join('\n')
  const time = url.searchParams.get('X-Amz-Date')!
  const scope = `${time.slice(0, 8)}/${region}/kafka-cluster/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const signing = ['kafka-cluster', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${key}`, time.slice(0, 8)), region))
  return hmac(signing, toSign).toString('hex')
}

test('the token for MSK is a presigned kafka-cluster:Connect, and its signature is right', async t => {
  const kept = { ...process.env }
  t.after(() => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
      if (kept[name] === undefined) delete process.env[name]
      else process.env[name] = kept[name]
  })
  const key = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: key,
    AWS_SESSION_TOKEN: 'session/token==',
  })
  const { value, expiresAt } = await mskToken('eu-central-1')
  assert.match(value, /^[A-Za-z0-9_-]+$/)
  const url = new URL(Buffer.from(value, 'base64url').toString())
  const query = Object.fromEntries(url.searchParams)
  assert.equal(url.host, 'kafka.eu-central-1.amazonaws.com')
  assert.equal(query['Action'], 'kafka-cluster:Connect')
  assert.match(query['X-Amz-Credential']!, /^AKIDEXAMPLE\/\d{8}\/eu-central-1\/kafka-cluster\/aws4_request$/)
  assert.equal(query['X-Amz-Expires'], '900')
  assert.equal(query['X-Amz-Security-Token'], 'session/token==')
  assert.equal(query['X-Amz-Signature'], signature(url, key, 'eu-central-1'))
  assert.ok(!decodeURIComponent(url.href).includes(key))
  const left = expiresAt - Date.now()
  assert.ok(left > 895_000 && left <= 900_000, `${left} ms`)
})
