// Certificates are tried when the configuration is read: a wrong file is an error of the configuration that names it.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { brokerCredentials, registryTls } from '../../../src/commands/credentials.ts'
import { loadConfig } from '../../../src/config.ts'
import { certificateAuthority, encryptedKey } from '../../harness/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'credentials-test-'))
after(() => {
  rmSync(folder, { recursive: true })
})
const authority = certificateAuthority(folder)
const warden = authority.issue({ name: 'warden' })
const other = authority.issue({ name: 'other' })
const config = (env: Record<string, string>) => loadConfig({ flags: {}, env })
const kafka = (env: Record<string, string>) => brokerCredentials(config({ KAFKA_SECURITY_PROTOCOL: 'SSL', ...env }))
const text = (path: string) => readFileSync(path, 'utf8')

test('authority, certificate and key are read, for brokers and registry alike', () => {
  const files = { ca: text(authority.caFile), cert: text(warden.certFile), key: text(warden.keyFile) }
  const paths = (prefix: string) => ({
    [`${prefix}_SSL_CA_FILE`]: authority.caFile,
    [`${prefix}_SSL_CERT_FILE`]: warden.certFile,
    [`${prefix}_SSL_KEY_FILE`]: warden.keyFile,
  })
  assert.deepEqual(kafka(paths('KAFKA')), { ssl: files })
  assert.deepEqual(registryTls(config(paths('SCHEMA_REGISTRY'))), files)
  assert.equal(registryTls(config({})), undefined)
})

test('a key with a password needs the right one', () => {
  const key = encryptedKey(warden.keyFile, 'open sesame')
  const files = { KAFKA_SSL_CERT_FILE: warden.certFile, KAFKA_SSL_KEY_FILE: key }
  const { ssl } = kafka({ ...files, KAFKA_SSL_KEY_PASSWORD: 'open sesame' })
  assert.equal(typeof ssl === 'object' && ssl.passphrase, 'open sesame')
  for (const password of ['wrong one', '']) {
    const wrong = () => kafka({ ...files, KAFKA_SSL_KEY_PASSWORD: password })
    assert.throws(wrong, {
      code: 'TW_CONFIG_INVALID',
      message: /KAFKA_SSL_CERT_FILE, KAFKA_SSL_KEY_FILE cannot be used/,
    })
  }
})

test('what is no certificate, or not the one of the key, is refused by name', () => {
  const empty = join(folder, 'empty.pem')
  writeFileSync(empty, 'nothing here\n')
  const invalid = (message: RegExp) => ({ code: 'TW_CONFIG_INVALID', message })
  assert.throws(
    () => kafka({ KAFKA_SSL_CA_FILE: empty }),
    invalid(/^KAFKA_SSL_CA_FILE holds no valid PEM certificate\.$/),
  )
  assert.throws(
    () => kafka({ KAFKA_SSL_CA_FILE: join(folder, 'absent') }),
    invalid(/^KAFKA_SSL_CA_FILE cannot be read\.$/),
  )
  const mixed = { KAFKA_SSL_CERT_FILE: warden.certFile, KAFKA_SSL_KEY_FILE: other.keyFile }
  assert.throws(() => kafka(mixed), invalid(/KEY_VALUES_MISMATCH/))
  const damaged = join(folder, 'damaged.pem')
  writeFileSync(damaged, text(authority.caFile).replace(/\n.{20}/, '\n####################'))
  assert.throws(() => kafka({ KAFKA_SSL_CA_FILE: damaged }), invalid(/^KAFKA_SSL_CA_FILE holds no valid PEM/))
})

test('tokens come from the endpoint or the signer, under OAUTHBEARER', () => {
  const token = { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_OAUTH_EXTENSIONS: 'logicalCluster=lkc-1' }
  const oauth = {
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    KAFKA_OAUTH_TOKEN_URL: 'https://id.example/token',
    KAFKA_OAUTH_CLIENT_ID: 'c',
    KAFKA_OAUTH_CLIENT_SECRET: 's',
  }
  const { sasl } = kafka({ ...token, ...oauth })
  assert.ok(sasl?.mechanism === 'oauthbearer')
  assert.deepEqual(sasl.extensions, { logicalCluster: 'lkc-1' })
  const msk = kafka({ ...token, KAFKA_SASL_MECHANISM: 'aws-msk-iam', AWS_REGION: 'eu-west-1' }).sasl
  assert.equal(msk?.mechanism, 'oauthbearer')
})
