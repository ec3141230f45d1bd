// How a group member survives its coordinator. Wraps ConsumerGroup.prototype.joinAndSync and .heartbeat (kafkajs
// src/consumer/consumerGroup.js). Why: the original ends the consumer when the coordinator is still loading or away
// while it joins, which every broker restart and every first start on a new cluster brings about; and once joined it
// asks the same broker for ever, although the coordinator has moved to another. A join also leaves a note of what was
// assigned in which generation, which kafkajs tells nobody and a sticky assignor has to know.

import { setTimeout as sleep } from 'node:timers/promises'
import { isRebalanced, isTransient } from '../faults.ts'

/** The fields of kafkajs' ConsumerGroup that finding the coordinator needs. */
export interface ConsumerGroup {
  readonly groupId: string
  coordinator: unknown
  readonly offsetManager: { coordinator: unknown } | null
  readonly cluster: {
    refreshMetadata(): Promise<void>
    findGroupCoordinator(group: { readonly groupId: string }): Promise<unknown>
  }
}

/** What it knows besides, once it has joined. */
export interface JoinedGroup extends ConsumerGroup {
  readonly generationId: number
  assigned(): readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

/** What a member was assigned, and in which generation of its group. */
export interface Ownership {
  readonly generation: number
  readonly partitions: ReadonlyMap<string, readonly number[]>
}

// By kafkajs' Cluster, of which every consumer has its own.
const ownerships = new WeakMap<object, Ownership>()

/** The newest assignment of the consumer that owns this kafkajs Cluster; undefined before its first. */
export function ownedBy(cluster: object): Ownership | undefined {
  return ownerships.get(cluster)
}

type Join = (this: JoinedGroup) => Promise<void>
type Heartbeat = (this: ConsumerGroup, options: { readonly interval: number }) => Promise<void>

/** How long a member tries to join before the consumer crashes, and how long between two attempts. */
export interface Patience {
  readonly joinForMs: number
  readonly everyMs: number
}

const patience: Patience = { joinForMs: 60_000, everyMs: 200 }

/** joinAndSync that tries again while the coordinator loads, moves or cannot be reached; then see {@link ownedBy}. */
export function joiningPatiently(original: Join, { joinForMs, everyMs }: Patience = patience): Join {
  return async function joinAndSync() {
    for (const deadline = Date.now() + joinForMs; ;) {
      try {
        await original.call(this)
        const partitions = new Map(this.assigned().map(({ topic, partitions }) => [topic, partitions]))
        ownerships.set(this.cluster, { generation: this.generationId, partitions })
        return
      } catch (error) {
        if (!isTransient(error) || Date.now() > deadline) throw error
        await sleep(everyMs)
        await this.cluster.refreshMetadata().catch(() => undefined)
      }
    }
  }
}

/** heartbeat that, failing, finds out where the coordinator is now; the runner's next heartbeat goes there. */
export function followingCoordinator(original: Heartbeat): Heartbeat {
  return async function heartbeat(options) {
    try {
      await original.call(this, options)
    } catch (error) {
      if (isTransient(error) && !isRebalanced(error)) {
        const found = await this.cluster.findGroupCoordinator({ groupId: this.groupId }).catch(() => null)
        if (found) {
          this.coordinator = found
          if (this.offsetManager) this.offsetManager.coordinator = found
        }
      }
      throw error
    }
  }
}
