// loadConfig: where a value comes from, what is refused, and that a refusal says everything at once and no secret.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { describeSettings, flagOf, loadConfig, secretsOf, settingNames, showConfig, usersOf } from '../../src/config.ts'
import type { ConfigSources } from '../../src/config.ts'
import { TrailwardenError } from '../../src/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-test-'))
after(() => {
  rmSync(folder, { recursive: true })
})

let files = 0
function fileOf(text: string): string {
  const path = join(folder, `file-${files++}`)
  writeFileSync(path, text)
  return path
}

const load = (sources: Partial<ConfigSources> = {}) => loadConfig({ flags: {}, env: {}, ...sources })

/** The lines of the refusal, without the heading. */
function problems(sources: Partial<ConfigSources>): string[] {
  try {
    load(sources)
  } catch (error) {
    assert.ok(error instanceof TrailwardenError)
    assert.equal(error.code, 'TW_CONFIG_INVALID')
    return error.message.split('\n  ').slice(1)
  }
  assert.fail('the configuration was accepted')
}

test('the defaults are valid, frozen, and of the types the parts expect', () => {
  const config = load()
  assert.deepEqual(config.KAFKA_BROKERS, ['localhost:9092'])
  assert.equal(config.BATCH_MAX_RECORDS, 5000)
  assert.equal(config.KEEP_REQUEST_PARAMETERS, true)
  assert.equal(config.HTTP_PORT, undefined)
  assert.ok(Object.isFrozen(config))
  assert.deepEqual(Object.keys(config), [...settingNames])
})

test('a flag wins over the environment, that over the file, that over the default', () => {
  const file = fileOf('RAW_TOPIC: from-file\nEVENTS_TOPIC: from-file-too\nALERTS_TOPIC: alerts-from-file\n')
  const config = load({
    flags: { RAW_TOPIC: 'from-flag' },
    env: { RAW_TOPIC: 'from-env', EVENTS_TOPIC: 'from-env-too' },
    file,
  })
  assert.deepEqual(
    [config.RAW_TOPIC, config.EVENTS_TOPIC, config.ALERTS_TOPIC, config.STATE_TOPIC],
    ['from-flag', 'from-env-too', 'alerts-from-file', 'cloudtrail.detector-state.v1'],
  )
})

test('an empty environment variable is one that is not set, as compose files leave them', () => {
  assert.equal(load({ env: { RAW_TOPIC: '', HTTP_PORT: '', RULES: '' } }).RAW_TOPIC, 'cloudtrail.raw')
})

test('lists are split at commas, and a YAML list is one too', () => {
  assert.deepEqual(load({ env: { KAFKA_BROKERS: ' a:1, b:2 ,' } }).KAFKA_BROKERS, ['a:1', 'b:2'])
  assert.deepEqual(load({ file: fileOf('KAFKA_BROKERS: [a:1, b:2]\n') }).KAFKA_BROKERS, ['a:1', 'b:2'])
  assert.match(problems({ env: { KAFKA_BROKERS: ' , ' } })[0]!, /^KAFKA_BROKERS = " , ": a list with at least one/)
})

test('numbers are whole, within their range, and written as numbers', () => {
  assert.equal(load({ env: { HTTP_PORT: '0' } }).HTTP_PORT, 0)
  assert.equal(load({ file: fileOf('{"BATCH_MAX_RECORDS": 10}') }).BATCH_MAX_RECORDS, 10)
  for (const bad of ['1.5', '1e3', '0x10', ' 5', 'many', '0', '100001', '-1'])
    assert.match(problems({ env: { BATCH_MAX_RECORDS: bad } })[0]!, /^BATCH_MAX_RECORDS = /, bad)
  assert.match(problems({ flags: { HTTP_PORT: '' } })[0]!, /^HTTP_PORT = "": a whole number/)
})

test('the registry is an http address, without a user in it', () => {
  assert.equal(
    load({ env: { SCHEMA_REGISTRY_URL: 'https://r:8081/apis/x' } }).SCHEMA_REGISTRY_URL,
    'https://r:8081/apis/x',
  )
  for (const bad of ['localhost:8081', 'ftp://r', 'r'])
    assert.match(problems({ env: { SCHEMA_REGISTRY_URL: bad } })[0]!, /http:\/\/… or https:\/\/…/, bad)
  const [refusal] = problems({ env: { SCHEMA_REGISTRY_URL: 'http://user:hunter2@r:8081' } })
  assert.match(refusal!, /settings of their own/)
  assert.doesNotMatch(refusal!, /hunter2/)
})

test('every problem is reported, each with its name, its value and what is accepted', () => {
  const found = problems({
    flags: { LOG_LEVEL: 'loud' },
    env: { RAW_TOPIC: 'no spaces please', KAFKA_SECURITY_PROTOCOL: 'HTTPS', HTTP_PORT: '99999' },
    file: fileOf('MAX_DEPTH: 99\nMAX_DEPHT: 4\nkafka_brokers: x\n'),
  })
  assert.deepEqual(
    found.map(problem => /([A-Za-z_]{4,})( =|$)/.exec(problem)?.[1]),
    ['MAX_DEPHT', 'kafka_brokers', 'KAFKA_SECURITY_PROTOCOL', 'RAW_TOPIC', 'MAX_DEPTH', 'HTTP_PORT', 'LOG_LEVEL'],
  )
  assert.match(found.at(-1)!, /"loud".*"silent"\|"error"/)
})

test('secrets are masked in refusals and wherever the configuration is shown', () => {
  const secrets = { KAFKA_SASL_PASSWORD: 'hunter2', SCHEMA_REGISTRY_PASSWORD: 'hunter3' }
  const config = load({ env: { ...secrets, SCHEMA_REGISTRY_USERNAME: 'u' } })
  const shown = showConfig(config)
  assert.equal(config.KAFKA_SASL_PASSWORD, 'hunter2')
  assert.deepEqual([shown['KAFKA_SASL_PASSWORD'], shown['SCHEMA_REGISTRY_PASSWORD']], ['********', '********'])
  assert.doesNotMatch(JSON.stringify(shown), /hunter/)
  assert.equal(shown['SCHEMA_REGISTRY_USERNAME'], 'u')
  assert.ok(!('KAFKA_SASL_MECHANISM' in shown), 'what is not set is not shown')
  assert.doesNotMatch(problems({ env: { ...secrets, LOG_LEVEL: 'loud' } }).join(), /hunter/)
  assert.equal(problems({ flags: { KAFKA_SASL_PASSWORD: '' } })[0]!.split(':')[0], 'KAFKA_SASL_PASSWORD = (hidden)')
})

test('a secret may stand in the file named by NAME_FILE; its line end is not part of it', () => {
  const path = fileOf('hunter2\r\n')
  assert.equal(load({ env: { KAFKA_SASL_PASSWORD_FILE: path } }).KAFKA_SASL_PASSWORD, 'hunter2')
  const both = { KAFKA_SASL_PASSWORD_FILE: path, KAFKA_SASL_PASSWORD: 'direct' }
  assert.equal(load({ env: both }).KAFKA_SASL_PASSWORD, 'direct')
  assert.equal(load({ env: { KAFKA_SASL_PASSWORD_FILE: '' } }).KAFKA_SASL_PASSWORD, undefined)
  const missing = { KAFKA_SASL_PASSWORD_FILE: join(folder, 'not-there') }
  assert.deepEqual(problems({ env: missing }), ['KAFKA_SASL_PASSWORD_FILE: cannot be read (ENOENT)'])
})

test('only secrets have a file of their own', () => {
  assert.equal(load({ env: { RAW_TOPIC_FILE: fileOf('other') } }).RAW_TOPIC, 'cloudtrail.raw')
})

test('a file of settings that is absent, broken or of another shape is a problem; an empty one is not', () => {
  assert.match(problems({ file: join(folder, 'absent') })[0]!, /absent: ENOENT/)
  assert.match(problems({ file: fileOf('a: [1\n') })[0]!, /file-\d+: /)
  assert.match(problems({ file: fileOf('- RAW_TOPIC\n') })[0]!, /expected a map of setting names/)
  assert.match(problems({ file: fileOf('RAW_TOPIC: {a: 1}\n') })[0]!, /RAW_TOPIC is a map, not a value/)
  assert.equal(load({ file: fileOf('# nothing yet\n') }).RAW_TOPIC, 'cloudtrail.raw')
  assert.equal(load({ file: fileOf('RULES:\nRAW_TOPIC: raw\n') }).RULES, undefined)
})

test('names of the prototype are unknown settings like any other', () => {
  assert.match(problems({ file: fileOf('constructor: 1\n') })[0]!, /unknown setting constructor/)
})

test('settings that only make sense together are checked together', () => {
  assert.deepEqual(problems({ env: { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_SASL_USERNAME: 'u' } }), [
    'KAFKA_SASL_MECHANISM is needed with SASL_SSL',
  ])
  const sasl = (mechanism: string) =>
    problems({ env: { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_SASL_MECHANISM: mechanism } })
  assert.deepEqual(sasl('plain'), [
    'KAFKA_SASL_USERNAME is needed with plain',
    'KAFKA_SASL_PASSWORD is needed with plain',
  ])
  assert.deepEqual(sasl('aws-msk-iam'), ['AWS_REGION is needed with aws-msk-iam'])
  assert.deepEqual(sasl('oauthbearer'), [
    'KAFKA_OAUTH_TOKEN_URL is needed with oauthbearer',
    'KAFKA_OAUTH_CLIENT_ID is needed with oauthbearer',
    'KAFKA_OAUTH_CLIENT_SECRET is needed with oauthbearer',
  ])
  assert.deepEqual(problems({ env: { SCHEMA_REGISTRY_SSL_CERT_FILE: 'c' } }), [
    'SCHEMA_REGISTRY_SSL_CERT_FILE and SCHEMA_REGISTRY_SSL_KEY_FILE belong together',
  ])
  assert.deepEqual(problems({ env: { KAFKA_SSL_KEY_FILE: 'k' } }), [
    'KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE belong together',
  ])
  assert.deepEqual(problems({ env: { SCHEMA_REGISTRY_PASSWORD: 'p' } }), [
    'SCHEMA_REGISTRY_PASSWORD needs SCHEMA_REGISTRY_USERNAME',
  ])
})

test('every secret may come from a file, is masked when shown, and is told to whoever masks', () => {
  const names = settingNames.filter(name => /PASSWORD$|SECRET$/.test(name))
  assert.equal(names.length, 5)
  const env = Object.fromEntries(names.map(name => [`${name}_FILE`, fileOf(`value-of-${name}\r\n`)]))
  const config = load({ env: { ...env, SCHEMA_REGISTRY_USERNAME: 'u' } })
  for (const name of names) {
    assert.equal(config[name], `value-of-${name}`)
    assert.equal(showConfig(config)[name], '********')
    assert.match(describeSettings().find(row => row.name === name)!.doc, new RegExp(`\`${name}_FILE\``))
  }
  assert.deepEqual([...secretsOf(config)].sort(), names.map(name => `value-of-${name}`).sort())
  assert.deepEqual(usersOf(config), ['u'])
})

test('SASL extensions are pairs, shown as they were written', () => {
  const config = load({ env: { KAFKA_OAUTH_EXTENSIONS: 'logicalCluster=lkc-1,identityPoolId=pool=2' } })
  assert.deepEqual(config.KAFKA_OAUTH_EXTENSIONS, { logicalCluster: 'lkc-1', identityPoolId: 'pool=2' })
  assert.equal(showConfig(config)['KAFKA_OAUTH_EXTENSIONS'], 'logicalCluster=lkc-1,identityPoolId=pool=2')
  assert.match(problems({ env: { KAFKA_OAUTH_EXTENSIONS: 'a b' } })[0]!, /name=value,… is expected/)
})

test('no two roles share a topic, and the two loops share no group', () => {
  assert.deepEqual(problems({ env: { RAW_TOPIC: 'x', EVENTS_TOPIC: 'x', NORMALIZE_GROUP: 'g', DETECT_GROUP: 'g' } }), [
    'RAW_TOPIC and EVENTS_TOPIC are both x',
    'NORMALIZE_GROUP and DETECT_GROUP are both g',
  ])
})

test('every setting has a flag of its own and a sentence', () => {
  const rows = describeSettings()
  assert.deepEqual(
    rows.map(row => row.name),
    [...settingNames],
  )
  assert.equal(flagOf('KAFKA_BROKERS'), 'kafka-brokers')
  for (const { flag, doc } of rows) assert.match(`${flag} ${doc}`, /^--[a-z-]+ [A-Z`].*\.$/)
})
