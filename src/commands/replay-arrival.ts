// What the live detector makes of the order in which a topic's records arrived: which events came too late for it, and which
// come from a clock ahead. A backtest evaluates by event time, where nothing is late; this says how much it wins by that.
import type { EngineTransaction } from '../detect/engine-transaction.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { RuleSet } from '../rules/rule.ts'
import { BoundedEngine } from './bounded-engine.ts'

/** A transaction copies what it touches: large ones are cheap, and nothing here is ever rolled back. */
const mergeEvery = 5000

/** Follows matched events in the order of their partition. */
export class ArrivalOrder {
  readonly #engine: BoundedEngine
  #transaction: EngineTransaction
  #late = 0
  #skewed = 0

  constructor(rules: RuleSet) {
    // The engine admits events by what matches; without rules to feed, it keeps the clock and the copies of a principal.
    const options = { describe: () => ({ explanation: '', runbook: '' }) }
    this.#engine = new BoundedEngine({ ...rules, rules: [] }, options)
    this.#transaction = this.#engine.begin()
  }

  take(event: CloudTrailEvent, timestamp: number): void {
    this.#transaction.process(event, null, timestamp)
    if (this.#transaction.counts.processed >= mergeEvery) this.#merge()
  }

  /** Events that came later than the rules' lateness allows. */
  get late(): number {
    this.#merge()
    return this.#late
  }

  /** Events evaluated at the time of their record. */
  get skewed(): number {
    this.#merge()
    return this.#skewed
  }

  #merge(): void {
    const { late, skewed } = this.#transaction.counts
    this.#late += late
    this.#skewed += skewed
    this.#engine.merge(this.#transaction)
    this.#transaction = this.#engine.begin()
  }
}
