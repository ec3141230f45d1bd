// Changes to parameters of rules, as `--set secretsmanager-denied-rate.alpha=1e-5` writes them, made on the parsed documents
// before they are read. Pure. What is checked of a rule file is therefore checked of a change, by the same code.
import { operators } from './correlation-condition.ts'
import type { Entry, MapValue, Value } from './document.ts'
import { parseDocuments } from './document.ts'
import type { Place } from './problems.ts'
import { didYouMean, Problems } from './problems.ts'
import { rateKeys } from './rate-parameters.ts'

/** Where a parameter stands: keys from the top of the document. */
type Path = readonly string[]

/** Every rule has these. Its tests, texts and what it matches are no parameters: to change them is to write another rule. */
const common: Readonly<Record<string, Path>> = {
  level: ['level'],
  dedup: ['trailwarden', 'dedup'],
  'max-episode': ['trailwarden', 'max-episode'],
  lateness: ['trailwarden', 'lateness'],
}

/**
 * The documents with all changes made, each written `<rule>.<parameter>=<value>`. A change that names no rule or parameter, or holds no value, is reported with what
 * exists; whether a value is right is for the readers of the documents to say.
 */
export function applyChanges(
  documents: readonly MapValue[],
  changes: readonly string[],
  problems: Problems,
): readonly MapValue[] {
  const changed = [...documents]
  for (const text of changes) {
    const at: Place = { path: `--set ${text}`, line: 0, column: 0 }
    const [, name, parameter, value] = /^([^=]+)\.([^.=]+)=(.+)$/s.exec(text) ?? []
    if (name === undefined || parameter === undefined || value === undefined) {
      problems.add(at, 'this is not <rule>.<parameter>=<value>', "Write 'secretsmanager-denied-rate.alpha=1e-5'")
      continue
    }
    const index = changed.findIndex(document => handlesOf(document).includes(name))
    const document = changed[index]
    if (document === undefined) {
      const names = changed.flatMap(other => handlesOf(other).slice(0, 1))
      problems.add(at, `no rule is named '${name}'`, didYouMean(name, names))
      continue
    }
    const parameters = parametersOf(document)
    const path = Object.hasOwn(parameters, parameter) ? parameters[parameter] : undefined
    if (path === undefined) {
      const known = Object.keys(parameters)
      problems.add(at, `'${name}' has no parameter '${parameter}'`, `It has ${known.join(', ')}`)
      continue
    }
    const read = scalarOf(value, at)
    if (read === null) problems.add(at, `'${value}' is not a single value`, `Write '${name}.${parameter}=<value>'`)
    else changed[index] = withValue(document, path, read, at)
  }
  return changed
}

/** The parameters of a rule by name, with their places. */
function parametersOf(document: MapValue): Readonly<Record<string, Path>> {
  const correlation = member(document, 'correlation')
  if (correlation?.kind !== 'map') return common
  const rate = textOf(member(correlation, 'type')) === 'rate_anomaly'
  const condition = member(correlation, 'condition')
  // Another operator beside the one that the rule has would make a range of it.
  const bounds =
    condition?.kind === 'map' ? operators.filter(operator => member(condition, operator) !== undefined) : []
  return {
    timespan: ['correlation', 'timespan'],
    ...Object.fromEntries(bounds.map(operator => [operator, ['correlation', 'condition', operator]])),
    // `denied` names a rule.
    ...Object.fromEntries(
      rateKeys.filter(key => rate && key !== 'denied').map(key => [key, ['trailwarden', 'rate-anomaly', key]]),
    ),
    ...common,
  }
}

/** Name and id, the name first: it is what alerts call the rule. */
function handlesOf(document: MapValue): string[] {
  return ['name', 'id'].map(key => textOf(member(document, key))).filter(text => text !== null)
}

function member(map: MapValue, key: string): Value | undefined {
  return map.entries.find(entry => entry.key === key)?.value
}

function textOf(value: Value | undefined): string | null {
  return value?.kind === 'scalar' && value.value !== null ? value.source : null
}

/** The text as YAML reads it in a rule file, standing at `at`; null where it is not one scalar. */
function scalarOf(text: string, at: Place): Value | null {
  const findings = new Problems()
  const value = parseDocuments('', `value: ${text}`, findings)
  const [entry, ...more] = value.length === 1 ? (value[0]?.entries ?? []) : []
  if (findings.errors.length > 0 || entry === undefined || more.length > 0) return null
  return entry.value.kind === 'scalar' && entry.value.value !== null ? { ...entry.value, inset: null, at } : null
}

/** A copy of the map in which `path` holds `value`; maps on the way are made where they are missing. */
function withValue(map: MapValue, [key = '', ...rest]: Path, value: Value, at: Place): MapValue {
  const known = map.entries.find(entry => entry.key === key)
  // Something else than a map is left to the reader of the document, which reports it.
  const inner = known?.value.kind === 'map' ? known.value : ({ kind: 'map', entries: [], at } as const)
  const entry: Entry = { key, keyAt: at, value: rest.length === 0 ? value : withValue(inner, rest, value, at) }
  const entries = known === undefined ? [...map.entries, entry] : map.entries.map(e => (e === known ? entry : e))
  return { ...map, entries }
}
