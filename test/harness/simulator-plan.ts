// What a seed decides before a simulation begins: the input, how it is batched, and which faults occur how often.
import { day } from './detection.ts'
import type { Batching, World } from './simulator-cluster.ts'
import { simulatedInput } from './simulator-input.ts'
import type { InputRecord } from './simulator-input.ts'
import type { Random } from './simulator.ts'

/** Probabilities per step. */
interface Faults {
  readonly failure: number
  readonly kill: number
  readonly stop: number
  readonly start: number
  readonly freeze: number
  readonly expireSession: number
  readonly expireTransaction: number
  readonly compact: number
  readonly outage: number
  readonly impatience: number
  /** Of the steps of transactions: the cluster forgets the markers and is back after some seconds. */
  readonly loseMarkers: number
}

/** One simulation. */
export interface Plan {
  readonly world: World
  readonly batching: Batching
  readonly input: readonly InputRecord[]
  readonly faults: Faults
  readonly processes: number
  /** Steps with faults; then everything is left to heal. */
  readonly troubled: number
  readonly stickiness: number
}

/** Draws a plan: a function of the seed. */
export function planOf(random: Random): Plan {
  const jumps = random.chance(0.4)
  // Most seeds know few kinds of faults: rare combinations are then not drowned by frequent ones.
  const rate = (high: number) => (random.chance(0.45) ? random.pick([high / 10, high / 3, high]) : 0)
  const plan = {
    world: {
      partitions: random.int(1, 3),
      engine: { stateTtlMs: jumps ? day : 90 * day, dedupHorizonMs: day },
      expireEvery: random.pick([5, 12, 1000]),
    },
    batching: {
      maxBatchRecords: random.pick([1, 3, 8, 30]),
      batchMaxRecords: random.pick([1, 2, 5, 50]),
      batchMaxMs: random.pick([2, 10, 1000]),
    },
    input: simulatedInput(random, random.int(30, 120), jumps),
    faults: {
      failure: rate(0.03),
      kill: rate(0.02),
      stop: rate(0.01),
      start: rate(0.02),
      freeze: rate(0.02),
      expireSession: rate(0.01),
      expireTransaction: rate(0.01),
      compact: rate(0.02),
      outage: rate(0.01),
      impatience: rate(0.05),
    },
    processes: random.int(1, 3),
    troubled: random.int(100, 900),
    stickiness: random.pick([0, 0.5, 0.9]),
  }
  // Drawn last: plans without it are what they were before it was known.
  const loseMarkers = random.chance(0.3) ? random.pick([0.02, 0.1]) : 0
  return { ...plan, faults: { ...plan.faults, loseMarkers } }
}
