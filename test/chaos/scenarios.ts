// The scenarios of chaos rounds and the schedule of faults that a seed draws from one. Pure.
import type { Random } from '../harness/simulator.ts'

/** One disturbance, `at` milliseconds after the begin of the round. */
export interface Fault {
  readonly at: number
  readonly kind: FaultKind
}

/** What can happen. `dropReply…` lets a commit succeed and loses its answer, `loseCommit` loses the commit itself. */
export type FaultKind =
  | 'kill'
  | 'freeze'
  | 'term'
  | 'add'
  | 'remove'
  | 'restartBroker'
  | 'killBroker'
  | 'dropReply'
  | 'dropReplyInSilence'
  | 'loseCommit'
  | 'cutConnections'

/** Which cluster, and how likely each fault is among the others. */
export interface Scenario {
  readonly nodes: 1 | 3
  /** What the scenario is about, in this order, before anything is drawn. */
  readonly first: readonly FaultKind[]
  readonly weights: Readonly<Partial<Record<FaultKind, number>>>
  /** Milliseconds from one fault to the next. */
  readonly gapMs: readonly [from: number, to: number]
}

/** By the name of `--scenario`. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  members: {
    nodes: 1,
    first: ['freeze', 'kill', 'add'],
    weights: { kill: 5, freeze: 3, term: 2, add: 2, remove: 2 },
    gapMs: [1500, 4000],
  },
  replies: {
    nodes: 1,
    first: ['dropReply', 'loseCommit'],
    weights: { dropReply: 8, loseCommit: 4, dropReplyInSilence: 1, cutConnections: 2, kill: 2, term: 1 },
    gapMs: [500, 2500],
  },
  restart: {
    nodes: 1,
    first: ['killBroker', 'kill'],
    weights: { killBroker: 4, kill: 3, freeze: 2, term: 1, dropReply: 2 },
    gapMs: [2500, 6000],
  },
  cluster: {
    nodes: 3,
    first: ['killBroker', 'dropReply'],
    weights: { killBroker: 3, restartBroker: 2, kill: 3, freeze: 2, term: 1, dropReply: 3, cutConnections: 1 },
    gapMs: [2000, 5000],
  },
  // Not exact now and then, and not ours to mend: the orderly shutdown of the last replica of a partition makes Kafka
  // forget the end of transactions (docs/guarantees.md).
  shutdown: { nodes: 1, first: [], weights: { restartBroker: 1 }, gapMs: [1000, 3000] },
}

/** What `--scenario mixed` takes in turn. */
export const mixed: readonly string[] = ['members', 'replies', 'restart', 'cluster']

/** Draws the faults of a round: a function of the seed. */
export function scheduleOf(random: Random, { first, weights, gapMs }: Scenario, durationMs: number): Fault[] {
  const kinds = Object.entries(weights).flatMap(([kind, weight]) => Array<FaultKind>(weight).fill(kind as FaultKind))
  const faults: Fault[] = []
  for (let at = random.int(...gapMs); at < durationMs; at += random.int(...gapMs))
    faults.push({ at, kind: first[faults.length] ?? random.pick(kinds) })
  return faults
}
