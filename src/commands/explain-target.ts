// What `explain` is asked about: a dedup key, a file of alerts, or a principal and a rule.
// A dedup key names its principal and group by hashes only, so the input has to bring the principal itself.
import { access, readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { stdin } from 'node:process'
import { z } from 'zod'
import type { Alert } from '../alerts/alert.ts'
import { dedupKey, principalHash } from '../alerts/dedup-key.ts'
import { twError } from '../errors.ts'
import { parseTime } from '../normalize/event-time.ts'
import { didYouMean } from '../rules/problems.ts'
import type { Rule } from '../rules/rule.ts'

/** The parts of a dedup key. */
export interface KeyParts {
  /** The rule id as it stands in the key. */
  readonly rule: string
  readonly principalHash: string
  /** `-` without further group-by fields. */
  readonly groupHash: string
  /** Opening time of the episode, epoch milliseconds. */
  readonly opening: number
}

const time = z.string().transform((value, context) => {
  const ms = parseTime(value)
  if (ms !== null) return ms
  context.addIssue({ code: 'custom', message: 'not a time' })
  return z.NEVER
})

/** {@link AlertRecord} in JSON; docs/alerts.md describes the whole. */
const record = z.object({
  dedupKey: z.string(),
  activity: z.enum(['CREATE', 'UPDATE']),
  sequence: z.int(),
  ruleId: z.string(),
  ruleTitle: z.string(),
  ruleVersion: z.string(),
  severity: z.string(),
  principal: z.object({ key: z.string(), name: z.string() }),
  firstSeen: time,
  lastSeen: time,
  count: z.int(),
  distinctValues: z.array(z.object({ value: z.string(), first: time, last: time, count: z.int() })),
  explanation: z.string(),
})

/** What an explanation reads of an alert, from its JSON or from the topic. Times are epoch milliseconds. */
export type AlertRecord = Pick<
  Alert,
  | 'dedupKey'
  | 'activity'
  | 'sequence'
  | 'ruleId'
  | 'ruleTitle'
  | 'ruleVersion'
  | 'firstSeen'
  | 'lastSeen'
  | 'count'
  | 'distinctValues'
  | 'explanation'
> & { readonly severity: string; readonly principal: { readonly key: string; readonly name: string } }

/** The parts of a dedup key, or null for any other text. */
export function parseDedupKey(text: string): KeyParts | null {
  const parts = /^([!-9;-~]+):([0-9a-f]{16}):(-|[0-9a-f]{16}):(-?\d{1,16})$/.exec(text)
  if (parts === null) return null
  const [, rule = '', principalHash = '', groupHash = '', opening = ''] = parts
  return { rule, principalHash, groupHash, opening: Number(opening) }
}

/** The rule that a dedup key names. @throws TW_USAGE where none of the rules is called so */
export function ruleOfKey(key: KeyParts, rules: readonly Rule[]): Rule {
  const rule = rules.find(({ id }) => dedupKey(id, '', '', 0) === `${key.rule}:::0`)
  return rule ?? ruleCalled(key.rule, rules)
}

/** The rule with an id. @throws TW_USAGE naming those that there are */
export function ruleCalled(id: string, rules: readonly Rule[]): Rule {
  const rule = rules.find(candidate => candidate.id === id)
  if (rule !== undefined) return rule
  const known = rules.map(candidate => candidate.id)
  throw twError('TW_USAGE', `No rule ${JSON.stringify(id)} that alerts is loaded. ${didYouMean(id, known)}.`)
}

/** Hashes of principal keys, kept, because a trail names few principals many times. */
export class PrincipalHashes {
  readonly #known = new Map<string, string>()

  of(key: string): string {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= 100_000) this.#known.clear()
    const hash = principalHash(key)
    this.#known.set(key, hash)
    return hash
  }
}

/** True when the argument is a file, or `-`. */
export async function isAlertFile(argument: string): Promise<boolean> {
  if (argument === '-') return true
  return access(argument).then(
    () => true,
    () => false,
  )
}

/**
 * Alerts from a file of JSON lines, or from standard input for `-`.
 * @throws TW_ALERT_INVALID naming the line that is none, TW_INPUT_MISSING for a file that cannot be read
 */
export async function readAlerts(path: string): Promise<AlertRecord[]> {
  let content
  try {
    content = path === '-' ? await readAll(stdin) : await readFile(path, 'utf8')
  } catch (error) {
    throw twError('TW_INPUT_MISSING', `Cannot read ${path}: ${error instanceof Error ? error.message : ''}.`, error)
  }
  const alerts = content.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const parsed = record.safeParse(jsonOf(line))
    if (parsed.success) return [parsed.data]
    const [issue] = parsed.error.issues
    const where = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')}: ${issue.message})`
    throw twError('TW_ALERT_INVALID', `${path}:${index + 1} is not an alert${where}.`)
  })
  if (alerts.length === 0) throw twError('TW_ALERT_INVALID', `${path} holds no alert.`)
  return alerts
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return null
  }
}
