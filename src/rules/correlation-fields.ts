// The fields of a correlation: aliases, `group-by` and the counted field. Pure.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { fieldReader } from './cloudtrail-fields.ts'
import type { Directory, Fed } from './directory.ts'
import type { FieldResolver } from './field.ts'
import type { Place } from './problems.ts'
import type { Field } from './rule.ts'
import type { Section } from './section.ts'

/** Finds a field by its name or alias; null after reporting that there is none. */
export type Named = (name: string, at: Place) => Field | null

/**
 * Names as this correlation knows them. An alias reads another field for each of the rules; which one applies is decided
 * by the rule that matches the event.
 */
export function readAliases(
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

/** The fields after `principal`, which must be among them. */
export function readGroupBy(section: Section, named: Named): Field[] {
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

/**
 * The field whose distinct values are counted. A list counts distinct combinations; bars inside a value are escaped, so
 * that different tuples stay different.
 */
export function readCountedField(block: Section, named: Named): Field | null {
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
