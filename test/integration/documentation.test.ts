// The commands of README, docs/plug-in.md and docs/upgrade.md that need a cluster, on a real one, with the package as
// installed: each page from its first command to its last.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { topicAdmin } from '../../src/kafka/topics.ts'
import { demoLines } from '../../src/commands/demo-scenario.ts'
import { installBuilt } from '../chaos/installation.ts'
import { ClusterSession } from '../harness/documentation-run.ts'
import { commandsOn, homeOf, pages } from '../harness/documentation.ts'
import { lineOn } from '../harness/line.ts'
import { describeOnKafka } from '../harness/suite.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
// docs/plug-in.md first: it is the one that sends events through the line which the others look at.
const order = ['docs/plug-in.md', ...pages.filter(page => page !== 'docs/plug-in.md')]
const commands = order.flatMap(commandsOn).filter(({ text }) => homeOf(text)?.kind === 'cluster')

await describeOnKafka('documentation on Kafka', kafka => {
  test('every cluster command of the pages does what the page says', async t => {
    const line = await lineOn(kafka, t)
    const admin = await topicAdmin({ brokers: kafka.brokers, clientId: 'test' }, quiet, null)
    await admin.apply([{ name: 'cloudtrail.raw', partitions: 1, replicationFactor: 1, config: {} }])
    await admin.close()
    const installation = await installBuilt()
    t.after(() => installation.remove())
    const folder = join(installation.folder, 'work')
    mkdirSync(folder)
    writeFileSync(join(folder, 'demo.jsonl'), demoLines())
    const path = `${dirname(process.execPath)}:${installation.bin}`
    const session = new ClusterSession({ folder, path, env: line.env })
    t.after(() => session.stop())
    const done = new Set<string>()
    for (const { page, line: at, text } of commands) {
      const home = homeOf(text)
      if (home?.kind !== 'cluster' || done.has(text)) continue
      done.add(text)
      const where = `${page}:${at} ${text}`
      const { code, stdout, stderr } = await session.run(text, home).catch((error: unknown) => {
        throw new Error(where, { cause: error })
      })
      assert.equal(code, 0, `${where}\n${stdout}\n${stderr}`)
      if (home.shows) assert.match(stdout, home.shows, where)
      t.diagnostic(where)
    }
    for (const [text, code] of await session.stop()) assert.equal(code, 0, text)
  })
})
