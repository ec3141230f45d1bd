// The line on a real broker with TLS, SASL and ACLs: every way in, every way of being refused (one clear error, no storm),
// the rights of docs/security.md proved to be enough and each of them needed, and no secret in anything that is written.
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { demoLines } from '../../src/commands/demo-scenario.ts'
import { rightsOf } from '../../src/commands/rights.ts'
import type { LineVerb } from '../../src/commands/rights.ts'
import { connectionFrom } from '../../src/commands/settings.ts'
import { loadConfig } from '../../src/config.ts'
import { missingRights, rightText } from '../../src/kafka/rights.ts'
import type { Right } from '../../src/kafka/rights.ts'
import { encryptedKey } from '../harness/certificates.ts'
import { trailwarden } from '../harness/command-line.ts'
import type { Outcome } from '../harness/command-line.ts'
import { eventually, lineOn, workedOff } from '../harness/line.ts'
import type { CliProcess, Line } from '../harness/line.ts'
import { describeOnSecureKafka } from '../harness/secure-kafka.ts'

// What a refused start may cost: kafkajs opens one connection for its admin client, one for reading, one to look again.
const fewConnections = 6
const soonMs = 20_000
const ignore = () => undefined
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore }

await describeOnSecureKafka('a secured cluster', secure => {
  const { kafka, user } = secure
  const principal = `User:${user}`
  /** Everything that our processes wrote: the last test looks for secrets in it. */
  const written: string[] = []

  const keep = <T extends Pick<Outcome, 'stdout' | 'stderr'>>(outcome: T): T => {
    written.push(outcome.stdout, outcome.stderr)
    return outcome
  }
  /** A verb in this process, stopped after half a minute: what is refused ends by itself, and sooner. */
  async function run(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
    const stop = AbortSignal.timeout(30_000)
    return keep(await trailwarden(argv, { env: { HTTP_PORT: '0', LOG_LEVEL: 'debug', ...env }, stop }))
  }
  const rightsFor = (verb: Parameters<typeof rightsOf>[0], line: Line) =>
    rightsOf(verb, loadConfig({ flags: {}, env: line.env }))
  const raw = (line: Line) =>
    line.produceRaw([
      ...demoLines()
        .split('\n')
        .filter(text => text.includes('BatchGetSecretValue'))
        .map(text => ({ key: null, value: Buffer.from(text) })),
      { key: null, value: Buffer.from('no envelope') },
    ])
  async function worksOff(line: Line, verb: LineVerb, env: Readonly<Record<string, string>>): Promise<void> {
    const [group, topic] =
      verb === 'normalize'
        ? [line.env['NORMALIZE_GROUP']!, line.topics.raw]
        : [line.env['DETECT_GROUP']!, line.topics.events]
    const process = line.start([verb], { LOG_LEVEL: 'debug', ...env })
    await eventually(
      () => workedOff(line.log, group, topic),
      () => process.seen(),
      60_000,
    )
    written.push(await (await fetch(`http://127.0.0.1:${await process.port()}/metrics`)).text())
    await ends(process, 0)
  }
  /** Brokers hear of a change a moment later. */
  async function lacking(env: Readonly<Record<string, string>>, ...lost: readonly Right[]): Promise<void> {
    const config = loadConfig({ flags: {}, env })
    const wanted = [...rightsOf('normalize', config), ...rightsOf('detect', config)]
    // Both verbs write dead letters.
    const look = async () => [...new Set((await missingRights(connectionFrom(config), quiet, wanted)).map(rightText))]
    await eventually(
      async () => isDeepStrictEqual(await look(), lost.map(rightText)),
      async () => String(await look()),
    )
  }
  async function ends(process: CliProcess, code: number): Promise<Outcome> {
    if (code === 0) process.child.kill('SIGTERM')
    const outcome = keep(await process.finished)
    assert.equal(outcome.code, code, outcome.stderr)
    return { ...outcome, code }
  }

  /** Exit 3, the code and the sentence, each once; few connections and soon: nobody is hammered. */
  async function refused(t: TestContext, env: Readonly<Record<string, string>>, code: string, sentence: RegExp) {
    const connect = t.mock.method(Socket.prototype, 'connect')
    const begin = performance.now()
    const outcome = await run(['normalize'], env)
    const connections = connect.mock.callCount()
    connect.mock.restore()
    const told = `${outcome.stderr}\n${connections} connections, ${Math.round(performance.now() - begin)} ms`
    assert.equal(outcome.code, 3, told)
    const last = outcome.stderr.slice(outcome.stderr.lastIndexOf('trailwarden: '))
    assert.match(last, sentence, told)
    assert.deepEqual(last.match(/TW_[A-Z_]+/g), [code], told)
    assert.ok(connections <= fewConnections, told)
    assert.ok(performance.now() - begin < soonMs, told)
    return outcome
  }

  test('with the rights of docs/security.md the whole line runs, over TLS, SCRAM-SHA-512 and an https registry', async t => {
    const line = await lineOn(kafka, t)
    await raw(line)
    await secure.grant(principal, [...rightsFor('normalize', line), ...rightsFor('detect', line)])
    await worksOff(line, 'normalize', secure.env())
    await worksOff(line, 'detect', secure.env())
    const [alerts, rejected] = [await line.readAll(line.topics.alerts), await line.readAll(line.topics.rejected)]
    assert.ok(alerts.length > 0, 'there are alerts')
    assert.equal(rejected.length, 1, 'and the dead letter')
    assert.ok((await line.readAll(line.topics.state)).length > 0, 'and state')

    const env = { ...line.env, ...secure.env() }
    const check = await run(['check', '--cluster'], env)
    assert.equal(check.code, 1, 'comparing the configuration of topics takes another right')
    const lacks = [...check.stdout.matchAll(/^- The Kafka user lacks (.*), which check needs\.$/gm)].map(
      ([, right]) => right,
    )
    assert.deepEqual(lacks.sort(), rightsFor('check', line).map(rightText).sort(), check.stdout)
    assert.match(check.stdout, /^4 findings:$/m)
    await secure.grant(principal, rightsFor('check', line))
    await eventually(
      async () => (await run(['check', '--cluster'], env)).code === 0,
      () => written.slice(-2).join('\n'),
    )
  })

  test('each of these rights is needed: without it the verb ends naming it', async t => {
    const line = await lineOn(kafka, t)
    const env = { ...line.env, ...secure.env() }
    const all = { normalize: rightsFor('normalize', line), detect: rightsFor('detect', line) }
    await secure.grant(principal, [...new Map([...all.normalize, ...all.detect].map(r => [rightText(r), r])).values()])
    await secure.grant(principal, rightsFor('check', line))
    const without = async (verb: LineVerb, right: Right) => {
      await secure.revoke(principal, [right])
      const named = `lacks ${rightText(right)}`
      await lacking(env, right)
      const begin = performance.now()
      const { code, stderr } = await run([verb], env)
      assert.equal(code, 3, stderr)
      const last = stderr.slice(stderr.lastIndexOf('trailwarden: '))
      assert.deepEqual(last.match(/TW_[A-Z_]+/g), ['TW_NOT_AUTHORIZED'], stderr)
      assert.ok(last.includes(`This user ${named}.`), `${named}: ${stderr}`)
      assert.ok(performance.now() - begin < soonMs, `${named}: ${Math.round(performance.now() - begin)} ms`)
      const warnings = stderr.split('\n').filter(text => /"level":(40|50)/.test(text))
      assert.ok(warnings.length <= 8, `${named}: ${warnings.join('\n')}`)
      await secure.grant(principal, [right])
      await lacking(env)
    }
    await raw(line)
    for (const right of all.normalize) await without('normalize', right)
    await worksOff(line, 'normalize', secure.env())
    await worksOff(line, 'detect', secure.env())
    // State to restore, and something to do: without work nothing is written.
    await raw(line)
    await worksOff(line, 'normalize', secure.env())
    for (const right of all.detect) await without('detect', right)
    await worksOff(line, 'detect', secure.env())
  })

  test('topics apply needs its three rights and names the one that is missing', async t => {
    const line = await lineOn(kafka, t)
    // A user by certificate: rights of other tests do not count for it.
    const env = { ...line.env, ...secure.env('mutual'), EVENTS_TOPIC: `${line.topics.events}.new` }
    const byCertificate = `User:CN=${user}`
    const rights = rightsOf('topics apply', loadConfig({ flags: {}, env }))
    const config = loadConfig({ flags: {}, env })
    const grant = async (more: readonly Right[]) => {
      await secure.grant(byCertificate, more)
      const visible = more.filter(({ operation, name }) => operation !== 'Create' && name !== config.EVENTS_TOPIC)
      await eventually(
        async () => (await missingRights(connectionFrom(config), quiet, visible)).length === 0,
        () => 'the rights do not arrive',
      )
    }
    await grant(rights.filter(({ operation }) => operation !== 'Create'))
    const refusal = await run(['topics', 'apply'], env)
    assert.equal(refusal.code, 3, refusal.stderr)
    assert.match(refusal.stderr, /Failed to create topic \S+\.events\.new .*TW_NOT_AUTHORIZED/s)
    await grant(rights.filter(({ operation }) => operation === 'Create'))
    await sleep(500)
    const applied = await run(['topics', 'apply'], env)
    assert.equal(applied.code, 0, applied.stderr)
    assert.match(applied.stdout, /^create topic \S+\.events\.new with 4 partitions$/m)
  })

  test('a right that is taken away from a running process ends it, naming the right', async t => {
    const line = await lineOn(kafka, t)
    await secure.grant(principal, [...rightsFor('normalize', line), ...rightsFor('detect', line)])
    await raw(line)
    for (const [verb, lost] of [
      ['normalize', { operation: 'Write', resource: 'Topic', name: line.topics.events }],
      ['detect', { operation: 'Read', resource: 'Group', name: line.env['DETECT_GROUP']! }],
    ] as const) {
      const process = line.start([verb], { LOG_LEVEL: 'debug', ...secure.env() })
      const group = line.env[verb === 'normalize' ? 'NORMALIZE_GROUP' : 'DETECT_GROUP']!
      const topic = verb === 'normalize' ? line.topics.raw : line.topics.events
      await eventually(
        () => workedOff(line.log, group, topic),
        () => process.seen(),
      )
      await secure.revoke(principal, [lost])
      await lacking({ ...line.env, ...secure.env() }, lost)
      if (verb === 'normalize') await raw(line)
      const { stderr } = await ends(process, 3)
      assert.match(stderr, /TW_NOT_AUTHORIZED/)
      assert.ok(stderr.includes(`This user lacks ${rightText(lost)}.`), stderr)
      await secure.grant(principal, [lost])
    }
  })

  test('SCRAM-SHA-256, PLAIN, a token and a client certificate are ways in', async t => {
    const line = await lineOn(kafka, t)
    const rights = [...rightsFor('normalize', line), ...rightsFor('check', line)]
    await secure.grant(principal, rights)
    await secure.grant(`User:CN=${user}`, rights)
    const key = secure.env('mutual')['KAFKA_SSL_KEY_FILE']!
    const locked = {
      KAFKA_SSL_KEY_FILE: encryptedKey(key, secure.wrongPassword),
      KAFKA_SSL_KEY_PASSWORD_FILE: secure.secretFile(secure.wrongPassword),
    }
    for (const [way, env] of Object.entries({
      'scram-sha-256': secure.env('secure', 'scram-sha-256'),
      plain: secure.env('secure', 'plain'),
      oauthbearer: secure.env('secure', 'oauthbearer'),
      mutual: secure.env('mutual'),
      'mutual, with a password on the key': { ...secure.env('mutual'), ...locked },
    })) {
      const check = ['check', '--cluster', '--for', 'normalize']
      await eventually(
        async () => (await run(check, { ...line.env, ...env })).code === 0,
        () => `${way}: ${written.slice(-2).join('\n')}`,
      )
    }
    await raw(line)
    await worksOff(line, 'normalize', secure.env('mutual'))
  })

  test('a token is renewed before it ends, and the process goes on', async t => {
    const line = await lineOn(kafka, t)
    await secure.grant(principal, rightsFor('normalize', line))
    const before = secure.tokens.given
    const process = line.start(['normalize'], { LOG_LEVEL: 'debug', ...secure.env('secure', 'oauthbearer') })
    const done = () => workedOff(line.log, line.env['NORMALIZE_GROUP']!, line.topics.raw)
    await raw(line)
    await eventually(done, () => process.seen())
    // Longer than the sixteen seconds that a token lives.
    await sleep(17_000)
    assert.equal(process.child.exitCode, null, process.seen())
    await raw(line)
    await eventually(done, () => process.seen())
    const given = secure.tokens.given - before
    // One for each of a handful of connections every few seconds, and not one for every request.
    assert.ok(given >= 4 && given <= 60, `${given} tokens in some seventeen seconds`)
    await ends(process, 0)
  })

  test('wrong credentials are refused once, each with what to do', async t => {
    const line = await lineOn(kafka, t)
    const wrong = { KAFKA_SASL_PASSWORD_FILE: secure.secretFile(secure.wrongPassword) }
    const refusedWith = (env: Record<string, string>, code: string, sentence: RegExp) =>
      refused(t, { ...line.env, ...env }, code, sentence)
    const authentication = 'TW_AUTHENTICATION_FAILED'
    await refusedWith(
      { ...secure.env(), ...wrong },
      authentication,
      /invalid credentials with SASL mechanism SCRAM-SHA-512/,
    )
    await refusedWith({ ...secure.env('secure', 'plain'), ...wrong }, authentication, /Invalid username or password/)
    const secret = { KAFKA_OAUTH_CLIENT_SECRET_FILE: secure.secretFile(secure.wrongPassword) }
    const oauth = { ...secure.env('secure', 'oauthbearer'), ...secret }
    await refusedWith(oauth, authentication, /The token endpoint \S+ gives no token, status 401 \(invalid_client\)/)
    const registry = { SCHEMA_REGISTRY_PASSWORD_FILE: secure.secretFile(secure.wrongPassword) }
    await refusedWith(
      { ...secure.env(), ...registry },
      authentication,
      /the registry does not accept user warden \(401\)/,
    )
    const nobody = { KAFKA_SASL_USERNAME: 'somebody-else' }
    await refusedWith({ ...secure.env(), ...nobody }, authentication, /invalid credentials/)
  })

  test('certificates that are not good are refused once, each with what to do', async t => {
    const line = await lineOn(kafka, t)
    const refusedWith = (env: Record<string, string>, sentence: RegExp) =>
      refused(t, { ...line.env, ...env }, 'TW_TLS_FAILED', sentence)
    const stranger = { KAFKA_SSL_CA_FILE: secure.stranger.caFile }
    await refusedWith(secure.env('expired'), /broker 127\.0\.0\.1:\d+: the certificate has expired/)
    await refusedWith(secure.env('elsewhere'), /the certificate is for another host name/)
    await refusedWith(
      { ...secure.env(), ...stranger },
      /authority that is not trusted here; name that authority in the CA file/,
    )
    const { KAFKA_SSL_CERT_FILE: _cert, KAFKA_SSL_KEY_FILE: _key, ...nobody } = secure.env('mutual')
    await refusedWith(nobody, /our side was refused; give a client certificate/)
    const { certFile, keyFile } = secure.stranger.issue({ name: user })
    const foreign = { KAFKA_SSL_CERT_FILE: certFile, KAFKA_SSL_KEY_FILE: keyFile }
    await refusedWith({ ...secure.env('mutual'), ...foreign }, /our side was refused/)
    const registry = { SCHEMA_REGISTRY_SSL_CA_FILE: secure.stranger.caFile }
    await refusedWith({ ...secure.env(), ...registry }, /authority that is not trusted here/)
  })

  test('nothing of all that holds a secret', () => {
    const text = written.join('\n')
    assert.ok(text.length > 50_000, `only ${text.length} characters were written`)
    for (const secret of secure.secrets) {
      const spellings = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')]
      for (const spelling of spellings) assert.ok(!text.includes(spelling), `${secret.slice(0, 6)}… was written`)
    }
    assert.ok(!text.includes('PRIVATE KEY'))
    // A token is a secret too: three parts in base64url.
    assert.doesNotMatch(text, /eyJ[\w-]{20,}\.eyJ[\w-]{20,}/)
  })
})
