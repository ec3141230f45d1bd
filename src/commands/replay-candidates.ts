// Which principals a sweep has to look at: those for whom the rule's loosest variant could alert at all. Pure.
// A window count for each principal and nothing else, so that a dozen variants of state are kept for few of them.
import { WindowCount } from '../detect/window-count.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Condition, FieldReader, RuleBody } from '../rules/rule.ts'

/** Events between two passes that forget principals whose windows have become empty. */
const tidyEvery = 50_000

/** What every alert of a rule needs at least: so many events, or values, in one window. */
interface Need {
  readonly timespanMs: number
  readonly condition: Condition
  readonly field: FieldReader | null
  readonly counts: (event: CloudTrailEvent) => boolean
}

function needOf(loosest: RuleBody): Need | null {
  switch (loosest.kind) {
    case 'single':
      return null
    case 'rate_anomaly': {
      const { windowMs, minCount, denied } = loosest.rate
      return { timespanMs: windowMs, condition: { gte: minCount }, field: null, counts: denied }
    }
    case 'event_count':
      return { ...loosest, field: null, counts: () => true }
    case 'value_count':
      return { ...loosest, field: loosest.field.read, counts: () => true }
  }
}

/** Principals for whom a variant of a rule can alert. Further group-by values are taken together: never one too few. */
export class Candidates {
  readonly #need: Need | null
  readonly #windows = new Map<string, WindowCount>()
  readonly #found = new Set<string>()
  #events = 0

  /** `loosest` is the variant that alerts wherever another does. */
  constructor(loosest: RuleBody) {
    this.#need = needOf(loosest)
  }

  /** Takes an event in that feeds the rule. Events come by time. */
  consider(event: CloudTrailEvent): void {
    const { key } = event.principal
    const need = this.#need
    if (need === null || !need.counts(event) || this.#found.has(key)) return
    if (++this.#events % tidyEvery === 0) this.#tidy(event.eventTime)
    let window = this.#windows.get(key)
    if (window === undefined) this.#windows.set(key, (window = new WindowCount({ ...need, latenessMs: 0 })))
    window.advance(event.eventTime)
    if (window.observe(event).length === 0) return
    this.#found.add(key)
    this.#windows.delete(key)
  }

  #tidy(time: number): void {
    for (const [key, window] of this.#windows) {
      window.advance(time)
      if (window.empty()) this.#windows.delete(key)
    }
  }

  has(principal: string): boolean {
    return this.#found.has(principal)
  }
}
