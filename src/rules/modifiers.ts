// The modifiers of a Sigma field name (`userAgent|contains|all`) read into one plain record, or refused with the reason.
// Pure. Source: Sigma modifiers appendix 2.1.0; what cannot be evaluated on this topic is refused by name.
import type { Place, Problems } from './problems.ts'
import { didYouMean } from './problems.ts'
import type { Anchor } from './text.ts'

export type Comparison = 'gt' | 'gte' | 'lt' | 'lte'
const timeParts = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const
export type TimePart = (typeof timeParts)[number]
export type Encoding = 'utf16le' | 'utf16be' | 'utf16' | 'base64' | 'base64offset'

/** What one key of a selection asks for. */
export interface Modifiers {
  readonly field: string
  readonly kind: 'pattern' | 're' | 'cidr' | 'exists' | 'compare' | 'fieldref'
  readonly anchor: Anchor
  readonly cased: boolean
  readonly all: boolean
  readonly negated: boolean
  readonly comparison: Comparison
  /** Flags i, m and s of `re`. */
  readonly flags: string
  readonly encodings: readonly Encoding[]
  readonly timePart: TimePart | null
}

const kinds: Readonly<Record<string, Modifiers['kind']>> = {
  re: 're',
  cidr: 'cidr',
  exists: 'exists',
  fieldref: 'fieldref',
  gt: 'compare',
  gte: 'compare',
  lt: 'compare',
  lte: 'compare',
}
const anchors: Readonly<Record<string, Anchor>> = { contains: 'anywhere', startswith: 'start', endswith: 'end' }
const encodings: Readonly<Record<string, Encoding>> = {
  utf16le: 'utf16le',
  wide: 'utf16le',
  utf16be: 'utf16be',
  utf16: 'utf16',
  base64: 'base64',
  base64offset: 'base64offset',
}
/** Flags of `re`, short and long. */
export const regexFlags = ['i', 'm', 's', 'ignorecase', 'multiline', 'dotall']
/** Modifiers of Sigma that are refused, why, and what to write instead. */
export const refusedModifiers: Readonly<Record<string, readonly [string, string]>> = {
  windash: ['is about command lines of Windows, which CloudTrail does not carry', "Remove '|windash'"],
  expand: ['needs a table of placeholders, which there is none of', 'Write the values themselves'],
}
/** Every modifier there is. */
export const modifierNames: readonly string[] = [
  ...Object.keys(anchors),
  'all',
  'cased',
  'neq',
  ...Object.keys(kinds),
  ...Object.keys(encodings),
  ...timeParts,
]

/** Reads `field|modifier|modifier`; null after reporting what is wrong. */
export function parseModifiers(key: string, at: Place, problems: Problems): Modifiers | null {
  const [field = '', ...words] = key.split('|')
  const fail = (message: string, hint: string): null => {
    problems.add(at, message, hint)
    return null
  }
  let kind: Modifiers['kind'] = 'pattern'
  let kindWord: string | null = null
  let anchor: Anchor = 'whole'
  let cased = false
  let all = false
  let negated = false
  let comparison: Comparison = 'gt'
  let flags = ''
  const chain: Encoding[] = []
  let timePart: TimePart | null = null
  for (const [index, word] of words.entries()) {
    if (words.indexOf(word) !== index) return fail(`modifier '${word}' is given twice`, 'Write it once')
    const why = Object.hasOwn(refusedModifiers, word) ? refusedModifiers[word] : undefined
    if (why !== undefined) return fail(`modifier '${word}' ${why[0]}`, why[1])
    if (Object.hasOwn(anchors, word)) {
      if (anchor !== 'whole')
        return fail(`'${word}' contradicts the modifier before it`, 'Write one of contains, startswith, endswith')
      anchor = anchors[word] ?? 'whole'
    } else if (Object.hasOwn(kinds, word)) {
      if (kindWord !== null)
        return fail(`'${kindWord}' and '${word}' exclude each other`, 'Write two keys, one for each')
      kindWord = word
      kind = kinds[word] ?? 'pattern'
      if (kind === 'compare') comparison = word as Comparison
    } else if (word === 'all') all = true
    else if (word === 'cased') cased = true
    else if (word === 'neq') negated = true
    else if (Object.hasOwn(encodings, word)) chain.push(encodings[word] ?? 'base64')
    else if ((timeParts as readonly string[]).includes(word)) {
      if (timePart !== null)
        return fail(`'${timePart}' and '${word}' exclude each other`, 'Write two keys, one for each')
      timePart = word as TimePart
    } else if (regexFlags.includes(word)) {
      if (kind !== 're') return fail(`'${word}' is a flag of 're' and stands without it`, `Write '${field}|re|${word}'`)
      flags += word === 'ignorecase' ? 'i' : word === 'multiline' ? 'm' : word === 'dotall' ? 's' : word
    } else return fail(`unknown modifier '${word}'`, didYouMean(word, modifierNames))
  }

  const last = chain.at(-1)
  if (chain.length > 0 && last !== 'base64' && last !== 'base64offset') {
    return fail(
      `'${words.find(word => encodings[word] === last) ?? ''}' gives bytes, which no JSON text holds`,
      "Follow it with 'base64' or 'base64offset'",
    )
  }
  if (
    chain.filter(step => step.startsWith('base64')).length > 1 ||
    chain.slice(0, -1).some(step => step.startsWith('base64'))
  ) {
    return fail('text is encoded after base64', "Let 'base64' or 'base64offset' be the last encoding")
  }
  if (last === 'base64offset' && anchor !== 'anywhere') {
    return fail(
      "'base64offset' gives fragments, which never are the whole value",
      `Write '${field}|base64offset|contains'`,
    )
  }
  if (chain.length > 0 && kind !== 'pattern')
    return fail(`'${kindWord ?? ''}' does not go with '${last ?? ''}'`, 'Remove one of them')
  if (anchor !== 'whole' && kind !== 'pattern' && kind !== 'fieldref') {
    return fail(`'${kindWord ?? ''}' does not go with contains, startswith or endswith`, 'Remove one of them')
  }
  if (cased && kind !== 'pattern' && kind !== 'fieldref') {
    return fail(
      `'cased' has no meaning with '${kindWord ?? ''}'`,
      kind === 're' ? "'re' is case-sensitive unless '|i' follows" : "Remove '|cased'",
    )
  }
  if (timePart !== null && ((kind !== 'pattern' && kind !== 'compare') || anchor !== 'whole' || chain.length > 0)) {
    return fail(`'${timePart}' is a number`, `Compare it: '${field}|${timePart}|gte: 22'`)
  }
  if (field === '' && (kind === 'exists' || kind === 'compare' || kind === 'fieldref' || timePart !== null)) {
    return fail(`'${kindWord ?? timePart ?? ''}' needs a field`, `Write '<field>|${words.join('|')}'`)
  }
  return { field, kind, anchor, cased, all, negated, comparison, flags, encodings: chain, timePart }
}
