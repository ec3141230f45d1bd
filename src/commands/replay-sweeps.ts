// How the number of alerts follows a rule's threshold: variants of each rule run beside it over the same events. Pure.
// All variants of a rule share one engine of their own, in which they see what the rule sees: the same matches, copies and
// clock of the principal. Bounded: at most a dozen variants of a rule, without prose.
import type { Alert } from '../alerts/alert.ts'
import type { EngineOptions } from '../detect/engine.ts'
import type { Sweep } from '../report/backtest.ts'
import type { Rule, RuleBody, RuleSet } from '../rules/rule.ts'

/** A rule with one parameter at several values. */
export interface RuleSweep {
  /** The variants as a rule set, and what its engine needs. */
  readonly rules: RuleSet
  readonly engine: EngineOptions
  /** Takes the alerts of that engine. */
  take(alert: Alert): void
  /** The result, once every event was evaluated. */
  readonly sweep: Sweep
}

/** The sweeps of a rule set: one for each rule with a threshold that more events can only exceed. */
export function ruleSweeps(rules: RuleSet, engine: EngineOptions): RuleSweep[] {
  const { suppress } = engine
  return rules.rules.flatMap(rule => {
    const threshold = thresholdOf(rule.body)
    if (threshold === null) return []
    const { parameter, field, current, values, withValue } = threshold
    const variants = values.map(value => ({ ...rule, id: `${rule.id}@${value}`, body: withValue(value) }))
    // Dedup key to whether its last announcement was suppressed, for each variant.
    const found = new Map(variants.map(({ id }) => [id, new Map<string, boolean>()]))
    return [
      {
        rules: { ...rules, rules: variants },
        engine: {
          ...engine,
          describe: () => ({ explanation: '', runbook: '' }),
          // Suppressions know the rule by its own name.
          ...(suppress && { suppress: named(rule, suppress) }),
        },
        take: (alert: Alert) => void found.get(alert.ruleId)?.set(alert.dedupKey, alert.suppressed !== null),
        get sweep() {
          const points = values.map((value, index) => {
            const episodes = [...(found.get(variants[index]?.id ?? '')?.values() ?? [])]
            const suppressed = episodes.filter(Boolean).length
            return { value, alerts: episodes.length - suppressed, suppressed }
          })
          return { ruleId: rule.id, parameter, field, current, points }
        },
      },
    ]
  })
}

function named(rule: Rule, suppress: (alert: Alert) => Alert): (alert: Alert) => Alert {
  return alert => ({ ...suppress({ ...alert, ruleId: rule.id }), ruleId: alert.ruleId })
}

interface Threshold {
  readonly parameter: string
  readonly field: string | null
  readonly current: number
  /** Ascending, `current` among them. */
  readonly values: readonly number[]
  readonly withValue: (value: number) => RuleBody
}

/** What a person would turn first; null where there is nothing, or a range of counts that is no threshold. */
function thresholdOf(body: RuleBody): Threshold | null {
  if (body.kind === 'single') return null
  if (body.kind === 'rate_anomaly') {
    const powers = Array.from({ length: 11 }, (_, index) => Number(`1e-${12 - index}`))
    return {
      parameter: 'alpha',
      field: null,
      current: body.rate.alpha,
      values: around(powers, body.rate.alpha),
      withValue: alpha => ({ ...body, rate: { ...body.rate, alpha } }),
    }
  }
  const { gte, gt, ...more } = body.condition
  if ((gte === undefined) === (gt === undefined) || Object.keys(more).length > 0) return null
  const [parameter, current] = gte === undefined ? ['gt', gt ?? 0] : ['gte', gte]
  return {
    parameter,
    field: body.kind === 'value_count' ? body.field.name : null,
    current,
    values: around(counts(current), current),
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
