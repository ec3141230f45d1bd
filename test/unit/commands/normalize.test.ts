// `trailwarden normalize` over files: JSON lines with the names of CloudTrailEvent, what was refused on stderr.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { jsonLines, trailwarden } from '../../harness/command-line.ts'
import { call } from '../../harness/detection.ts'

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'envelopes')
const folder = mkdtempSync(join(tmpdir(), 'normalize-test-'))
after(() => {
  rmSync(folder, { recursive: true })
})

test('every event is a line with the field names of CloudTrailEvent and RFC 3339 times', async () => {
  const { code, stdout, stderr } = await trailwarden(['normalize', '--json', join(fixtures, 'records-array.json')])
  assert.equal(code, 0)
  const events = jsonLines(stdout)
  assert.ok(events.length > 1)
  const shape = call(0)
  for (const event of events) {
    assert.deepEqual(Object.keys(event).sort(), Object.keys(shape).sort())
    assert.match(String(event['eventTime']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const identity = event['userIdentity'] as Record<string, unknown>
    assert.deepEqual(Object.keys(identity).sort(), Object.keys(shape.userIdentity).sort())
    const { sessionCreated } = identity
    if (sessionCreated !== null) assert.match(sessionCreated as string, /^\d{4}-.*\.\d{3}Z$/)
  }
  assert.equal(stderr, `${events.length} events from 1 file; 0 skipped, 0 rejected\n`)
})

test('a folder is read file by file: what is refused is named on stderr, stdout holds events only', async () => {
  const { code, stdout, stderr } = await trailwarden(['normalize', '--json', fixtures])
  assert.equal(code, 0)
  const summary = /^(\d+) events from (\d+) files; (\d+) skipped \(.*\), (\d+) rejected \((.*)\)$/m.exec(stderr)
  assert.ok(summary, stderr)
  assert.equal(jsonLines(stdout).length, Number(summary[1]))
  assert.match(stderr, /^rejected in .*records-one-bad\.json: [a-z-]+: /m)
  const reasons = [...summary[5]!.matchAll(/[a-z-]+ (\d+)/g)].map(match => Number(match[1]))
  assert.equal(
    reasons.reduce((sum, count) => sum + count, 0),
    Number(summary[4]),
  )
})

test('bad records in an envelope leave the others', async () => {
  const path = join(fixtures, 'records-one-bad.json')
  const { Records } = JSON.parse(readFileSync(path, 'utf8')) as { Records: unknown[] }
  const { stdout, stderr } = await trailwarden(['normalize', '--json', path])
  const rejected = Number(/; 0 skipped, (\d+) rejected/.exec(stderr)?.[1])
  assert.ok(rejected > 0 && rejected < Records.length)
  assert.equal(jsonLines(stdout).length, Records.length - rejected)
})

test('what is kept of requests, and whose identity counts, is a setting', async () => {
  const record = {
    eventVersion: '1.11',
    eventTime: '2026-01-15T09:00:00Z',
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'GetSecretValue',
    awsRegion: 'us-east-1',
    userIdentity: {
      type: 'AssumedRole',
      principalId: 'AROAX:s',
      arn: 'arn:aws:sts::111122223333:assumed-role/r/s',
      accountId: '111122223333',
      sessionContext: {
        sourceIdentity: 'alice',
        sessionIssuer: { type: 'Role', principalId: 'AROAX', accountId: '111122223333', userName: 'r' },
      },
    },
    requestParameters: { secretId: 'a' },
  }
  const path = join(folder, 'one.json')
  writeFileSync(path, JSON.stringify(record))
  const [kept] = jsonLines((await trailwarden(['normalize', '--json', path])).stdout)
  assert.deepEqual(
    [kept!['requestParameters'], (kept!['principal'] as { key: string }).key],
    ['{"secretId":"a"}', 'source-identity/alice'],
  )
  const flags = ['--keep-request-parameters', 'false', '--source-identity', 'ignore']
  const [bare] = jsonLines((await trailwarden(['normalize', '--json', ...flags, path])).stdout)
  assert.deepEqual(
    [bare!['requestParameters'], (bare!['principal'] as { key: string }).key],
    [null, '111122223333/role/AROAX'],
  )
})

test('a stop that is there from the beginning reads nothing', async () => {
  const { code, stderr } = await trailwarden(['normalize', '--json', fixtures], { stop: AbortSignal.abort() })
  assert.equal(code, 0)
  assert.match(stderr, /^0 events from 0 files; /)
})
