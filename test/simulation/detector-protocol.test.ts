// The protocol step by step: two processes, one partition, and each step held at the moment that matters. Every case is
// run twice: with the log as it is it must end as a straight run does, with the log that undoes the step it must not.
// Random faults pass over ordering bugs more often than not; these cannot. docs/decisions/0012-exactly-once-protocol.md.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { twError } from '../../src/errors.ts'
import type { Gate } from '../../src/log/gate.ts'
import type { InProcessClient } from '../../src/log/in-process.ts'
import { processClock } from '../../src/pipeline/clock.ts'
import type { Clock } from '../../src/pipeline/clock.ts'
import { startDetector } from '../../src/pipeline/detector.ts'
import type { RunningLoop } from '../../src/pipeline/running-loop.ts'
import { day, hour } from '../harness/detection.ts'
import { detectorOptions, group, SimulatedCluster, SimulatedRegistry } from '../harness/simulator-cluster.ts'
import { simulatedInput } from '../harness/simulator-input.ts'
import * as mutants from '../harness/simulator-mutants.ts'
import type { Wrap } from '../harness/simulator-run.ts'
import { Random } from '../harness/simulator.ts'
import { assertSameOutcome, outcomeOf } from '../harness/outcome.ts'
import type { Outcome } from '../harness/outcome.ts'

const world = { partitions: 1, engine: { stateTtlMs: 90 * day, dedupHorizonMs: day }, expireEvery: 1000 }
const batching = { maxBatchRecords: 20, batchMaxRecords: 20, batchMaxMs: hour }
const input = simulatedInput(new Random(12), 60, false)
/** Waits of the loop are over at once; those of the progress watch never. */
const hasty: Clock = {
  now: processClock.now,
  sleep: (_ms, _signal, background) =>
    background === undefined ? new Promise(resolve => setImmediate(resolve)) : new Promise(() => undefined),
}

/** Time that can be moved on: what waits in the background wakes up then. */
class MovedClock implements Clock {
  #ahead = 0
  readonly #moved = Promise.withResolvers<void>()
  readonly now = () => processClock.now() + this.#ahead
  readonly sleep: Clock['sleep'] = (ms, signal, background) =>
    background === undefined || this.#ahead > 0 ? hasty.sleep(ms, signal, background) : this.#moved.promise

  move(ms: number): void {
    this.#ahead += ms
    this.#moved.resolve()
  }
}

/** A point of one process, held from the `nth` passage on until it is let go. */
class Hold {
  readonly reached = Promise.withResolvers<void>()
  readonly #opened = Promise.withResolvers<void>()
  readonly #point: string
  #before: number

  constructor(point: string, nth = 1) {
    this.#point = point
    this.#before = nth
  }

  readonly gate: Gate = async point => {
    if (point !== this.#point || --this.#before > 0) return
    this.reached.resolve()
    await this.#opened.promise
  }

  letGo(): void {
    this.#opened.resolve()
  }
}

function both(first: Gate, second: Gate): Gate {
  return async point => {
    await first(point)
    await second(point)
  }
}

class Stage {
  readonly cluster = new SimulatedCluster(world, batching.maxBatchRecords)
  readonly #wrap: Wrap
  readonly #running: { client: InProcessClient; loop: Promise<RunningLoop> }[] = []

  constructor(wrap: Wrap) {
    this.#wrap = wrap
  }

  start(gate: Gate = () => undefined, clock: Clock = hasty): InProcessClient {
    const client = this.cluster.log.client(gate)
    const log = this.#wrap(client, group)
    const loop = startDetector(detectorOptions(log, new SimulatedRegistry(), clock, world, batching))
    loop.catch(() => undefined)
    this.#running.push({ client, loop })
    return client
  }

  /** Starts a process and holds it when its `nth` commit has succeeded for the coordinator, and for nobody else. */
  async startAndLoseMarkers(nth: number, clock?: Clock): Promise<{ client: InProcessClient; goOn: () => void }> {
    const { log } = this.cluster
    const commit = new Hold('transaction.commit:request', nth)
    const answer = new Hold('transaction.commit:response', nth)
    const client = this.start(both(commit.gate, answer.gate), clock)
    await commit.reached.promise
    log.loseMarkers(true)
    commit.letGo()
    await answer.reached.promise
    log.loseMarkers(false)
    assert.equal(log.lostMarkers(), 1)
    return { client, goOn: () => answer.letGo() }
  }

  /** Lets everybody work until nothing is left to do, and looks at what came of it. */
  async end(): Promise<Outcome> {
    for (let turn = 0; turn < 3000; turn++) {
      for (const { client } of this.#running) client.heartbeat()
      await new Promise(resolve => setImmediate(resolve))
    }
    for (const { client } of this.#running) client.kill()
    return outcomeOf(this.cluster)
  }
}

async function straight(): Promise<Outcome> {
  const stage = new Stage(client => client)
  await stage.cluster.append(input)
  stage.start()
  return stage.end()
}

/** The case ends right on the log as it is, and wrong without the step. */
function protocol(name: string, mutant: mutants.Mutant, play: (stage: Stage) => Promise<void>): void {
  const run = async (wrap: Wrap): Promise<void> => {
    const stage = new Stage(wrap)
    await stage.cluster.append(input)
    await play(stage)
    assertSameOutcome(await stage.end(), await straight())
  }
  test(name, () => run(client => client))
  test(`${name}: without it the outcome differs`, async () => {
    await assert.rejects(run(mutant()), assert.AssertionError)
  })
}

protocol(
  'the fence stands before the state is read: a commit that lands while a successor restores is refused',
  mutants.fenceAfterReading,
  async stage => {
    const commit = new Hold('transaction.commit:request', 2)
    const answer = new Hold('transaction.commit:response', 2)
    const restored = new Hold('committed:response')
    const first = stage.start(both(commit.gate, answer.gate))
    await commit.reached.promise
    first.expireSessions()
    stage.start(restored.gate)
    await restored.reached.promise
    commit.letGo()
    await turns(20)
    // It is not to join again: a new generation would make the successor start over.
    first.kill()
    restored.letGo()
  },
)

protocol(
  'the position is read after the fence: a commit that lands just before it counts',
  mutants.positionFromBeforeFence,
  async stage => {
    const commit = new Hold('transaction.commit:request', 2)
    const answer = new Hold('transaction.commit:response', 2)
    const fence = new Hold('transactional.init:request')
    const first = stage.start(both(commit.gate, answer.gate))
    await commit.reached.promise
    first.expireSessions()
    stage.start(fence.gate)
    await fence.reached.promise
    commit.letGo()
    await turns(20)
    // It is not to join again: a new generation would make the successor start over.
    first.kill()
    fence.letGo()
  },
)

protocol(
  'a fenced producer writes nothing: a zombie that wakes up before its commit',
  mutants.withoutFence,
  async stage => {
    const commit = new Hold('transaction.commit:request', 2)
    const first = stage.start(commit.gate)
    await commit.reached.promise
    first.expireSessions()
    stage.start()
    await turns(200)
    commit.letGo()
  },
)

protocol(
  'state is discarded after a failed transaction: a commit whose answer is lost',
  mutants.stateKeptOverFailure,
  async stage => {
    let commits = 0
    stage.start(point => {
      if (point === 'transaction.commit:response' && ++commits === 2)
        throw twError('TW_BROKER_UNAVAILABLE', 'The answer is lost.')
    })
    await turns(200)
  },
)

protocol(
  'restoring is read_committed: a process dies between send and commit',
  mutants.uncommittedReads,
  async stage => {
    const commit = new Hold('transaction.commit:request', 2)
    const first = stage.start(commit.gate)
    await commit.reached.promise
    first.kill()
    stage.start()
  },
)

protocol(
  'what hangs is aborted before the state is read: a commit whose markers the cluster has forgotten',
  mutants.hangingUnseen,
  async stage => {
    const { client } = await stage.startAndLoseMarkers(2)
    client.kill()
    stage.start()
  },
)

protocol(
  'who goes on after the cluster was away looks for the end of the transaction before: it was the last for now',
  mutants.hangingUnseenBySurvivor,
  async stage => {
    const clock = new MovedClock()
    const { goOn } = await stage.startAndLoseMarkers(4, clock)
    clock.move(5000)
    goOn()
  },
)

test('a transaction that fails after a rebalance has kept its partition: the partition is opened again', async () => {
  const stage = new Stage(client => client)
  await stage.cluster.append(input)
  const commit = new Hold('transaction.commit:request', 2)
  let failed = false
  stage.start(async point => {
    await commit.gate(point)
    if (point !== 'transaction.commit:request' || failed || !passed) return
    failed = true
    throw twError('TW_TRANSACTION_FAILED', 'The coordinator moves.')
  })
  let passed = false
  await commit.reached.promise
  // Another member joins without getting the only partition: the task is kept, the generation is new.
  stage.start()
  await turns(50)
  passed = true
  commit.letGo()
  await turns(50)
  assert.ok(failed)
  assertSameOutcome(await stage.end(), await straight())
})

test('records that a handler committed after a rebalance are not delivered for ever', async () => {
  const stage = new Stage(client => client)
  await stage.cluster.append(input)
  const commit = new Hold('transaction.commit:request')
  let fetches = 0
  stage.start(async point => {
    if (point === 'consumer.fetch') fetches++
    await commit.gate(point)
  })
  await commit.reached.promise
  stage.start()
  await turns(50)
  commit.letGo()
  assertSameOutcome(await stage.end(), await straight())
  assert.ok(fetches < 20, `${fetches} deliveries`)
})

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}
