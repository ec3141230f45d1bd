// Runbook: a rule's Markdown with {placeholders} becomes the instructions of one alert.
// Pure. Values come from CloudTrail and are attacker-chosen, so none can add Markdown, HTML, links or a line, and none
// can break out of a command line that the runbook shows as code.
import type { Rule } from '../rules/rule.ts'
import { didYouMean } from '../rules/problems.ts'
import { fillers, none } from './placeholders.ts'
import type { AlertFacts } from './subject.ts'
import { rfc3339 } from '../rfc3339.ts'
import { plainText, utc } from './wording.ts'

/** Longest value in a runbook; the alert has the rest. */
const valueLimit = 200

/** Every placeholder that a runbook may use, without braces. */
export const runbookPlaceholders: readonly string[] = Object.keys(fillers)

// A placeholder is a dotted name alone in braces. `${NAME}` belongs to the shell and `{"a": 1}` or `{a: b}` to JSON and
// JMESPath: commands in a runbook keep theirs. Code (fenced, indented, in backticks) is found first: values are written
// differently there. An opening backtick without a closing one in its paragraph is text.
const fenced = /^ *(?<fence>`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ *\k<fence>|(?![\s\S]))/
const indented = /^(?: {4}|\t)[^\n]*/
const inline = /(?<ticks>`+)(?!`)(?:(?!\n\s*\n)[\s\S])*?[^`]\k<ticks>(?!`)/
const placeholder = /(?<!\$)\{(?<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)\}/
const placeholders = new RegExp(placeholder, 'g')
const pieces = new RegExp(`(?<code>${fenced.source}|${indented.source}|${inline.source})|${placeholder.source}`, 'gm')

/**
 * In code only characters that neither end the code nor mean anything to a shell, no space and no leading dash: commands
 * are there to be pasted, and a session name must not become a command or an option.
 */
function inCode(value: string): string {
  return plainText(value, valueLimit)
    .replace(/[^A-Za-z0-9_+=,.@:/%-]/g, '_')
    .replace(/^-/, '_')
    .replaceAll('://', ':__')
}

// CommonMark takes a backslash before any ASCII punctuation; `&` and `<` are entities for renderers of bare HTML. Links
// and mentions that GitHub and chats find by themselves are broken, and so are list and heading marks at the start.
function inText(value: string): string {
  return plainText(value, valueLimit)
    .replace(/[\\`*_[\]()!|~#{}$@^]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('://', '\\://')
    .replace(/\bwww\./gi, match => `${match.slice(0, -1)}\\.`)
    .replace(/^(\s*)([-+=])/, '$1\\$2')
    .replace(/^(\s*\d+)\.(?=\s|$)/, '$1\\.')
}

// Ids, addresses, regions, most names: nothing that either of the two above would change, so it is looked for first. What
// is excluded are links, and a dot or a dash where a list could begin.
const asItStands = /^(?!.*(?:www\.|:\/\/))[a-z0-9](?:[a-z0-9,%=+.:/-]*[a-z0-9])?$/i

function written(value: string, code: boolean): string {
  if (value.length <= valueLimit && asItStands.test(value)) return value
  return code ? inCode(value) : inText(value)
}

function filled(alert: AlertFacts, name: string, code: boolean): string | null {
  const filler = Object.hasOwn(fillers, name) ? fillers[name] : undefined
  if (filler === undefined) return null
  const value = filler(alert)
  // A command wants a time that it can parse, a person one to read.
  if (typeof value === 'number') return code ? rfc3339(value) : utc(value)
  if (typeof value === 'string') return written(value, code)
  return value.length === 0 ? none : value.map(item => written(item, code)).join(', ')
}

const generic = `1. **First 15 minutes: is it real?** {ruleTitle} for {principal.name} (\`{principal.key}\`), {firstSeen} to {lastSeen}. Ask the owner of the identity by another channel. Look at the other calls of the sessions {sessionNames} and access keys {accessKeys} from {sourceIPs}, and at other alerts of this principal. Sample events: {eventIds}.
2. **First hour: stop it.** If nobody can explain the calls, revoke the active sessions of the identity or deactivate its keys in {accounts}, keep the CloudTrail events of all regions ({regions}), and start the incident process.
3. **First day: repair and learn.** Rotate the credentials and every secret that was read ({secrets}), undo what else the identity changed, and close the way in. If the calls are benign, add a suppression with a reason, an owner and an expiry, or tune the rule.
`

/**
 * The runbook of an alert in Markdown: the rule's own, else a generic one in three timed steps. Lists show ten values,
 * values 200 characters; what is absent reads `none`; times are UTC, in code RFC 3339. A placeholder that does not exist stays as written, which
 * {@link runbookProblems} reports when the rule is loaded.
 */
export function fillRunbook(alert: AlertFacts, rule: Pick<Rule, 'runbook'>): string {
  return (rule.runbook ?? generic).replace(pieces, (text, ...rest) => {
    const { code, name } = rest.at(-1) as { readonly code?: string; readonly name?: string }
    if (code === undefined) return filled(alert, name ?? '', false) ?? text
    return code.replace(placeholders, (whole, inner: string) => filled(alert, inner, true) ?? whole)
  })
}

/** What is wrong with a runbook template, for the rule loader: one message per unknown placeholder, in order. */
export function runbookProblems(template: string): string[] {
  const names = new Set(Array.from(template.matchAll(placeholders), match => match[1] ?? ''))
  return [...names]
    .filter(name => !Object.hasOwn(fillers, name))
    .map(name => `unknown placeholder {${name}}. ${didYouMean(name, runbookPlaceholders)}`)
}
