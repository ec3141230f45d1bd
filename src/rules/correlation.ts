// A Sigma correlation rule: which detection rules feed it, how events are grouped and what is counted. Pure.
// Source: Sigma correlation specification 2.0.0. What cannot work on one principal's partition is refused with the reason.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { fieldReader } from './cloudtrail-fields.ts'
import type { Extension } from './extension.ts'
import type { FieldResolver } from './field.ts'
import type { Place } from './problems.ts'
import { didYouMean } from './problems.ts'
import { readRateParameters } from './rate-parameters.ts'
import type { Condition, Field, RuleBody } from './rule.ts'
import type { Section } from './section.ts'

/** A detection rule as a correlation sees it. `test` is null when the rule itself has errors. */
export interface Fed {
  readonly index: number
  readonly ruleId: string
  readonly test: ((event: CloudTrailEvent) => boolean) | null
}

/** Finds what a name or id stands for: a detection rule, the word 'correlation', or nothing. */
export interface Directory {
  readonly find: (handle: string) => Fed | 'correlation' | undefined
  readonly handles: readonly string[]
}

export interface Correlation {
  readonly body: RuleBody
  readonly feeds: readonly number[]
  readonly groupBy: readonly Field[]
  /** Detection rules that only serve this rule: feeds and the denials of rate_anomaly. */
  readonly serves: readonly number[]
  readonly generate: boolean
}

const keys = ['type', 'rules', 'group-by', 'timespan', 'condition', 'aliases', 'generate']
const types = ['event_count', 'value_count', 'rate_anomaly', 'temporal', 'temporal_ordered'] as const
const operators = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const
// State grows with the threshold, so a slip of three zeros must not become a memory bound.
const maxThreshold = 10_000
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
  section.closed(keys)
  const type =
    section.value('type') === undefined
      ? section.missing('type', `Write one of: ${types.join(', ')}`)
      : section.choice('type', types)
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

type Named = (name: string, at: Place) => Field | null

// An alias reads another field for each of the rules; which one applies is decided by the rule that matches the event.
function readAliases(
  section: Section,
  feeds: readonly Fed[],
  directory: Directory,
  resolve: FieldResolver<CloudTrailEvent>,
): Named {
  const { problems } = section
  const plain: Named = (name, at) => {
    const access = resolve(name)
    if (!('problem' in access)) return fieldReader(access)
    problems.add(at, access.problem, access.hint)
    return null
  }
  const aliases = new Map<string, Field>()
  for (const { key, keyAt, value } of section.section('aliases', "'aliases'")?.map.entries ?? []) {
    if (value.kind !== 'map' || key === 'principal') {
      problems.add(
        keyAt,
        key === 'principal' ? "'principal' cannot be an alias" : `alias '${key}' is a ${value.kind}`,
        "Write '<alias>: {<rule name>: <field>}'",
      )
      continue
    }
    const readers: { readonly feed: Fed; readonly field: Field }[] = []
    for (const entry of value.entries) {
      const fed = directory.find(entry.key)
      const feed = feeds.find(candidate => typeof fed === 'object' && candidate.index === fed.index)
      if (feed === undefined) {
        problems.add(
          entry.keyAt,
          `'${entry.key}' is not among the rules of this correlation`,
          `Write one of: ${feeds.map(one => one.ruleId).join(', ')}`,
        )
      } else if (entry.value.kind === 'scalar') {
        const field = plain(entry.value.source, entry.value.at)
        if (field !== null) readers.push({ feed, field })
      } else
        problems.add(
          entry.value.at,
          `a ${entry.value.kind} stands where a field name is expected`,
          'Write a field name',
        )
    }
    const uncovered = feeds.find(
      feed => !value.entries.some(entry => directoryIndex(directory, entry.key) === feed.index),
    )
    if (uncovered !== undefined)
      problems.add(keyAt, `alias '${key}' has no field for '${uncovered.ruleId}'`, `Add '${uncovered.ruleId}: <field>'`)
    aliases.set(key, {
      name: key,
      read: event => readers.find(({ feed }) => feed.test?.(event) === true)?.field.read(event) ?? null,
    })
  }
  return (name, at) => aliases.get(name) ?? plain(name, at)
}

function directoryIndex(directory: Directory, handle: string): number | null {
  const found = directory.find(handle)
  return typeof found === 'object' ? found.index : null
}

function readGroupBy(section: Section, named: Named): Field[] {
  const names = section.texts('group-by')
  if (!names.some(name => name.source === 'principal')) {
    section.problems.add(
      section.at('group-by'),
      "'group-by' lacks 'principal', the key the events are partitioned by: no process sees all events of another group",
      "Write 'group-by: [principal]'; further fields may follow",
    )
  }
  return names.flatMap(({ source, at }, index) => {
    if (names.findIndex(other => other.source === source) < index) {
      section.problems.add(at, `'${source}' is listed twice in 'group-by'`, 'Name each field once')
      return []
    }
    const field = source === 'principal' ? null : named(source, at)
    return field === null ? [] : [field]
  })
}

function readCondition(block: Section): Condition {
  const condition: { -readonly [operator in keyof Condition]: number } = {}
  for (const operator of operators) {
    const bound = block.number(operator, { min: 0, max: maxThreshold, whole: true })
    if (bound !== null) condition[operator] = bound
  }
  if (!operators.some(operator => block.value(operator) !== undefined)) block.missing('gte', "Write a bound: 'gte: 5'")
  else if (!satisfiable(condition))
    block.problems.add(block.map.at, 'no count satisfies all bounds of the condition', 'Correct the bounds')
  return condition
}

function satisfiable({ gt = -1, gte = 0, lt = Infinity, lte = Infinity, eq, neq }: Condition): boolean {
  const low = Math.max(gt + 1, gte, eq ?? 0, 1)
  const high = Math.min(lt - 1, lte, eq ?? Infinity)
  return low < high || (low === high && low !== neq)
}

// A list of fields counts distinct combinations; bars inside a value are escaped, so that different tuples stay different.
function readCountedField(block: Section, named: Named): Field | null {
  const names = block.texts('field')
  if (names.length === 0) return block.missing('field', 'Name the field whose distinct values are counted')
  const fields = names.map(({ source, at }) => named(source, at)).filter(field => field !== null)
  const [only] = fields
  if (fields.length < names.length || only === undefined) return null
  if (fields.length === 1) return only
  return {
    name: fields.map(field => field.name).join(', '),
    read: event => {
      const values = fields.map(field => field.read(event))
      return values.includes(null) ? null : values.map(value => value?.replace(/[\\|]/g, '\\$&')).join(' | ')
    },
  }
}
