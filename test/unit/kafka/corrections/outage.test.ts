// Brokers that are away for longer than kafkajs' own retries last: its own Runner on a group whose fetches fail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { joiningPatiently } from '../../../../src/kafka/corrections/group-coordinator.ts'
import {
  committingPatiently,
  endingJoins,
  joiningWhileWanted,
  outlastingOutages,
} from '../../../../src/kafka/corrections/outage.ts'
import type { OffsetManager, Runner } from '../../../../src/kafka/corrections/outage.ts'
import { original } from '../encoded-batches.ts'

type Errors = Record<string, new (...args: unknown[]) => Error>
type Start = Parameters<typeof outlastingOutages>[0]
type Stop = Parameters<typeof endingJoins>[0]
interface RunnerOfKafkajs extends Runner {
  stop(): Promise<void>
}
const RunnerClass = original<(new (options: object) => RunnerOfKafkajs) & { prototype: { start: Start; stop: Stop } }>(
  'consumer/runner',
)
const errors = original<Errors>('errors')
const { createErrorFromCode } = original<{ readonly createErrorFromCode: (code: number) => Error }>('protocol/error')

const refused = () => new errors['KafkaJSConnectionError']!('Connection error: connect ECONNREFUSED', { broker: 'b:1' })
/** As reconnecting ends it, which kafkajs takes for final. */
const retriesExceeded = () =>
  new errors['KafkaJSNumberOfRetriesExceeded']!(refused(), { retryCount: 10, retryTime: 2000, cause: refused() })

/** A runner whose fetches fail with what `fails` gives for their number, from 1; it gives null for one that succeeds. */
function runnerWith(fails: (fetch: number) => Error | null, nodes: () => readonly string[] = () => ['0']) {
  const seen = { fetches: 0, refreshes: 0, crashes: [] as Error[] }
  const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} }
  const consumerGroup = {
    groupId: 'g',
    lastRequest: Date.now(),
    async connect() {},
    async joinAndSync() {},
    async leave() {},
    getNodeIds: nodes,
    cluster: {
      async refreshMetadata() {
        seen.refreshes++
        throw retriesExceeded()
      },
    },
    async fetch() {
      await sleep(1)
      const error = fails(++seen.fetches)
      if (error) throw error
      return []
    },
    async heartbeat() {
      consumerGroup.lastRequest = Date.now()
    },
  }
  const runner = new RunnerClass({
    ...{ logger, consumerGroup, instrumentationEmitter: { emit() {} }, concurrency: 1, heartbeatInterval: 1 },
    ...{ retry: { retries: 40, initialRetryTime: 1 }, autoCommit: false },
    onCrash: (error: Error) => seen.crashes.push(error),
  })
  return { runner, seen }
}

const start = (patience?: Parameters<typeof outlastingOutages>[1]) =>
  outlastingOutages(RunnerClass.prototype.start, patience)

async function until(met: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5_000; !met(); await sleep(1)) assert.ok(Date.now() < deadline, 'not in time')
}

test('a runner fetches again when brokers are back; the original ends at the first fetch that could not reconnect', async () => {
  const plain = runnerWith(retriesExceeded)
  await RunnerClass.prototype.start.call(plain.runner)
  await until(() => plain.seen.crashes.length > 0)
  assert.equal(plain.seen.fetches, 1)

  const { runner, seen } = runnerWith(fetch => (fetch <= 50 ? retriesExceeded() : null))
  await start({ forMs: 5_000, everyMs: 1 }).call(runner)
  await until(() => seen.fetches > 60)
  assert.deepEqual(seen.crashes, [])
  assert.equal(seen.refreshes, 50)
  await runner.stop()
})

test('a cluster that names no broker for a while is waited for; the original ends at once', async () => {
  const plain = runnerWith(
    () => null,
    () => [],
  )
  await RunnerClass.prototype.start.call(plain.runner)
  await until(() => plain.seen.crashes.length > 0)

  let looks = 0
  const { runner, seen } = runnerWith(
    () => null,
    () => (++looks > 10 ? ['0'] : []),
  )
  await start({ forMs: 5_000, everyMs: 1 }).call(runner)
  await until(() => seen.fetches > 3)
  assert.deepEqual(seen.crashes, [])
  await runner.stop()
})

test('patience begins anew with every outage and ends within one; other errors are not waited out', async () => {
  const often = runnerWith(fetch => (fetch % 2 === 0 ? retriesExceeded() : null))
  await start({ forMs: 40, everyMs: 1 }).call(often.runner)
  await until(() => often.seen.fetches > 100)
  assert.deepEqual(often.seen.crashes, [])
  await often.runner.stop()

  const long = runnerWith(refused)
  await start({ forMs: 40, everyMs: 1 }).call(long.runner)
  await until(() => long.seen.crashes.length > 0)
  assert.match(String(long.seen.crashes[0]), /ECONNREFUSED/)

  const forbidden = runnerWith(() => createErrorFromCode(29))
  await start({ forMs: 60_000, everyMs: 1 }).call(forbidden.runner)
  await until(() => forbidden.seen.crashes.length > 0)
  assert.equal(forbidden.seen.fetches, 1)
})

test('a stop during an outage does not wait for the next attempt', async () => {
  const { runner, seen } = runnerWith(refused)
  await start({ forMs: 60_000, everyMs: 60_000 }).call(runner)
  await until(() => seen.fetches === 1)
  const begun = Date.now()
  await runner.stop()
  assert.ok(Date.now() - begun < 2_000)
  assert.deepEqual(seen.crashes, [])
})

test('a stop while the group is being joined ends the joining; without it that would go on for its whole patience', async () => {
  const { runner } = runnerWith(refused)
  let attempts = 0
  const join = joiningPatiently(
    joiningWhileWanted(() => {
      attempts++
      return Promise.reject(retriesExceeded())
    }),
    { joinForMs: 60_000, everyMs: 1 },
  )
  const joining = assert.rejects(join.call(runner.consumerGroup as never), { name: 'AbortError' })
  await until(() => attempts > 3)
  await endingJoins(RunnerClass.prototype.stop).call(runner)
  await joining
})

test('a commit follows the coordinator and waits for it; a rebalance is told at once', async () => {
  const group = (fails: (commit: number) => Error | null) => {
    let commits = 0
    const askedOf: unknown[] = []
    const manager: OffsetManager = {
      groupId: 'g',
      coordinator: 'old',
      cluster: { async refreshMetadata() {}, findGroupCoordinator: async () => 'new' },
    }
    const commit = committingPatiently(
      async function commitOffsets() {
        askedOf.push(this.coordinator)
        const error = fails(++commits)
        if (error) throw error
      },
      { forMs: 40, everyMs: 1 },
    )
    return { commit: () => commit.call(manager), askedOf }
  }
  const moved = group(commit => (commit <= 3 ? retriesExceeded() : null))
  await moved.commit()
  assert.deepEqual(moved.askedOf, ['old', 'new', 'new', 'new'])
  const rebalanced = group(() => createErrorFromCode(27))
  await assert.rejects(rebalanced.commit(), { type: 'REBALANCE_IN_PROGRESS' })
  assert.equal(rebalanced.askedOf.length, 1)
  await assert.rejects(group(refused).commit(), /ECONNREFUSED/)
})
