// How `explain` says things: conditions, counts against thresholds, the fate of an event. Plain text for a terminal; values
// from events pass through src/alerts/wording.ts, because whoever made the calls chose them.
import { bounds, nounOf } from '../alerts/comparison.ts'
import type { Anomaly } from '../alerts/alert.ts'
import { counted, duration, inSentence, measure, probability, utc, wholeNumber } from '../alerts/wording.ts'
import { negativeBinomialTail } from '../detect/rate-tail.ts'
import type { Rule } from '../rules/rule.ts'
import type { Step } from './explain-step.ts'

/** A count against what it needs to reach; of a rate the comparison. */
export type Measured = Pick<Step, 'count' | 'needed' | 'anomaly'>

/** When the rule fires and when an episode ends, as a sentence without its full stop. */
export function conditionText({ body, dedupMs, groupBy }: Rule): string {
  const per = ['principal', ...groupBy.map(field => field.name)].join(' and ')
  const ends = `an episode ends ${duration(dedupMs)} after the condition last held`
  switch (body.kind) {
    case 'single':
      return `fires at every matching call of a ${per}; ${ends}`
    case 'event_count':
      return `fires ${bounds(body.condition)} matching calls in ${duration(body.timespanMs)} per ${per}; ${ends}`
    case 'value_count': {
      const [, many] = nounOf(body.field.name)
      return `fires ${bounds(body.condition)} ${many} in ${duration(body.timespanMs)} per ${per}; ${ends}`
    }
    case 'rate_anomaly': {
      const { windowMs, minCount, minDistinct, distinct, alpha } = body.rate
      const [, many] = nounOf(distinct.name)
      return (
        `fires when the denied calls in ${duration(windowMs)} have a probability of at most ${probability(alpha)} under the history ` +
        `of the ${per}, from ${minCount} denials over ${minDistinct} ${many}; ${ends}`
      )
    }
  }
}

/** `4 of 5 different regions`, `3 matching calls`. */
export function countText(step: Measured, rule: Rule): string {
  const { body } = rule
  if (step.anomaly !== null && body.kind === 'rate_anomaly') return anomalyText(step.anomaly, body.rate.distinct.name)
  const noun = body.kind === 'value_count' ? nounOf(body.field.name) : (['matching call', 'matching calls'] as const)
  const count = step.count ?? 0
  if (step.needed === null || count > step.needed) return counted(count, ...noun)
  return `${wholeNumber(count)} of ${counted(step.needed, ...noun)}`
}

function anomalyText(anomaly: Anomaly, distinct: string): string {
  const [one, many] = nounOf(distinct)
  return `${counted(anomaly.count, 'denial')} of ${counted(anomaly.distinct, one, many)}, expected ${measure(anomaly.expected)}, p ${probability(anomaly.pValue)}`
}

/** What a window that did not fire was short of; ends without a full stop. */
export function shortfall(step: Measured, rule: Rule): string {
  const { body } = rule
  if (body.kind === 'rate_anomaly' && step.anomaly !== null) return rateShortfall(step.anomaly, rule)
  if (step.needed === null) return 'which is not what the rule counts as its condition'
  const missing = step.needed - (step.count ?? 0)
  const noun = body.kind === 'value_count' ? nounOf(body.field.name) : (['call', 'calls'] as const)
  return `${counted(missing, `more ${noun[0]}`, `more ${noun[1]}`)} in the same ${windowText(rule)} would have made it fire`
}

function rateShortfall(anomaly: Anomaly, { body }: Rule): string {
  if (body.kind !== 'rate_anomaly') return ''
  const { minCount, minDistinct, distinct, model } = body.rate
  const [one, many] = nounOf(distinct.name)
  const short: string[] = []
  if (anomaly.count < minCount) short.push(`${minCount} denials are the least, there were ${anomaly.count}`)
  if (anomaly.distinct < minDistinct)
    short.push(
      `${counted(minDistinct, one, many)} are the least, there ${anomaly.distinct === 1 ? 'was' : 'were'} ${anomaly.distinct}`,
    )
  if (anomaly.pValue > anomaly.alpha)
    short.push(`a probability of ${probability(anomaly.pValue)} is above ${probability(anomaly.alpha)}`)
  // The variant's tail depends on which secrets are new, so no single number of denials can be named.
  const enough = model === 'first-denials' ? null : denialsNeeded(anomaly, minCount)
  if (enough !== null) short.push(`${wholeNumber(enough)} denials in that window would have been unlikely enough`)
  return short.join('; ')
}

/** The least count from `minCount` on whose tail is at most alpha under the same prediction; null beyond a million. */
function denialsNeeded({ dispersion, expected, alpha }: Anomaly, minCount: number): number | null {
  const unlikely = (count: number) => negativeBinomialTail(count, dispersion, expected) <= alpha
  let high = minCount
  while (!unlikely(high)) if ((high *= 2) > 1e6) return null
  let low = minCount
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (unlikely(middle)) high = middle
    else low = middle + 1
  }
  return low
}

export function windowText({ body }: Rule): string {
  switch (body.kind) {
    case 'single':
      return 'call'
    case 'event_count':
    case 'value_count':
      return duration(body.timespanMs)
    case 'rate_anomaly':
      return duration(body.rate.windowMs)
  }
}

/** `us-east-1 (09:20:00), eu-west-1 (09:22:00)`, by first time, at most twenty. */
export function valuesText(values: ReadonlyMap<string, number>): string {
  const all = [...values].map(([value, first]) => `${inSentence(value)} (${clock(first)})`)
  return all.length <= 20 ? all.join(', ') : `${all.slice(0, 20).join(', ')} and ${all.length - 20} more`
}

/** `09:20:00`, where the day is known. */
export function clock(ms: number): string {
  return utc(ms).slice(11, 19)
}

/** `1st`, `2nd`, `13th`. */
export function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13
  return `${wholeNumber(n)}${(teen ? undefined : ['th', 'st', 'nd', 'rd'][n % 10]) ?? 'th'}`
}
