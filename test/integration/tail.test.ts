// `trailwarden tail` on a real broker: what arrives is shown, through a restart of the broker; it ends on SIGINT and when
// nobody reads any more, and leaves no consumer group behind.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import { raise } from '../harness/alert-topic.ts'
import { jsonLines } from '../harness/command-line.ts'
import { eventually, lineOn } from '../harness/line.ts'
import type { CliProcess, Line } from '../harness/line.ts'
import { markedSecret, tellsSecret } from '../harness/marked-secret.ts'
import { describeOnKafka } from '../harness/suite.ts'
import { rateAlert, regionAlert } from '../unit/alerts/samples.ts'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'trailwarden.mjs')

/** One alert, known by its count. */
const raised = (line: Line, count: number, committed = true) =>
  raise(line, count % 2 === 0 ? regionAlert({ count }) : rateAlert({ count }), { committed })

/** A tail whose standard output is seen as it comes. */
function tailing(line: Line, args: readonly string[]): { cli: CliProcess; counts: () => number[] } {
  const cli = line.start(['tail', ...args])
  let stdout = ''
  cli.child.stdout!.on('data', chunk => (stdout += String(chunk)))
  const whole = () => stdout.slice(0, stdout.lastIndexOf('\n') + 1)
  return { cli, counts: () => jsonLines(whole()).map(({ count }) => Number(count)) }
}

const following = (cli: CliProcess) =>
  eventually(
    async () => cli.seen().includes('Following'),
    () => cli.seen(),
  )

await describeOnKafka(
  'tail on Kafka',
  kafka => {
    test('shows what is committed from now on, survives a restart of the broker, ends on SIGINT, leaves no group', async t => {
      const line = await lineOn(kafka, t)
      await raised(line, 1)
      const now = tailing(line, [])
      const since = tailing(line, ['--since', '1h', '--severity', 'low'])
      await following(now.cli)
      await following(since.cli)
      const shown = (tail: typeof now, counts: readonly number[]) =>
        eventually(
          async () => tail.counts().length >= counts.length,
          () => `${tail.counts().join()}; ${tail.cli.seen()}`,
        ).then(() => assert.deepEqual(tail.counts(), counts))
      await raised(line, 2)
      await raised(line, 3, false)
      await raised(line, 5)
      await shown(now, [2, 5])
      await shown(since, [1, 5])

      await kafka.restartBroker(0)
      await eventually(
        async () => {
          try {
            await raised(line, 7)
            return true
          } catch {
            return false
          }
        },
        () => 'no transaction after the restart',
      )
      // An attempt whose answer was lost may have committed too: then the alert is there twice, and is shown twice.
      const there = (await line.readAll(line.topics.alerts)).length
      await shown(now, [2, 5, ...Array.from({ length: there - 3 }, () => 7)])

      const admin = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
      await admin.connect()
      const { groups } = await admin.listGroups()
      await admin.disconnect()
      assert.deepEqual(
        groups.map(({ groupId }) => groupId),
        [],
      )
      for (const { cli } of [now, since]) cli.child.kill('SIGINT')
      for (const { cli } of [now, since]) {
        const { code, stderr } = await cli.finished
        assert.equal(code, 0, stderr)
        assert.match(stderr, /\n\d+ alerts(, \d+ others)?\n$/)
      }
    })

    test('ends without an error when nobody reads any more; a topic that is not there is told at once', async t => {
      const line = await lineOn(kafka, t)
      for (const count of [1, 2, 3]) await raised(line, count)
      const child = spawn(process.execPath, [bin, 'tail', '--since', '1h'], {
        env: { ...process.env, ...markedSecret, ...line.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      t.after(() => void child.kill('SIGKILL'))
      const closed = once(child, 'close')
      let stderr = ''
      child.stderr.on('data', chunk => (stderr += String(chunk)))
      await once(child.stdout, 'data')
      child.stdout.destroy()
      await raised(line, 4)
      const [code] = (await closed) as [number | null]
      assert.equal(code, 0, stderr)
      assert.doesNotMatch(stderr, /EPIPE|TW_/)
      assert.ok(!tellsSecret(stderr))

      const nowhere = await line.run(['tail'], { ALERTS_TOPIC: `${line.topics.alerts}.none` })
      assert.equal(nowhere.code, 2)
      assert.match(nowhere.stderr, /There is no topic \S+\.none\.\n {2}TW_TOPIC_MISSING/)
    })
  },
  { own: true },
)
