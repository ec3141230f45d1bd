// A seeded scheduler behind the gates of the in-process log. Everything that waits (a call before or after its effect, a
// sleep) waits here, and one thing at a time goes on, chosen by the seed: so a run is a function of one integer.
// Nothing in it knows what runs on top.
import { createHash } from 'node:crypto'
import type { TrailwardenError } from '../../src/errors.ts'
import type { Gate } from '../../src/log/gate.ts'
import type { Clock } from '../../src/pipeline/clock.ts'

/** Uniform numbers from a 32-bit seed: a Weyl sequence through the finalizer of MurmurHash3. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let hash = this.#state
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
  }

  /** An integer in [from, to]. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.next() * from.length)]!
  }
}

/** Something that runs under the scheduler and can be held up as a whole. */
export interface Actor {
  readonly name: string
  /** Stopped (SIGSTOP): nothing of it goes on. */
  frozen: boolean
  /** Gone: nothing of it ever goes on. */
  dead: boolean
}

/** A passage of a gate. */
export interface Step {
  readonly actor: Actor
  readonly point: string
  readonly proceed: () => void
  readonly fail: (error: TrailwardenError) => void
}

interface Wait {
  readonly actor: Actor
  readonly due: number
  readonly wake: () => void
}

export class Scheduler {
  readonly random: Random
  /** Virtual milliseconds. */
  time = 0
  /** Things that went on so far. */
  ticks = 0
  #steps: Step[] = []
  #waits: Wait[] = []
  #last: Actor | null = null
  readonly #stickiness: number
  readonly #trace = createHash('sha256')
  readonly #recent: string[] = []

  /** @param stickiness how likely the actor that went on last goes on again: 0 interleaves finely, 0.9 coarsely */
  constructor(random: Random, stickiness: number) {
    this.random = random
    this.#stickiness = stickiness
  }

  gate(actor: Actor): Gate {
    return point => new Promise((resolve, reject) => this.#steps.push({ actor, point, proceed: resolve, fail: reject }))
  }

  /** Time passes for an actor whenever it looks, and while everybody waits. */
  clock(actor: Actor): Clock {
    return {
      now: () => (this.time += this.random.int(0, 2)),
      sleep: (ms, signal) =>
        new Promise(resolve => {
          const wait: Wait = { actor, due: this.time + ms, wake: () => resolve() }
          if (signal?.aborted === true) return resolve()
          this.#waits.push(wait)
          signal?.addEventListener('abort', () => {
            this.#waits = this.#waits.filter(other => other !== wait)
            resolve()
          })
        }),
    }
  }

  /** Writes a decision into the trace. Every decision goes here, so equal hashes are equal runs. */
  note(text: string): void {
    this.#trace.update(text).update('\n')
    this.#recent.push(text)
    if (this.#recent.length > 400) this.#recent.splice(0, 200)
  }

  /** Hash over all decisions. */
  hash(): string {
    return this.#trace.copy().digest('hex').slice(0, 16)
  }

  /** The latest decisions, oldest first. */
  recent(count: number): string[] {
    return this.#recent.slice(-count)
  }

  /** Resolves when nothing happens any more without the scheduler: all promises that could settle have settled. */
  settled(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
  }

  /** Takes a passage that may go on out of the queue, or null. */
  take(): Step | null {
    const ready = this.#steps.filter(({ actor }) => !actor.frozen && !actor.dead)
    const same = ready.filter(({ actor }) => actor === this.#last)
    const from = same.length > 0 && this.random.chance(this.#stickiness) ? same : ready
    if (from.length === 0) return null
    const step = this.random.pick(from)
    this.#steps = this.#steps.filter(other => other !== step && !other.actor.dead)
    this.#last = step.actor
    this.ticks++
    return step
  }

  /** Lets time pass to the end of the wait that ends first. False where nobody waits. */
  wakeNext(): boolean {
    this.#waits = this.#waits.filter(({ actor }) => !actor.dead)
    let first: Wait | null = null
    for (const wait of this.#waits) if (!wait.actor.frozen && (first === null || wait.due < first.due)) first = wait
    if (first === null) return false
    const woken = first
    this.#waits = this.#waits.filter(wait => wait !== woken)
    this.time = Math.max(this.time, woken.due)
    this.ticks++
    this.note(`${woken.actor.name} wakes at ${this.time}`)
    woken.wake()
    return true
  }
}
