// `trailwarden tail` on the in-process log: formats, filters, where it begins, what it cannot read, how it ends.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Alert } from '../../../src/alerts/alert.ts'
import { alertToJson } from '../../../src/alerts/json.ts'
import { alertEncoder } from '../../../src/codecs/alert.ts'
import { tailOf, tailRequest } from '../../../src/commands/tail.ts'
import type { CommandContext } from '../../../src/commands/command.ts'
import { twError } from '../../../src/errors.ts'
import { localSchemas } from '../../../src/log/schema-source.ts'
import type { SchemaSource } from '../../../src/log/schema-source.ts'
import { rfc3339 } from '../../../src/rfc3339.ts'
import { topicContract } from '../../../src/topics.ts'
import { jsonLines, trailwarden } from '../../harness/command-line.ts'
import { append, lineLog, recordsOf, topics } from '../../harness/pipeline.ts'
import { rateAlert, regionAlert } from '../alerts/samples.ts'
import { contextOf } from './context.ts'

const schema = topicContract('ALERTS_TOPIC').schema!
const alerts = [regionAlert(), rateAlert(), regionAlert({ activity: 'UPDATE', sequence: 1, count: 11 })]

interface Run {
  readonly options?: CommandContext['options']
  readonly values?: readonly (Buffer | null)[]
  readonly terminal?: boolean
  readonly schemas?: SchemaSource
  readonly topic?: string
  /** Alerts that make the run end. */
  readonly until: number
  /** `--since` is the timestamp of this one of the records. */
  readonly sinceRecord?: number
  /** Appended once it follows. */
  readonly later?: readonly Buffer[]
}

async function encoded(schemas: SchemaSource, list: readonly Alert[] = alerts): Promise<Buffer[]> {
  const id = await schemas.idOf('', schema)
  return list.map(alert => Buffer.from(alertEncoder(schema).encode(alert, id)))
}

async function run(how: Run) {
  const { values, terminal = false, schemas = localSchemas(), until, later, topic, sinceRecord } = how
  let { options = {} } = how
  const stop = new AbortController()
  const watchdog = setTimeout(() => stop.abort(), 4000)
  const log = lineLog(3)
  const record = (value: Buffer | null) => ({ key: 'k', value, partition: 0 })
  for (const value of values ?? (await encoded(schemas))) await append(log, topics.alerts, [record(value)])
  if (sinceRecord !== undefined) {
    const timestamps = (await recordsOf(log, topics.alerts)).map(({ timestamp }) => timestamp)
    options = { ...options, since: rfc3339(timestamps[sinceRecord]!) }
  }
  let stdout = ''
  let stderr = ''
  const heading = terminal && options['json'] !== true ? 1 : 0
  const seen = () => stdout.split('\n').length - 1 - heading
  const end = () => {
    if (seen() >= until) stop.abort()
  }
  const { context } = contextOf(topic === undefined ? {} : { ALERTS_TOPIC: topic }, stop.signal)
  const full = {
    ...context,
    options,
    out: {
      isTerminal: terminal,
      columns: 160,
      write: (text: string) => {
        stdout += text
        end()
      },
    },
    err: {
      isTerminal: false,
      columns: 80,
      write: (text: string) => {
        stderr += text
        if (text.startsWith('Following'))
          setTimeout(() => {
            void append(log, topics.alerts, (later ?? []).map(record)).then(end)
          }, 20)
      },
    },
  }
  const code = await tailOf(full, tailRequest(full, Date.UTC(2026, 0, 20)), log, schemas)
  clearTimeout(watchdog)
  return { code, stdout, stderr }
}

const everything = { since: '1h' }

describe('tail', () => {
  test('JSON lines where there is no terminal, and with --json on one: every alert, as replay writes it', async () => {
    for (const how of [{}, { terminal: true, options: { ...everything, json: true } }]) {
      const { code, stdout, stderr } = await run({ options: everything, ...how, until: 3 })
      assert.equal(code, 0)
      assert.equal(stdout, alerts.map(alert => `${alertToJson(alert)}\n`).join(''))
      assert.equal(stderr, `Following ${topics.alerts}.\n3 alerts\n`)
    }
  })

  test('a table on a terminal: one heading, one row for each alert, in the width of the terminal', async () => {
    const { stdout } = await run({ options: everything, terminal: true, until: 3 })
    const lines = stdout.trimEnd().split('\n')
    assert.match(lines[0]!, /^TIME \(UTC\) +SEVERITY +RULE +PRINCIPAL +COUNT +SUMMARY$/)
    assert.equal(lines.length, 4)
    assert.match(lines[2]!, / medium +secretsmanager-denied-rate +bob +18 +Unusual number/)
    assert.match(lines[3]!, /\[update 1\]/)
    for (const line of lines) assert.ok(line.length <= 160, line)
  })

  test('without --since only what comes from now on; with it what was produced since, not what happened since', async () => {
    const schemas = localSchemas()
    const [late] = await encoded(schemas, [rateAlert({ count: 99 })])
    const fresh = await run({ schemas, until: 1, later: [late!] })
    assert.deepEqual(
      jsonLines(fresh.stdout).map(alert => alert['count']),
      [99],
    )
    // The log's clock stands in January 2026, the events of the samples lie in November.
    const second = await run({ sinceRecord: 1, until: 2 })
    assert.deepEqual(
      jsonLines(second.stdout).map(alert => alert['ruleId']),
      [alerts[1]!.ruleId, alerts[2]!.ruleId],
    )
  })

  const filters: readonly (readonly [string, CommandContext['options'], readonly number[]])[] = [
    ['a rule', { rule: ['secretsmanager-denied-rate'] }, [1]],
    ['several rules', { rule: ['secretsmanager-denied-rate', 'secretsmanager-multi-region'] }, [0, 1, 2]],
    ['a severity or above', { severity: 'low' }, [1]],
    ['the same severity', { severity: 'medium' }, [1]],
    ['a principal by key', { principal: '111122223333/role/AROAEXAMPLEEXAMPLEID' }, [0, 2]],
    ['a principal by name', { principal: 'bob' }, [1]],
    ['all of them', { principal: 'bob', severity: 'informational', rule: ['secretsmanager-denied-rate'] }, [1]],
  ]
  for (const [name, options, expected] of filters)
    test(`shows only ${name}, and counts the others`, async () => {
      const { stdout, stderr } = await run({ options: { ...everything, ...options }, until: expected.length })
      assert.equal(stdout, expected.map(index => `${alertToJson(alerts[index]!)}\n`).join(''))
      const others = 3 - expected.length
      // It ends with the last one it waits for, so those behind it are not counted.
      assert.match(stderr, new RegExp(`\\n${expected.length} alerts?(, [1-${Math.max(1, others)}] others)?\\n$`))
    })

  test('a topic of JSON alerts gives the same', async () => {
    const values = alerts.map(alert => Buffer.from(alertToJson(alert)))
    const { stdout } = await run({ options: everything, values, until: 3 })
    assert.equal(stdout, alerts.map(alert => `${alertToJson(alert)}\n`).join(''))
  })

  test('what is no alert is told once, counted, and does not stop the rest', async () => {
    const schemas = localSchemas()
    const [good] = await encoded(schemas)
    const unknown = Buffer.from([0, 0x7f, 0xff, 0xff, 0xfe, 1, 2])
    const values = [Buffer.from('{}'), null, unknown, Buffer.from(good!.subarray(0, 9)), good!]
    const { stdout, stderr } = await run({ options: everything, schemas, values, until: 1 })
    assert.equal(jsonLines(stdout).length, 1)
    assert.equal(stderr.match(/no alert that this version can read/g)?.length, 1)
    assert.match(stderr, /\n1 alert, 4 unreadable\n$/)
  })

  test('a registry that is away is waited for, and nothing is left out', async () => {
    const schemas = localSchemas()
    const values = await encoded(schemas)
    let asked = 0
    const shaky: SchemaSource = {
      idOf: (subject, wanted) => schemas.idOf(subject, wanted),
      schemaById: id =>
        ++asked < 3 ? Promise.reject(twError('TW_REGISTRY_UNAVAILABLE', 'No answer.')) : schemas.schemaById(id),
    }
    const { stdout, stderr } = await run({ options: everything, schemas: shaky, values, until: 3 })
    assert.equal(jsonLines(stdout).length, 3)
    assert.equal(stderr.match(/No answer\. Waiting for the registry\./g)?.length, 1)
  })

  test('a topic that does not exist is said at once', async () => {
    await assert.rejects(run({ topic: 'nowhere', until: 1 }), { code: 'TW_TOPIC_MISSING' })
  })

  for (const [argv, message] of [
    [['--severity', 'hgih'], /--severity hgih is none of informational, low, medium, high, critical/],
    [['--since', 'yesterday'], /--since yesterday is neither a span like 1h nor a time/],
    [['cloudtrail.alerts.v1'], /tail takes no arguments/],
  ] as const)
    test(`refuses ${argv.join(' ')} before it connects`, async () => {
      const { code, stderr } = await trailwarden(['tail', ...argv])
      assert.equal(code, 2)
      assert.match(stderr, message)
    })
})
