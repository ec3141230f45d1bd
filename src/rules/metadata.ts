// What every Sigma document says about itself, detection and correlation alike: title, name, level, tags. Pure.
import { levels } from '../alerts/alert.ts'
import type { Attack, Level } from '../alerts/alert.ts'
import { attackOf, readTag, tacticNames } from './attack.ts'
import type { Place } from './problems.ts'
import { didYouMean, nearest } from './problems.ts'
import type { Section } from './section.ts'

/** Sigma's words for how far a rule is to be trusted. */
export const statuses = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'] as const

export interface Metadata {
  /** `name`, else `id`. */
  readonly ruleId: string
  /** Everything the rule can be referred to by. */
  readonly handles: readonly { readonly text: string; readonly at: Place }[]
  readonly title: string
  readonly description: string
  readonly level: Level
  readonly status: string
  readonly attack: readonly Attack[]
  readonly references: readonly string[]
  readonly falsePositives: readonly string[]
  readonly origin: string
}

/** Reads and checks the head of a document; null when it has no usable identity. Custom attributes are Sigma's right. */
export function readMetadata(rule: Section): Metadata | null {
  for (const { key, keyAt } of rule.map.entries) {
    const meant = reserved.includes(key) ? null : nearest(key, reserved)
    if (meant !== null) rule.problems.add(keyAt, `unknown key '${key}'`, `Did you mean '${meant}'`)
  }
  const title = rule.value('title') === undefined ? rule.missing('title', "Add 'title: …'") : rule.text('title')
  if (title !== null && title.length > 256) {
    rule.problems.add(rule.at('title'), 'the title has more than 256 characters', 'Move the rest to description')
  }
  const handles = ['name', 'id'].flatMap(key => {
    const text = rule.text(key)
    if (text === null) return []
    if (/^[\w.-]{1,128}$/.test(text)) return [{ text, at: rule.at(key) }]
    // It becomes part of the dedup key, a header and a metric label.
    rule.problems.add(
      rule.at(key),
      `'${key}' is not an identifier`,
      'Use at most 128 letters, digits, dots, dashes and underscores',
    )
    return []
  })
  const named = rule.value('name') !== undefined || rule.value('id') !== undefined
  if (!named) rule.missing('name', "Add 'name: <what-it-detects>', or an 'id' (UUID)")
  const tags = rule.texts('tags')
  for (const { source, at } of tags) {
    const read = readTag(source)
    if (read !== null && 'unknownTactic' in read) {
      rule.problems.add(
        at,
        `'${source}' is no tactic or technique of ATT&CK`,
        didYouMean(read.unknownTactic, tacticNames),
      )
    }
  }
  const [first] = handles
  if (first === undefined) return null
  return {
    ruleId: first.text,
    handles,
    title: title ?? '',
    description: rule.text('description')?.trim() ?? '',
    level: rule.choice('level', levels) ?? 'medium',
    status: rule.choice('status', statuses) ?? 'experimental',
    attack: attackOf(tags.map(tag => tag.source)),
    references: rule.texts('references').map(text => text.source),
    falsePositives: rule.texts('falsepositives').map(text => text.source.trim()),
    origin: `${rule.map.at.path}:${rule.map.at.line}`,
  }
}

// Long words only: a custom attribute that differs from one of these by two letters is a slip of the pen.
const reserved = ['trailwarden', 'correlation', 'detection', 'logsource', 'description', 'references', 'falsepositives']
