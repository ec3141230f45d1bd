// The short form of `npm run chaos`: detectors of the built command line that are killed and frozen and lose the answers
// of their commits, and a broker of three that is killed. What is left must be what one uninterrupted run leaves.
// The seed is fixed and printed; CHAOS_SEED gives another one.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { installBuilt } from '../chaos/installation.ts'
import { chaosRound } from '../chaos/round.ts'
import type { Scenario } from '../chaos/scenarios.ts'
import type { KafkaForTests } from '../harness/cluster.ts'
import { describeOnKafka } from '../harness/suite.ts'

const seed = Number(process.env['CHAOS_SEED'] ?? 20261123)
const processes: Scenario = {
  nodes: 1,
  first: [
    'dropReply',
    'freeze',
    'loseCommit',
    'kill',
    'dropReply',
    'term',
    'loseCommit',
    'cutConnections',
    'dropReply',
  ],
  weights: { dropReply: 1, loseCommit: 1 },
  gapMs: [800, 1600],
}
const brokers: Scenario = {
  nodes: 3,
  first: ['dropReply', 'killBroker', 'kill', 'dropReply'],
  weights: { dropReply: 1 },
  gapMs: [1500, 2500],
}

const installation = await installBuilt()
after(() => installation.remove())

async function round(kafka: KafkaForTests, scenario: Scenario, durationMs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'trailwarden-chaos-'))
  console.log(`CHAOS_SEED=${seed}, logs in ${folder}`)
  const report = await chaosRound(kafka, { seed, scenario, durationMs, program: installation.program, folder })
  assert.deepEqual(report.findings, [], `not exact with CHAOS_SEED=${seed}; logs in ${folder}`)
  rmSync(folder, { recursive: true })
  assert.ok(report.alerts > 100 && report.deadLetters >= 3, JSON.stringify(report))
  return report
}

await describeOnKafka('chaos on one broker', kafka => {
  test('killed, frozen, stopped and cut off in the middle of commits: alerts, state and dead letters are exact', async () => {
    const { kills, stops, terms, repliesDropped, commitsLost } = await round(kafka, processes, 13_000)
    assert.deepEqual({ kills, stops, terms }, { kills: 1, stops: 1, terms: 1 })
    assert.ok(repliesDropped >= 2 && commitsLost >= 1, `${repliesDropped} replies and ${commitsLost} commits lost`)
  })
})

await describeOnKafka(
  'chaos on three brokers',
  kafka => {
    test('a broker killed and back, and a detector killed: alerts, state and dead letters are exact', async () => {
      const { kills, brokerRestarts, repliesDropped } = await round(kafka, brokers, 9_000)
      assert.deepEqual({ kills, brokerRestarts }, { kills: 1, brokerRestarts: 1 })
      assert.ok(repliesDropped >= 1)
    })
  },
  { nodes: 3 },
)
