// A broker that is away for longer than kafkajs' own patience: both processes live on, say so, and go on by themselves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { demoLines } from '../../src/commands/demo-scenario.ts'
import { alertsOf, eventually, lineOn, workedOff } from '../harness/line.ts'
import type { CliProcess } from '../harness/line.ts'
import { describeOnKafka } from '../harness/suite.ts'

// kafkajs ends reconnecting after some 13 s, and with it, uncorrected, the consumer.
const awayMs = 30_000
const values = (lines: readonly string[]) => lines.map(line => ({ key: null, value: Buffer.from(line) }))
const answer = async (cli: CliProcess, path: string) =>
  (await fetch(`http://127.0.0.1:${await cli.port()}${path}`)).status

await describeOnKafka(
  'the only broker is away',
  kafka => {
    test('for half a minute: live, not ready, and back without a restart; a stop meanwhile is clean', async t => {
      const line = await lineOn(kafka, t)
      const records = demoLines()
        .split('\n')
        .filter(text => text !== '')
      const half = records.length >> 1
      const processes = [line.start(['normalize']), line.start(['detect'])]
      const groups = [
        [line.env['NORMALIZE_GROUP']!, line.topics.raw],
        [line.env['DETECT_GROUP']!, line.topics.events],
      ] as const
      const log = () => processes.map(cli => cli.seen().slice(-3_000)).join('\n---\n')
      const settled = async () => {
        for (const [group, topic] of groups)
          await eventually(() => workedOff(line.log, group, topic).catch(() => false), log, 120_000)
      }
      await line.produceRaw(values(records.slice(0, half)))
      await settled()

      await kafka.killBroker(0)
      for (const cli of processes) await eventually(async () => (await answer(cli, '/readyz')) === 503, log, awayMs)
      await sleep(awayMs)
      for (const cli of processes) {
        assert.equal(cli.child.exitCode, null, cli.seen().slice(-3_000))
        assert.equal(await answer(cli, '/livez'), 200)
      }
      await kafka.startBroker(0)
      for (const cli of processes) await eventually(async () => (await answer(cli, '/readyz')) === 200, log, 120_000)
      await line.produceRaw(values(records.slice(half)))
      await settled()
      const rules = new Set((await alertsOf(line)).map(({ alert }) => alert.ruleId))
      assert.ok(rules.has('secretsmanager-multi-region') && rules.has('secretsmanager-denied-rate'), [...rules].join())

      await kafka.killBroker(0)
      await sleep(15_000)
      const asked = performance.now()
      for (const { child } of processes) child.kill('SIGTERM')
      for (const { finished } of processes) assert.equal((await finished).code, 0)
      assert.ok(performance.now() - asked < 11_000, 'a stop may take ten seconds, and the process a moment to leave')
      await kafka.startBroker(0)
    })
  },
  { own: true },
)
