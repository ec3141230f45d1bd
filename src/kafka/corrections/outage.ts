// How a member lives on while brokers are away. Wraps Runner.prototype.start and .stop (kafkajs src/consumer/runner.js) and
// OffsetManager.prototype.commitOffsets (src/consumer/offsetManager/index.js). Why: when the reconnecting inside one fetch
// has used up its retries (some 13 s), kafkajs calls the error final, and the consumer ends although 40 retries were asked
// for; brokers that come back with an empty list of nodes end it at once; and a commit asks a coordinator that is gone
// again and again. A member must outlast a restart of a minute or two, and still stop at once when it is told to.

import { setTimeout as sleep } from 'node:timers/promises'
import { isAway } from '../faults.ts'
import type { ConsumerGroup } from './group-coordinator.ts'

/** How long brokers may be away before the consumer crashes, and how long between two attempts. */
export interface OutagePatience {
  readonly forMs: number
  readonly everyMs: number
}

/** The settings of this process: its supervisor is asked for help after five minutes. */
export const outagePatience: OutagePatience = { forMs: 300_000, everyMs: 500 }

const stopSeenWithinMs = 100

/** The fields of kafkajs' Runner that waiting needs. */
export interface Runner {
  readonly running: boolean
  readonly fetchManager: { start: () => Promise<void> }
  /** `lastRequest`: when the coordinator answered last. */
  readonly consumerGroup: {
    readonly lastRequest: number
    readonly cluster: Pick<ConsumerGroup['cluster'], 'refreshMetadata'>
  }
}

type Start = (this: Runner) => Promise<void>

/** start of a runner whose fetching begins again while brokers are away; what else goes wrong is left to the runner. */
export function outlastingOutages(original: Start, { forMs, everyMs }: OutagePatience = outagePatience): Start {
  return async function start() {
    const { fetchManager, consumerGroup } = this
    const fetchUntilStopped = fetchManager.start
    let awaySince = 0
    fetchManager.start = async () => {
      for (;;) {
        try {
          await fetchUntilStopped()
          return
        } catch (error) {
          if (!isAway(error)) throw error
          const now = Date.now()
          if (consumerGroup.lastRequest > awaySince) awaySince = now
          if (now - awaySince > forMs) throw final(error)
          await reconnected(this, everyMs)
          if (!this.running) return
        }
      }
    }
    await original.call(this)
  }
}

/** Waits for one attempt to reach the cluster, however it ends; not a moment longer than the runner is wanted. */
async function reconnected(runner: Runner, everyMs: number): Promise<void> {
  let over = false
  const attempt = async () => {
    await sleep(everyMs)
    if (runner.running) await runner.consumerGroup.cluster.refreshMetadata().catch(() => undefined)
    over = true
  }
  void attempt()
  while (!over && runner.running) await sleep(Math.min(everyMs, stopSeenWithinMs))
}

/** Retrying is over, which kafkajs reads from this field; the runner would begin with 40 retries of its own. */
function final(error: unknown): unknown {
  return error instanceof Error ? Object.assign(error, { retriable: false }) : error
}

type Stop = (this: Pick<Runner, 'consumerGroup'>) => Promise<void>

const unwanted = new WeakSet<object>()

/** stop that also ends the joining of the group, whose patience would outlast everybody who waits for the stop. */
export function endingJoins(original: Stop): Stop {
  return async function stop() {
    unwanted.add(this.consumerGroup)
    await original.call(this)
  }
}

type Join<G extends object> = (this: G) => Promise<void>

/** joinAndSync, for as long as the runner of the group has not been stopped; then an AbortError. */
export function joiningWhileWanted<G extends object>(original: Join<G>): Join<G> {
  return async function joinAndSync() {
    if (unwanted.has(this)) throw new DOMException('The consumer is being stopped', 'AbortError')
    await original.call(this)
  }
}

/** The fields of kafkajs' OffsetManager that a commit needs. */
export interface OffsetManager {
  readonly groupId: string
  coordinator: unknown
  readonly cluster: ConsumerGroup['cluster']
}

type Commit = (this: OffsetManager, offsets?: object) => Promise<void>

/** commitOffsets that goes to wherever the coordinator is by now. Safe to repeat: the generation goes with it. */
export function committingPatiently(original: Commit, { forMs, everyMs }: OutagePatience = outagePatience): Commit {
  return async function commitOffsets(offsets) {
    for (const deadline = Date.now() + forMs; ;) {
      try {
        await original.call(this, offsets)
        return
      } catch (error) {
        if (!isAway(error) || Date.now() > deadline) throw error
        await sleep(everyMs)
        await this.cluster.refreshMetadata().catch(() => undefined)
        this.coordinator = await this.cluster
          .findGroupCoordinator({ groupId: this.groupId })
          .catch(() => this.coordinator)
      }
    }
  }
}
