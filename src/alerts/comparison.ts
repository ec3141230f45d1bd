// Comparison: what an alert counted and what its rule compares that with, in words and numbers.
// Pure. Part of the explanation (explain.ts); the numbers are those of the alert, the limits those of the rule.
import type { Condition, RuleBody } from '../rules/rule.ts'
import type { AlertFacts } from './subject.ts'
import { counted, duration, inSentence, measure, probability, shortList, wholeNumber } from './wording.ts'

/** How the values of a field are called; any other field is `different values of <field>`. */
const fieldNouns: Readonly<Record<string, readonly [one: string, many: string]>> = {
  awsRegion: ['region', 'different regions'],
  secrets: ['secret', 'different secrets'],
  sourceIPAddress: ['source address', 'different source addresses'],
  userAgent: ['user agent', 'different user agents'],
  eventName: ['API call', 'different API calls'],
  eventSource: ['AWS service', 'different AWS services'],
  recipientAccountId: ['account', 'different accounts'],
  errorCode: ['error code', 'different error codes'],
  'userIdentity.accessKeyId': ['access key', 'different access keys'],
  'userIdentity.sessionName': ['session', 'different sessions'],
}

/** What one and several values of a field are called: `region`, `different regions`. */
export function nounOf(field: string): readonly [string, string] {
  if (Object.hasOwn(fieldNouns, field)) return fieldNouns[field] ?? [field, field]
  return [`value of ${inSentence(field)}`, `different values of ${inSentence(field)}`]
}

/** `at 5`, `above 3 and at 9 or fewer`: when a condition fires. */
export function bounds(condition: Condition): string {
  const parts: string[] = []
  if (condition.gte !== undefined) parts.push(`at ${wholeNumber(condition.gte)}`)
  if (condition.gt !== undefined) parts.push(`above ${wholeNumber(condition.gt)}`)
  if (condition.lte !== undefined) parts.push(`at ${wholeNumber(condition.lte)} or fewer`)
  if (condition.lt !== undefined) parts.push(`below ${wholeNumber(condition.lt)}`)
  if (condition.eq !== undefined) parts.push(`at exactly ${wholeNumber(condition.eq)}`)
  if (condition.neq !== undefined) parts.push(`at any number but ${wholeNumber(condition.neq)}`)
  return parts.join(' and ')
}

/** First and last time that the alert knows of, which may lie before the time at which the condition first held. */
export function extent(alert: AlertFacts): { readonly from: number; readonly to: number } {
  let from = alert.firstSeen
  let to = Math.max(alert.lastSeen, alert.firstSeen)
  for (const value of alert.distinctValues) {
    from = Math.min(from, value.first)
    to = Math.max(to, value.last)
  }
  for (const sample of alert.evidence) {
    from = Math.min(from, sample.eventTime)
    to = Math.max(to, sample.eventTime)
  }
  return { from, to }
}

function callNames(alert: AlertFacts): string {
  const names = [...new Set(alert.evidence.map(sample => sample.eventName))]
  return names.length === 0 ? '' : ` (${shortList(names)})`
}

const readCalls: ReadonlySet<string> = new Set(['GetSecretValue', 'BatchGetSecretValue'])

/** What was denied: reads, where every sample is one. */
function deniedCalls(alert: AlertFacts, n: number): string {
  const reads = alert.evidence.length > 0 && alert.evidence.every(sample => readCalls.has(sample.eventName))
  return counted(n, reads ? 'denied read' : 'denied call')
}

function within(ms: number): string {
  return ms < 1000 ? 'at the same time' : `in ${duration(ms)}`
}

/** The predicate of the first sentence, from `made …` on, without the full stop. */
export function whatHappened(alert: AlertFacts, body: RuleBody): string {
  const { from, to } = extent(alert)
  const span = within(to - from)
  switch (body.kind) {
    case 'single':
      return `made ${counted(alert.count, 'call')}${callNames(alert)} that this rule looks for`
    case 'event_count':
      return `made ${counted(alert.count, 'matching call')}${callNames(alert)} ${span}; the rule fires ${bounds(body.condition)} in ${duration(body.timespanMs)}`
    case 'value_count': {
      const [one, many] = nounOf(body.field.name)
      const values = counted(alert.totals.distinctValues, one, many)
      return `made ${counted(alert.count, 'matching call')}${callNames(alert)} across ${values} ${span}; the rule fires ${bounds(body.condition)} in ${duration(body.timespanMs)}`
    }
    case 'rate_anomaly': {
      if (alert.anomaly === null) return `made ${deniedCalls(alert, alert.count)}${callNames(alert)} ${span}`
      const [one, many] = nounOf(body.rate.distinct.name)
      const { anomaly } = alert
      return `made ${deniedCalls(alert, anomaly.count)}${callNames(alert)} of ${counted(anomaly.distinct, one, many)} within ${duration(body.rate.windowMs)}; its own history predicts ${measure(anomaly.expected)}, and a count this high has a probability of ${probability(anomaly.pValue)} (the rule fires at ${probability(anomaly.alpha)})`
    }
  }
}
