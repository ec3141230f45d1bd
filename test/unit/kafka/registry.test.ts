// The registry client against a small HTTP server with Confluent's routes: what is asked how often, and what becomes
// of every kind of failure. A real registry is in test/integration.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { schemaRegistry } from '../../../src/kafka/registry.ts'

const schema = { type: 'record', name: 'E', fields: [{ name: 'a', type: 'string', default: '' }] }
const subject = 'cloudtrail.events.v1-value'

type Route = (body: string) => { readonly status: number; readonly body: object } | 'hang'

async function served(t: TestContext, routes: Record<string, Route>) {
  const seen: string[] = []
  const auth = new Set<string | undefined>()
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += String(chunk)))
    request.on('end', () => {
      const call = `${request.method} ${request.url}`
      seen.push(call)
      auth.add(request.headers.authorization)
      const answer = routes[call]?.(body) ?? { status: 404, body: { error_code: 40403, message: 'not found' } }
      if (answer === 'hang') return
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, auth, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/apis/ccompat/v7/` }
}

const ok = (body: object) => () => ({ status: 200, body })
const base = '/apis/ccompat/v7'

test('a schema is asked for once, with credentials, under the path of the URL', async t => {
  const { url, seen, auth } = await served(t, { [`GET ${base}/schemas/ids/7`]: ok({ schema: JSON.stringify(schema) }) })
  const registry = schemaRegistry({ url, username: 'u', password: 'p' })
  const [first, second] = await Promise.all([registry.schemaById(7), registry.schemaById(7)])
  assert.deepEqual(first, { ...schema, fields: [{ name: 'a', type: 'string', default: '' }] })
  assert.deepEqual(second, first)
  await registry.schemaById(7)
  assert.deepEqual(seen, [`GET ${base}/schemas/ids/7`])
  assert.deepEqual([...auth], [`Basic ${Buffer.from('u:p').toString('base64')}`])
})

test('an unknown id is null, and asked for again only after 30 seconds', async t => {
  const routes: Record<string, Route> = {}
  const { url, seen } = await served(t, routes)
  let now = 1_000_000
  const registry = schemaRegistry({ url, now: () => now })
  for (let i = 0; i < 50; i++) assert.equal(await registry.schemaById(9), null)
  assert.equal(seen.length, 1)
  now += 29_999
  assert.equal(await registry.schemaById(9), null)
  assert.equal(seen.length, 1)
  now += 1
  routes[`GET ${base}/schemas/ids/9`] = ok({ schema: JSON.stringify(schema) })
  assert.ok(await registry.schemaById(9))
  assert.equal(seen.length, 2)
})

test('a schema that is not Avro, or not valid Avro, counts as unknown', async t => {
  const { url } = await served(t, {
    [`GET ${base}/schemas/ids/1`]: ok({ schemaType: 'JSON', schema: '{"type":"object"}' }),
    [`GET ${base}/schemas/ids/2`]: ok({ schema: '{"type":"recordd"}' }),
  })
  const registry = schemaRegistry({ url })
  assert.equal(await registry.schemaById(1), null)
  assert.equal(await registry.schemaById(2), null)
})

test('faults of the registry are TW_REGISTRY_UNAVAILABLE and never a missing schema', async t => {
  const { url } = await served(t, {
    [`GET ${base}/schemas/ids/1`]: () => ({ status: 503, body: { message: 'no' } }),
    [`GET ${base}/schemas/ids/2`]: () => ({ status: 503, body: { message: 'later' } }),
    [`GET ${base}/schemas/ids/3`]: () => 'hang',
    [`GET ${base}/config/${subject}`]: () => 'hang',
  })
  const unavailable = { code: 'TW_REGISTRY_UNAVAILABLE', retriable: true }
  const registry = schemaRegistry({ url, timeoutMs: 200 })
  await assert.rejects(registry.schemaById(1), unavailable)
  await assert.rejects(registry.schemaById(2), unavailable)
  await assert.rejects(registry.schemaById(3), unavailable)
  await assert.rejects(registry.compatibilityOf(subject), unavailable)
  const nobody = schemaRegistry({ url: 'http://127.0.0.1:9' })
  await assert.rejects(nobody.schemaById(1), unavailable)
  await assert.rejects(nobody.latest(subject), unavailable)
  await assert.rejects(nobody.isCompatible(subject, schema), unavailable)
})

test('a schema that is not registered names the verb that registers it', async t => {
  const { url } = await served(t, {})
  const lookup = schemaRegistry({ url }).idOf(subject, schema)
  await assert.rejects(lookup, { code: 'TW_SCHEMA_NOT_REGISTERED', hint: /topics apply/ })
})

test('registering sets the level first where the subject has another, and a refusal is TW_SCHEMA_INCOMPATIBLE', async t => {
  let level = 'BACKWARD'
  let refuse = false
  const { url, seen } = await served(t, {
    [`GET ${base}/config/${subject}`]: () => ({ status: 200, body: { compatibilityLevel: level } }),
    [`PUT ${base}/config/${subject}`]: body => {
      level = (JSON.parse(body) as { compatibility: string }).compatibility
      return { status: 200, body: { compatibility: level } }
    },
    [`POST ${base}/subjects/${subject}/versions`]: () =>
      refuse ? { status: 409, body: { error_code: 409, message: 'incompatible' } } : { status: 200, body: { id: 3 } },
  })
  const registry = schemaRegistry({ url })
  assert.equal(await registry.register(subject, schema, 'BACKWARD_TRANSITIVE'), 3)
  assert.equal(level, 'BACKWARD_TRANSITIVE')
  assert.equal(seen.filter(call => call.startsWith('PUT')).length, 1)
  refuse = true
  const again = registry.register(subject, schema, 'BACKWARD_TRANSITIVE')
  await assert.rejects(again, { code: 'TW_SCHEMA_INCOMPATIBLE' })
})

test('a registry that refuses the user says so, without the password; trying again would not help', async t => {
  const { url } = await served(t, {
    [`GET ${base}/schemas/ids/1`]: () => ({ status: 401, body: { message: 'no' } }),
    [`GET ${base}/schemas/ids/2`]: () => ({ status: 403, body: { message: 'no' } }),
    [`GET ${base}/config/${subject}`]: () => ({ status: 401, body: {} }),
  })
  const registry = schemaRegistry({ url, username: 'warden', password: 'hunter22' })
  const rejection = async (promise: Promise<unknown>) => {
    const error = await promise.then(
      () => assert.fail('it was accepted'),
      (thrown: unknown) => thrown as { code: string; message: string; retriable: boolean },
    )
    assert.doesNotMatch(`${error.message}${JSON.stringify(error)}`, /hunter22/)
    return [error.code, error.retriable, /user warden/.test(error.message)]
  }
  assert.deepEqual(await rejection(registry.schemaById(1)), ['TW_AUTHENTICATION_FAILED', false, true])
  assert.deepEqual(await rejection(registry.schemaById(2)), ['TW_NOT_AUTHORIZED', false, true])
  assert.deepEqual(await rejection(registry.compatibilityOf(subject)), ['TW_AUTHENTICATION_FAILED', false, true])
})
