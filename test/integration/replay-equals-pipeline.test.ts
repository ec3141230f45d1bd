// What replay promises: the alerts that the live pipeline gives. The same records through `replay` and through normalize and
// detect on a real broker; in order of event time word for word, in order of delivery episode by episode.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { cloudTrailLines } from '../../bench/data.ts'
import type { Alert } from '../../src/alerts/alert.ts'
import { alertToJson } from '../../src/alerts/json.ts'
import { demoLines } from '../../src/commands/demo-scenario.ts'
import { agreementOf, alertsFromJson, throughPipeline } from '../harness/backtest.ts'
import { jsonLines } from '../harness/command-line.ts'
import { eventually, lineOn, metric, workedOff } from '../harness/line.ts'
import type { Line } from '../harness/line.ts'
import { describeOnKafka } from '../harness/suite.ts'

const timeoutMs = 120_000

// Few principals, so that every rule has something to say of 20,000 records; each arrives up to a minute late.
const demo = demoLines().trimEnd().split('\n')
const delivered = [...cloudTrailLines(20_000, false, { principals: 30, spacingMs: 100 }), ...demo]

/** By event time, and what has the same (CloudTrail counts seconds) as replay orders it. */
const ordered = delivered
  .map(text => ({ text, record: JSON.parse(text) as Record<'eventTime' | 'recipientAccountId' | 'eventID', string> }))
  .sort(
    ({ record: a }, { record: b }) =>
      compare(a.eventTime, b.eventTime) ||
      compare(a.recipientAccountId, b.recipientAccountId) ||
      compare(a.eventID, b.eventID),
  )
  .map(({ text }) => text)

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const folder = mkdtempSync(join(tmpdir(), 'replay-pipeline-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'delivered.jsonl')
writeFileSync(file, `${delivered.join('\n')}\n`)

async function replayed(line: Line, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await line.run(['replay', '--json', ...args])
  assert.equal(code, 0, stderr)
  return { stdout, stderr }
}

/** What lines of alerts say, but for when and where the record was read, by episode. */
function contents(lines: string): unknown[] {
  return (jsonLines(lines) as unknown as Alert[])
    .map(({ detectedAt: _at, input: _input, ...said }) => said)
    .sort((a, b) => compare(a.dedupKey, b.dedupKey) || a.sequence - b.sequence)
}

await describeOnKafka('replay and the pipeline', kafka => {
  test('in order of event time they give the same alerts, all of them word for word', async t => {
    const line = await lineOn(kafka, t)
    const produced = await throughPipeline(line, ordered, timeoutMs)
    const { stdout } = await replayed(line, file)
    const alerts = jsonLines(stdout)
    assert.ok(new Set(alerts.map(({ ruleId }) => ruleId)).size >= 5)
    assert.ok(alerts.filter(({ activity }) => activity === 'CREATE').length >= 30)
    assert.deepEqual(contents(stdout), contents(produced.map(alertToJson).join('\n')))
  })

  test('in order of delivery they find the same episodes; replay of the topic agrees, and tells what came too late', async t => {
    const line = await lineOn(kafka, t)
    const produced = await throughPipeline(line, delivered, timeoutMs)
    const fromFile = await replayed(line, file)
    const { episodes, differences } = agreementOf(alertsFromJson(fromFile.stdout.trimEnd().split('\n')), produced)
    assert.deepEqual(differences, [])
    assert.ok(episodes >= 30)

    const fromTopic = await replayed(line, line.topics.events)
    assert.deepEqual(contents(fromTopic.stdout), contents(fromFile.stdout))
    assert.match(
      fromTopic.stderr,
      /^\d+ events from .*; 0 rejected; \d+ duplicates, 0 too late for the live detector; /,
    )

    // Sixteen minutes older than the newest event of its principal.
    const attack = demo
      .map(text => JSON.parse(text) as Record<string, unknown>)
      .filter(({ eventName }) => eventName === 'BatchGetSecretValue')
    const late = { ...attack[0], eventTime: '2026-01-15T09:07:59Z', eventID: '00000000-0000-4000-8000-000000000000' }
    const processes = [line.start(['normalize']), line.start(['detect'])]
    await line.produceRaw([{ key: null, value: Buffer.from(JSON.stringify(late)) }])
    for (const [group, topic] of [
      ['NORMALIZE_GROUP', line.topics.raw],
      ['DETECT_GROUP', line.topics.events],
    ] as const)
      await eventually(
        () => workedOff(line.log, line.env[group]!, topic),
        () => `${group} goes on`,
      )
    assert.equal(await metric(await processes[1]!.port(), 'trailwarden_late_events_total'), 1)
    const again = await replayed(line, line.topics.events)
    assert.match(again.stderr, /, 1 too late for the live detector; /)

    // Whoever asks for later events need not read what cannot hold them: all was ingested long after 2026-01-16.
    const nothing = await replayed(line, '--from', '2026-01-16T00:00:00Z', line.topics.events)
    assert.equal(nothing.stdout, '')
    const none = await replayed(line, '--from', '2999-01-01T00:00:00Z', line.topics.events)
    assert.match(none.stderr, /^0 events from /)
  })
})
