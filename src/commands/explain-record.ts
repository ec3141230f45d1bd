// What alert records alone say about an episode, for `explain` without the events: when each value came, which of them made
// the condition true, and what was told. The events themselves are needed for more.
import { plainText, counted, duration, inSentence, utc } from '../alerts/wording.ts'
import { monotone, saturation } from '../detect/condition.ts'
import type { Rule } from '../rules/rule.ts'
import type { AlertRecord } from './explain-target.ts'
import { conditionText, ordinal } from './explain-wording.ts'

/** The account of one episode. `records` are its alerts, at least one; `rule` is null where it is not loaded. */
export function recordText(records: readonly AlertRecord[], rule: Rule | null): string {
  const told = records.toSorted((a, b) => a.sequence - b.sequence)
  const last = told.at(-1)
  if (last === undefined) return ''
  const { principal } = last
  const lines = [
    `alert      ${plainText(last.dedupKey)}`,
    `rule       ${plainText(last.ruleId)}: ${plainText(last.ruleTitle)} (${last.severity})`,
    ...ruleLines(last, rule),
    `principal  ${plainText(principal.name || principal.key, 100)} (${plainText(principal.key)})`,
    `seen       ${utc(last.firstSeen)} to ${utc(last.lastSeen)} (${duration(last.lastSeen - last.firstSeen)}), count ${last.count}`,
    '',
    ...valueLines(last, rule),
    ...told.map(
      alert =>
        `  told ${alert.activity === 'CREATE' ? 'CREATE  ' : `UPDATE ${alert.sequence}`}  at ${utc(alert.lastSeen)}: ${alert.severity}, count ${alert.count}`,
    ),
    '',
    plainText(last.explanation),
    '',
  ]
  return `${lines.join('\n')}\n`
}

function ruleLines(alert: AlertRecord, rule: Rule | null): string[] {
  if (rule === null) return ['           the rule is not loaded, so what it compares with is unknown here']
  const changed =
    rule.version === alert.ruleVersion
      ? []
      : [
          `           the rule has changed since: the alert is of version ${plainText(alert.ruleVersion, 20)}, loaded is ${rule.version}`,
        ]
  return [`condition  ${conditionText(rule)}`, ...changed]
}

/** The values one by one; the one that makes the count reach what is needed is marked. */
function valueLines(alert: AlertRecord, rule: Rule | null): string[] {
  const body = rule?.body
  const needed = body?.kind === 'value_count' && monotone(body.condition) ? saturation(body.condition) : null
  const values = alert.distinctValues.toSorted((a, b) => a.first - b.first)
  const lines = values.map(({ value, first, last, count }, index) => {
    const often = count === 1 ? '' : `, ${counted(count, 'event')} until ${utc(last).slice(11, 19)}`
    const mark = index + 1 === needed ? `  <- the ${ordinal(needed)}: the condition became true` : ''
    return `${String(index + 1).padStart(5)}  ${utc(first).slice(0, 19)}  ${inSentence(value)}${often}${mark}`
  })
  return lines.length === 0 ? [] : [...lines, '']
}
