// Which principals a sweep has to look at: those for whom the rule's loosest variant could alert at all. Pure.
// A window count and nothing else, so that a dozen variants of state are worked through for few principals.
import { WindowCount } from '../detect/window-count.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Condition, FieldReader, RuleBody } from '../rules/rule.ts'

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
  readonly #found = new Set<string>()
  #principal: string | null = null
  #window: WindowCount | null = null

  /** `loosest` is the variant that alerts wherever another does. */
  constructor(loosest: RuleBody) {
    this.#need = needOf(loosest)
  }

  /** Takes an event in that feeds the rule. Events come principal by principal, those of each by time. */
  consider(event: CloudTrailEvent): void {
    const { key } = event.principal
    const need = this.#need
    if (need === null || !need.counts(event) || this.#found.has(key)) return
    if (key !== this.#principal) this.#window = null
    this.#principal = key
    this.#window ??= new WindowCount({ ...need, latenessMs: 0 })
    this.#window.advance(event.eventTime)
    if (this.#window.observe(event).length > 0) this.#found.add(key)
  }

  has(principal: string): boolean {
    return this.#found.has(principal)
  }
}
