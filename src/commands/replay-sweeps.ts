// How the number of alerts follows a rule's threshold: variants of each rule run over the same events. Pure.
// Every variant has an engine of its own: in one they would share a principal's budget of state, and push each other out.
// Bounded: at most a dozen variants of a rule, without prose, and only for principals that the loosest could alert on.
import type { Alert } from '../alerts/alert.ts'
import type { EngineOptions } from '../detect/engine.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Sweep } from '../report/backtest.ts'
import type { RuleBody, RuleSet } from '../rules/rule.ts'
import { Candidates } from './replay-candidates.ts'
import type { Contender } from './replay-run.ts'

/** A rule with one parameter at several values. */
export interface RuleSweep {
  /** Takes an event in, before any variant runs: finds out whom the variants have to look at. By time, each once. */
  readonly consider: (event: CloudTrailEvent) => void
  /** The variants, one by one. */
  readonly contenders: readonly Contender[]
  /** The result, once every event was evaluated. */
  readonly sweep: Sweep
}

/** The sweeps of a rule set: one for each rule with a threshold that more events can only exceed. */
export function ruleSweeps(rules: RuleSet, engine: EngineOptions): RuleSweep[] {
  return rules.rules.flatMap(rule => {
    const threshold = thresholdOf(rule.body)
    if (threshold === null) return []
    const { parameter, field, current, values, loosest, withValue } = threshold
    const candidates = new Candidates(withValue(loosest))
    const feeding = (event: CloudTrailEvent) => rules.match(event).filter(index => rule.feeds.includes(index))
    // What the rule counts: its windows and its history see the same, since the events come in order.
    const match = (event: CloudTrailEvent) => (candidates.has(event.principal.key) ? feeding(event) : [])
    // Dedup key to whether its last announcement was suppressed, for each variant.
    const found = values.map(() => new Map<string, boolean>())
    const contenders = values.map((value, index) => ({
      rules: { ...rules, match, rules: [{ ...rule, body: withValue(value) }] },
      engine: { ...engine, describe: () => ({ explanation: '', runbook: '' }) },
      take: (alert: Alert) => void found[index]?.set(alert.dedupKey, alert.suppressed !== null),
    }))
    return [
      {
        consider: (event: CloudTrailEvent) => {
          if (feeding(event).length > 0) candidates.consider(event)
        },
        contenders,
        get sweep() {
          const points = values.map((value, index) => {
            const episodes = [...(found[index]?.values() ?? [])]
            const suppressed = episodes.filter(Boolean).length
            return { value, alerts: episodes.length - suppressed, suppressed }
          })
          return { ruleId: rule.id, parameter, field, current, points }
        },
      },
    ]
  })
}

interface Threshold {
  readonly parameter: string
  readonly field: string | null
  readonly current: number
  /** Ascending, `current` among them. */
  readonly values: readonly number[]
  /** The one of the values that alerts wherever another does. */
  readonly loosest: number
  readonly withValue: (value: number) => RuleBody
}

/** What a person would turn first; null where there is nothing, or a range of counts that is no threshold. */
function thresholdOf(body: RuleBody): Threshold | null {
  if (body.kind === 'single') return null
  if (body.kind === 'rate_anomaly') {
    const powers = Array.from({ length: 11 }, (_, index) => Number(`1e-${12 - index}`))
    const values = around(powers, body.rate.alpha)
    return {
      parameter: 'alpha',
      field: null,
      current: body.rate.alpha,
      values,
      loosest: values.at(-1) ?? body.rate.alpha,
      withValue: alpha => ({ ...body, rate: { ...body.rate, alpha } }),
    }
  }
  const { gte, gt, ...more } = body.condition
  if ((gte === undefined) === (gt === undefined) || Object.keys(more).length > 0) return null
  const [parameter, current] = gte === undefined ? ['gt', gt ?? 0] : ['gte', gte]
  const values = around(counts(current), current)
  return {
    parameter,
    field: body.kind === 'value_count' ? body.field.name : null,
    current,
    values,
    loosest: values[0] ?? current,
    withValue: value => ({ ...body, condition: { [parameter]: value } }),
  }
}

/** Every count up to ten where the threshold is small, else shares and multiples of it. */
function counts(current: number): number[] {
  if (current <= 8) return Array.from({ length: 9 }, (_, index) => index + 2)
  return [0.25, 0.5, 0.75, 1.25, 1.5, 2, 3].map(factor => Math.round(current * factor))
}

function around(values: readonly number[], current: number): number[] {
  return [...new Set([...values, current])].sort((a, b) => a - b)
}
