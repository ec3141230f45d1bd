// One simulation: detector processes on one in-process cluster under faults drawn from a seed, against one straight run
// of the same input in one process. The seed decides the input, the batching, which faults occur and when each step goes on.
import { asTrailwardenError, twError } from '../../src/errors.ts'
import type { ErrorCode } from '../../src/errors.ts'
import type { InProcessClient } from '../../src/log/in-process.ts'
import type { LogClient } from '../../src/log/log-client.ts'
import { startDetector } from '../../src/pipeline/detector.ts'
import type { RunningLoop } from '../../src/pipeline/running-loop.ts'
import { detectorOptions, group, SimulatedCluster, SimulatedRegistry, topics } from './simulator-cluster.ts'
import { planOf } from './simulator-plan.ts'
import type { Plan } from './simulator-plan.ts'
import { Random, Scheduler } from './simulator.ts'
import type { Actor, Step } from './simulator.ts'
import { assertSameOutcome, outcomeOf } from './outcome.ts'
import type { Outcome } from './outcome.ts'

/** Stands between a process and its client; for logs that break a promise on purpose. One wrapper per simulation. */
export type Wrap = (client: LogClient, group: string) => LogClient

/** What came of a simulation. */
export interface SimulationResult {
  readonly seed: number
  /** Null when the outcome is that of the straight run. */
  readonly failure: string | null
  /** Hash over all decisions: equal for equal seeds. */
  readonly trace: string
  readonly steps: number
  readonly alerts: number
  readonly faults: number
  readonly recent: readonly string[]
}

interface Process extends Actor {
  readonly client: InProcessClient
  loop: RunningLoop | null
  over: boolean
  /** Round in which a frozen process goes on, or dies. */
  thawAt: number
  dying: boolean
}

const injected: readonly ErrorCode[] = ['TW_BROKER_UNAVAILABLE', 'TW_TRANSACTION_FAILED', 'TW_PRODUCE_FAILED']
const maxProcesses = 4
const heartbeatMs = 3000
/** Virtual time in which everything must have healed, and steps in which it must have been done. */
const healWithinMs = 20 * 60_000
const maxSteps = 60_000

/** Runs one seed. Never rejects. */
export async function simulate(seed: number, wrap: Wrap = client => client): Promise<SimulationResult> {
  const plan = planOf(new Random(seed))
  const simulation = new Simulation(plan, seed, wrap)
  let failure: string | null = null
  let alerts = 0
  try {
    const straight = await straightRun(plan)
    alerts = straight.alerts.flat().length
    assertSameOutcome(await simulation.run(), straight)
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  const { scheduler, faults } = simulation
  return {
    seed,
    failure,
    trace: scheduler.hash(),
    steps: scheduler.ticks,
    alerts,
    faults,
    recent: scheduler.recent(60),
  }
}

/** The same input, in one process, without a fault. */
async function straightRun({ world, input }: Plan): Promise<Outcome> {
  const cluster = new SimulatedCluster(world, 500)
  await cluster.append(input)
  const idle = { now: () => 0, sleep: () => new Promise<void>(() => undefined) }
  const batching = { maxBatchRecords: 500, batchMaxRecords: 500, batchMaxMs: 1000 }
  const loop = await startDetector(detectorOptions(cluster.log, new SimulatedRegistry(), idle, world, batching, true))
  await Promise.race([cluster.log.idle(), loop.done])
  await loop.stop()
  return outcomeOf(cluster)
}

class Simulation {
  readonly scheduler: Scheduler
  faults = 0
  readonly #plan: Plan
  readonly #random: Random
  readonly #wrap: Wrap
  readonly #cluster: SimulatedCluster
  readonly #registry = new SimulatedRegistry()
  readonly #processes: Process[] = []
  /** Rounds of trouble: a frozen cluster has no steps, but its time passes. */
  #round = 0
  #appended = 0
  #started = 0
  #outageUntil = 0
  #fault: Error | null = null
  #lostMarkers = 0

  constructor(plan: Plan, seed: number, wrap: Wrap) {
    this.#plan = plan
    this.#random = new Random(~seed)
    this.#wrap = wrap
    this.scheduler = new Scheduler(this.#random, plan.stickiness)
    this.#cluster = new SimulatedCluster(plan.world, plan.batching.maxBatchRecords)
  }

  async run(): Promise<Outcome> {
    for (let i = 0; i < this.#plan.processes; i++) this.#start()
    for (; this.#round < this.#plan.troubled; this.#round++) {
      await this.#trouble()
      await this.#step(true)
    }
    await this.#heal()
    await this.#stopAll()
    return outcomeOf(this.#cluster)
  }

  /** Lets one thing go on. False when nothing can. */
  async #step(faulty: boolean): Promise<boolean> {
    const { scheduler } = this
    await scheduler.settled()
    if (this.#fault !== null) throw this.#fault
    if (faulty && this.#random.chance(this.#plan.faults.impatience) && scheduler.wakeNext()) return true
    const step = scheduler.take()
    if (step === null) return scheduler.wakeNext()
    const { loseMarkers } = this.#plan.faults
    const losing = faulty && loseMarkers > 0 && step.point.startsWith('transaction') && this.#random.chance(loseMarkers)
    if (losing) this.#cluster.log.loseMarkers(true)
    this.#pass(step, faulty)
    if (losing) await this.#backFromRestart()
    return true
  }

  #pass({ actor, point, proceed, fail }: Step, faulty: boolean): void {
    const { failure } = this.#plan.faults
    // A consumer that fails ends its process: rarer than a call that fails.
    const probability = point.startsWith('consumer.') ? failure / 10 : failure
    if (faulty && this.#random.chance(probability)) {
      const code = this.#random.pick(injected)
      this.#note(`${actor.name} ${point} fails with ${code}`)
      fail(twError(code, `Simulated at ${point}.`))
    } else {
      this.scheduler.note(`${actor.name} ${point}`)
      proceed()
    }
  }

  /** Whoever was told of an end whose markers are lost hears nothing more of the brokers until they have started again. */
  async #backFromRestart(): Promise<void> {
    const { log } = this.#cluster
    await this.scheduler.settled()
    log.loseMarkers(false)
    const lost = log.lostMarkers()
    if (lost === this.#lostMarkers) return
    this.#lostMarkers = lost
    this.#note('markers are lost, the cluster restarts')
    this.scheduler.time += this.#random.int(2000, 20_000)
  }

  #note(text: string): void {
    this.faults++
    this.scheduler.note(`! ${text}`)
  }

  #start(): void {
    const actor = { name: `p${this.#started++}`, frozen: false, dead: false }
    const client = this.#cluster.log.client(point => this.scheduler.gate(process)(point))
    const process: Process = Object.assign(actor, { client, loop: null, over: false, thawAt: 0, dying: false })
    this.#processes.push(process)
    void this.#live(process)
    void this.#beat(process)
  }

  /** What a Kafka client does by itself, however little there is to read. */
  async #beat(process: Process): Promise<void> {
    const { sleep } = this.scheduler.clock(process)
    while (!process.dead) {
      await sleep(heartbeatMs)
      process.client.heartbeat()
    }
  }

  /** A process from start to end, with the supervisor's view of its end. */
  async #live(process: Process): Promise<void> {
    const { world, batching } = this.#plan
    const clock = this.scheduler.clock(process)
    const log = this.#wrap(process.client, group)
    try {
      process.loop = await startDetector(detectorOptions(log, this.#registry, clock, world, batching))
      await process.loop.done
    } catch (thrown) {
      const error = asTrailwardenError(thrown)
      this.#note(`${process.name} ends with ${error.code}`)
      if (!error.retriable) this.#fault = error
      if (this.#random.chance(0.5)) await process.loop?.stop().catch(() => undefined)
    }
    this.#bury(process)
  }

  #bury(process: Process): void {
    process.over = true
    process.dead = true
    process.client.kill()
    this.#processes.splice(this.#processes.indexOf(process), 1)
  }

  async #trouble(): Promise<void> {
    const { faults, input, world } = this.#plan
    const round = this.#round
    const random = this.#random
    for (const process of [...this.#processes]) if (process.frozen && round >= process.thawAt) this.#thaw(process)
    if (this.#registry.away && round >= this.#outageUntil) this.#registry.away = false
    const share = Math.min(input.length, Math.ceil((input.length * round) / (this.#plan.troubled * 0.8)))
    if (share > this.#appended && random.chance(0.1)) await this.#append(share)
    const running = this.#processes.filter(process => !process.frozen)
    const some = running.length > 0 ? random.pick(running) : null
    if (random.chance(faults.compact)) {
      this.#note('compaction')
      this.#cluster.log.compact(topics.state)
    }
    if (random.chance(faults.outage) && !this.#registry.away) {
      this.#note('registry away')
      this.#registry.away = true
      this.#outageUntil = round + random.int(10, 200)
    }
    if (random.chance(faults.expireTransaction)) {
      const partition = random.int(0, world.partitions - 1)
      this.#note(`transaction of partition ${partition} expires`)
      this.#cluster.log.expireTransaction(`trailwarden-${group}-${topics.events}-${partition}`)
    }
    const few = this.#processes.length < this.#plan.processes
    if ((few && random.chance(0.05)) || (this.#processes.length < maxProcesses && random.chance(faults.start))) {
      this.#note('another process')
      this.#start()
    }
    if (some === null) return
    if (random.chance(faults.expireSession)) {
      this.#note(`${some.name} loses its session`)
      some.client.expireSessions()
    }
    if (random.chance(faults.stop) && some.loop !== null) {
      this.#note(`${some.name} is asked to stop`)
      some.loop.stop().catch(() => undefined)
    }
    if (random.chance(faults.freeze)) {
      this.#note(`${some.name} freezes`)
      some.frozen = true
      some.thawAt = round + random.int(5, 150)
      some.dying = random.chance(0.3)
      if (random.chance(0.7)) some.client.expireSessions()
    } else if (random.chance(faults.kill)) {
      this.#note(`${some.name} is killed`)
      this.#bury(some)
    }
  }

  #thaw(process: Process): void {
    process.frozen = false
    if (!process.dying) return
    this.#note(`${process.name} dies frozen`)
    this.#bury(process)
  }

  async #append(upTo: number): Promise<void> {
    this.scheduler.note(`input up to ${upTo}`)
    await this.#cluster.append(this.#plan.input.slice(this.#appended, upTo))
    this.#appended = upTo
  }

  /** No more faults: everything must now come to its end by itself. */
  async #heal(): Promise<void> {
    this.scheduler.note('healing')
    this.#registry.away = false
    for (const process of [...this.#processes]) if (process.frozen) this.#thaw(process)
    await this.#append(this.#plan.input.length)
    const { scheduler } = this
    const deadline = scheduler.time + healWithinMs
    for (;;) {
      await scheduler.settled()
      if (this.#processes.length === 0) this.#start()
      if (this.#fault !== null) throw this.#fault
      const step = scheduler.take()
      if (step !== null) {
        this.#pass(step, false)
      } else {
        if ((await this.#cluster.remaining()) === 0) return
        if (!scheduler.wakeNext()) throw new Error('Nothing can happen, and the input is not worked off.')
        if (scheduler.time > deadline) throw new Error('Not healed in time.')
      }
      if (scheduler.ticks > maxSteps) throw new Error('Not healed in the number of steps.')
    }
  }

  async #stopAll(): Promise<void> {
    this.scheduler.note('stopping')
    for (const process of [...this.#processes]) {
      if (process.loop === null) this.#bury(process)
      else process.loop.stop().catch(() => undefined)
    }
    for (;;) {
      await this.scheduler.settled()
      if (this.#processes.length === 0) return
      if (!(await this.#step(false))) throw new Error('A process does not stop.')
      if (this.scheduler.ticks > maxSteps) throw new Error('A process stops for ever.')
    }
  }
}
