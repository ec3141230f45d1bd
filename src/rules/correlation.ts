// A Sigma correlation rule: which detection rules feed it, how events are grouped and what is counted. Pure.
// Source: Sigma correlation specification 2.0.0. What cannot work on one principal's partition is refused with the reason.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { operators, readCondition } from './correlation-condition.ts'
import { readAliases, readCountedField, readGroupBy } from './correlation-fields.ts'
import type { Directory, Fed } from './directory.ts'
import type { Extension } from './extension.ts'
import type { FieldResolver } from './field.ts'
import type { Place } from './problems.ts'
import { didYouMean } from './problems.ts'
import { readRateParameters } from './rate-parameters.ts'
import type { Field, RuleBody } from './rule.ts'
import type { Section } from './section.ts'

export interface Correlation {
  readonly body: RuleBody
  readonly feeds: readonly number[]
  readonly groupBy: readonly Field[]
  /** Detection rules that only serve this rule: feeds and the denials of rate_anomaly. */
  readonly serves: readonly number[]
  readonly generate: boolean
}

/** Keys of `correlation:`. */
export const correlationKeys = ['type', 'rules', 'group-by', 'timespan', 'condition', 'aliases', 'generate']
/** Correlation types of Sigma and the extension; the temporal ones are refused. */
export const correlationTypes = ['event_count', 'value_count', 'rate_anomaly', 'temporal', 'temporal_ordered'] as const
const timespan = { min: 1000, max: 31 * 86_400_000 }

/** Reads `correlation:`; null after reporting what is wrong. */
export function readCorrelation(
  rule: Section,
  extension: Extension,
  directory: Directory,
  resolve: FieldResolver<CloudTrailEvent>,
): Correlation | null {
  const section = rule.section('correlation', "'correlation'")
  if (section === null) return null
  const { problems } = rule
  const before = problems.errors.length
  section.closed(correlationKeys)
  const type =
    section.value('type') === undefined
      ? section.missing('type', `Write one of: ${correlationTypes.join(', ')}`)
      : section.choice('type', correlationTypes)
  if (type === 'temporal' || type === 'temporal_ordered') {
    problems.add(
      section.at('type'),
      `'${type}' is not supported yet`,
      'Use event_count or value_count over the same rules',
    )
    return null
  }
  const feeds = readFeeds(section, directory)
  const named = readAliases(section, feeds, directory, resolve)
  const groupBy = readGroupBy(section, named)
  const window =
    section.value('timespan') === undefined
      ? section.missing('timespan', "Write how far back to count: '10m'")
      : section.duration('timespan', timespan)
  const generate = section.boolean('generate') ?? false
  const serves = feeds.map(feed => feed.index)
  if (type !== 'rate_anomaly' && extension.rate !== null) {
    problems.add(
      extension.rate.map.at,
      "'rate-anomaly' belongs to the correlation type rate_anomaly",
      "Write 'type: rate_anomaly', or remove the block",
    )
  }
  const windowMs = window ?? 0
  const body = (): RuleBody | null => {
    if (type === null) return null
    if (type === 'rate_anomaly') {
      if (section.value('condition') !== undefined) {
        problems.add(
          section.at('condition'),
          "'condition' has no place in rate_anomaly",
          "The thresholds stand under 'trailwarden: rate-anomaly:'",
        )
      }
      if (extension.rate === null) return rule.missing('trailwarden: rate-anomaly', "Add it with 'denied: <rule name>'")
      const block = extension.rate
      const denied = (key: string): Fed['test'] => {
        const fed = refer(block.text(key) ?? '', block.at(key), block, directory)
        if (fed !== null) serves.push(fed.index)
        return fed?.test ?? null
      }
      const rate = readRateParameters(block, windowMs, denied, resolve)
      return rate === null ? null : { kind: type, rate }
    }
    const block = section.section('condition', "'condition'")
    if (block === null) {
      return section.value('condition') === undefined
        ? section.missing('condition', "Write 'condition: {gte: 5}'")
        : null
    }
    block.closed(type === 'value_count' ? ['field', ...operators] : operators)
    const condition = readCondition(block)
    if (type === 'event_count') return { kind: type, timespanMs: windowMs, condition }
    const field = readCountedField(block, named)
    return field === null ? null : { kind: type, timespanMs: windowMs, condition, field }
  }
  const read = body()
  if (read === null || problems.errors.length > before) return null
  return { body: read, feeds: feeds.map(feed => feed.index), groupBy, serves, generate }
}

function refer(handle: string, at: Place, section: Section, directory: Directory): Fed | null {
  if (handle === '') return null
  const found = directory.find(handle)
  if (found === 'correlation') {
    section.problems.add(
      at,
      `'${handle}' is a correlation rule`,
      'Correlations of correlations are not supported yet; name detection rules',
    )
    return null
  }
  if (found === undefined)
    section.problems.add(at, `no rule is named '${handle}'`, didYouMean(handle, directory.handles))
  return found ?? null
}

function readFeeds(section: Section, directory: Directory): Fed[] {
  if (section.value('rules') === undefined)
    section.missing('rules', 'Name the detection rules whose events are counted')
  const feeds: Fed[] = []
  for (const { source, at } of section.texts('rules')) {
    const fed = refer(source, at, section, directory)
    if (fed === null) continue
    if (feeds.some(other => other.index === fed.index))
      section.problems.add(at, `'${source}' is listed twice`, 'Name each rule once')
    else feeds.push(fed)
  }
  return feeds
}
