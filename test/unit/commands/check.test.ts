// `trailwarden check`: the configuration in force with secrets masked, every finding a sentence, exit codes.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sentence } from '../../../src/commands/check-cluster.ts'
import { twError } from '../../../src/errors.ts'
import { jsonLines, trailwarden } from '../../harness/command-line.ts'
import { freePorts } from '../../harness/ports.ts'

const folder = await mkdtemp(join(tmpdir(), 'tw-check-'))
after(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

function suppression(expires: string, rules = '[secretsmanager-multi-region]'): string {
  return `suppressions:
  - id: inventory
    rules: ${rules}
    match: { principal.name: inventory }
    reason: reads all regions every night
    owner: platform
    expires: ${expires}
`
}

test('everything as shipped is good', async () => {
  const { code, stdout, stderr } = await trailwarden(['check'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^ {2}EVENTS_TOPIC +cloudtrail\.events\.v1$/m)
  assert.match(stdout, /^rules +6 that alert, of \d+ detection rules; \d+ tests$/m)
  assert.match(stdout, /^cluster +not asked/m)
  assert.match(stdout, /^All good\.$/m)
})

test('secrets are masked, in text and JSON', async () => {
  const env = {
    KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: 'warden',
    KAFKA_SASL_PASSWORD: 'hunter2',
  }
  const text = await trailwarden(['check'], { env })
  assert.match(text.stdout, /^ {2}KAFKA_SASL_PASSWORD +\*{8}$/m)
  const json = await trailwarden(['check', '--json'], { env })
  const [all] = jsonLines(json.stdout)
  assert.equal((all!['config'] as Record<string, string>)['KAFKA_SASL_PASSWORD'], '********')
  assert.deepEqual(all!['findings'], [])
  for (const { stdout, stderr } of [text, json]) assert.doesNotMatch(stdout + stderr, /hunter2/)
})

test('an expired suppression is a finding that names entry, place, date and owner', async () => {
  const path = await file('expired.yaml', suppression('2020-02-01'))
  const { code, stdout } = await trailwarden(['check', '--suppressions', path])
  assert.equal(code, 1)
  assert.match(stdout, /^1 finding:\n- Suppression inventory \(.*expired\.yaml:2\) expired on 2020-02-01: .*platform/m)
  assert.doesNotMatch(stdout, /All good/)
})

test('a suppression for a rule that is not loaded, and one that cannot be read, are findings', async () => {
  const unknown = await file('unknown.yaml', suppression('2099-01-01', '[secretsmanager-multi-regoin]'))
  const first = await trailwarden(['check', '--json', '--suppressions', unknown])
  assert.equal(first.code, 1)
  assert.match(String(jsonLines(first.stdout)[0]!['findings']), /unknown\.yaml:3:\d+: .*secretsmanager-multi-region/)
  const broken = await file('broken.yaml', suppression('soon'))
  const second = await trailwarden(['check', '--suppressions', broken])
  assert.equal(second.code, 1)
  assert.match(second.stdout, /broken\.yaml:7:14: 'soon' is not a date/)
})

test('rules that do not load or fail their own tests are findings beside the others', async () => {
  const expired = await file('expired.yaml', suppression('2020-02-01'))
  const shipped = join(import.meta.dirname, '..', '..', '..', 'rules', 'secretsmanager-multi-region.yml')
  const text = await readFile(shipped, 'utf8')
  const failing = await file('failing.yml', text.replace('gte: 5', 'gte: 6'))
  const first = await trailwarden(['check', '--rules', failing, '--suppressions', expired])
  assert.equal(first.code, 1)
  assert.match(first.stdout, /^2 findings:$/m)
  assert.match(first.stdout, /^- Rule secretsmanager-multi-region fails \d of its own tests/m)
  const invalid = await file('invalid.yml', text.replace('gte: 5', 'gte: five'))
  const second = await trailwarden(['check', '--rules', invalid])
  assert.equal(second.code, 1)
  assert.match(second.stdout, /^- .*invalid\.yml:\d+:\d+: /m)
})

test('a configuration that is not valid exits 2 with every error', async () => {
  const { code, stderr } = await trailwarden(['check'], { env: { ALERT_FORMAT: 'xml', BATCH_MAX_RECORDS: 'many' } })
  assert.equal(code, 2)
  assert.match(stderr, /ALERT_FORMAT.*BATCH_MAX_RECORDS/s)
})

test('named brokers are asked; what keeps them from being asked is a finding with what to do', async () => {
  const [port] = await freePorts(1)
  // A certificate that cannot be read ends the attempt at once; an unreachable broker is tried for ten seconds.
  const env = {
    KAFKA_BROKERS: `127.0.0.1:${port}`,
    KAFKA_SECURITY_PROTOCOL: 'SSL',
    KAFKA_SSL_CA_FILE: join(folder, 'none.pem'),
    SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}`,
  }
  const { code, stdout } = await trailwarden(['check'], { env })
  assert.equal(code, 1)
  assert.match(stdout, new RegExp(`^cluster +127\\.0\\.0\\.1:${port} did not answer$`, 'm'))
  assert.match(stdout, /^- The schemas could not be checked: .*Check SCHEMA_REGISTRY_URL/m)
  assert.match(stdout, /^- The cluster could not be checked: KAFKA_SSL_CA_FILE cannot be read\. /m)
})

test('a failure is a sentence with the way out', () => {
  const fault = twError('TW_NOT_AUTHORIZED', 'Reading topic t: the brokers do not let this user use a topic.')
  assert.equal(
    sentence('Topic t could not be checked', fault),
    'Topic t could not be checked: Reading topic t: the brokers do not let this user use a topic. ' +
      'Grant the user the rights that docs/security.md lists; `trailwarden check` names those that are missing.',
  )
})

test('--for takes verbs of the line and nothing else', async () => {
  const { code, stderr } = await trailwarden(['check', '--for', 'normalize,replay'])
  assert.equal(code, 2)
  assert.match(stderr, /--for takes normalize, detect, not "replay"/)
})
