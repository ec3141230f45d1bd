// The account of one reconstruction for people: a head, the steps worth reading, and the verdict: why it fired, or how far
// it was from firing. Also the same as JSON lines. Pure text from data; writing is explain.ts.
import { counted, duration, inSentence, plainText, utc } from '../alerts/wording.ts'
import { jsonLine } from '../json-line.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { Rule } from '../rules/rule.ts'
import type { KnownEpisode, Step } from './explain-step.ts'
import type { Reconstruction } from './explain-steps.ts'
import { clock, conditionText, countText, ordinal, shortfall, valuesText, windowText } from './explain-wording.ts'

/** One line per step, and a line under it for an episode that opens and for every alert that was told. */
export function stepText(step: Step, { rule }: Pick<Reconstruction, 'rule'>): string {
  const { event } = step
  const value = step.value === null ? '' : `${step.fresh ? 'new ' : ''}${inSentence(step.value)}`
  const call = [event.eventName, event.awsRegion, event.errorCode ?? '', event.sourceIPAddress ?? '']
  const columns = [
    String(step.number).padStart(5),
    utc(event.eventTime).slice(0, 19),
    step.fate.padEnd(10),
    (step.count === null ? '' : countText(step, rule)).padEnd(rule.body.kind === 'rate_anomaly' ? 62 : 24),
    value.padEnd(18),
    call.filter(Boolean).map(inSentence).join(' '),
  ]
  const lines = [columns.join('  ')]
  if (step.opened !== null) lines.push(`${under}the condition holds: an episode opens`)
  for (const { activity, sequence, severity, count, dedupKey, suppressed } of step.told) {
    const held = suppressed === null ? '' : `, suppressed by ${plainText(suppressed.id)}`
    const name = activity === 'CREATE' ? 'CREATE' : `UPDATE ${sequence}`
    lines.push(`${under}told ${name}: ${severity}, count ${count}${held}  ${dedupKey}`)
  }
  return `${lines.map(line => line.trimEnd()).join('\n')}\n`
}

const under = `${' '.repeat(7)}-> `

/** What is asked about and what the rule says. */
export function headText({ rule }: Reconstruction, principal: { readonly key: string; readonly name: string }): string {
  return (
    `rule       ${rule.id}: ${plainText(rule.title)} (${rule.level}, ${rule.origin})\n` +
    `condition  ${conditionText(rule)}\n` +
    `principal  ${plainText(principal.name || principal.key, 100)} (${plainText(principal.key)})\n\n`
  )
}

/** How many events there were, and what became of them. */
export function fatesText({ fates }: Reconstruction, all: boolean): string {
  const parts = [...fates].map(([fate, n]) => `${n} ${fate}`)
  const total = [...fates.values()].reduce((sum, n) => sum + n, 0)
  return `${counted(total, 'event')} that some rule looks at: ${parts.join(', ')}${all ? '' : ' (--all shows each)'}\n`
}

/** Why it fired: the opening step and the episode as it ended; else how close it came. */
export function verdictText(
  { rule, closest }: Reconstruction,
  episodes: readonly KnownEpisode[],
  openings: readonly Step[],
  told: number,
): string {
  if (episodes.length > 0) {
    const head = `It fired: ${counted(episodes.length, 'episode')}, ${counted(told, 'alert record')}.\n`
    return head + openings.map(step => `- ${openingText(step, rule, episodes)}\n`).join('')
  }
  if (closest === null) return 'It did not fire: none of these events is one that the rule counts.\n'
  const lines = [
    `It did not fire. It came closest at ${utc(closest.event.eventTime)}: ${countText(closest, rule)} in ${windowText(rule)}; ${shortfall(closest, rule)}.`,
  ]
  if (closest.values !== null) lines.push(`In that window: ${valuesText(closest.values)}.`)
  return `${lines.join('\n')}\n`
}

function openingText(step: Step, rule: Rule, episodes: readonly KnownEpisode[]): string {
  const episode = episodes.find(
    ({ opening, end }) => step.opened !== null && holdsIn(step.opened.opening, opening, end),
  )
  const at = utc(step.opened?.opening ?? step.event.eventTime)
  const last = episode === undefined ? '' : ` The condition last held at ${utc(episode.end)}.`
  const values = step.values === null ? '' : ` In that window: ${valuesText(step.values)}.`
  const late = step.opened !== null && step.opened.opening > step.event.eventTime
  const cause = late
    ? `when the event of ${clock(step.event.eventTime)} arrived out of order${step.value === null ? '' : ` with ${inSentence(step.value)}`}`
    : step.value !== null && step.fresh && step.count !== null && rule.body.kind === 'value_count'
      ? `with the ${ordinal(step.count)} value, ${inSentence(step.value)}${sinceFirst(step)}`
      : `with ${countText(step, rule)} in ${windowText(rule)}`
  return `The condition became true at ${at} ${cause}.${values}${last}`
}

function sinceFirst({ values, event }: Step): string {
  const [first] = [...(values ?? [])]
  if (first === undefined) return ''
  return `, ${duration(event.eventTime - first[1])} after the first (${inSentence(first[0])} at ${clock(first[1])})`
}

function holdsIn(time: number, from: number, to: number): boolean {
  return time >= from && time <= to
}

/** A step as a JSON line without the line feed. */
export function stepJson(step: Step, { rule }: Reconstruction): string {
  const { event, number, fate, value, fresh, count, needed, holds, anomaly, opened, told } = step
  return jsonLine({
    kind: 'step',
    ruleId: rule.id,
    principal: event.principal.key,
    step: number,
    eventTime: rfc3339(event.eventTime),
    eventId: event.eventId,
    eventSource: event.eventSource,
    eventName: event.eventName,
    awsRegion: event.awsRegion,
    sourceIPAddress: event.sourceIPAddress,
    errorCode: event.errorCode,
    fate,
    value,
    fresh,
    count,
    needed,
    holds,
    anomaly,
    opened: opened === null ? null : rfc3339(opened.opening),
    told: told.map(alert => ({
      dedupKey: alert.dedupKey,
      activity: alert.activity,
      sequence: alert.sequence,
      severity: alert.severity,
      count: alert.count,
      suppressed: alert.suppressed,
    })),
  })
}

/** The verdict as a JSON line without the line feed. */
export function verdictJson(
  { rule, fates, closest }: Reconstruction,
  principal: string | null,
  episodes: readonly KnownEpisode[],
): string {
  return jsonLine({
    kind: 'verdict',
    ruleId: rule.id,
    principal,
    fired: episodes.length > 0,
    episodes: episodes.map(({ opening, end, group }) => ({
      opening: rfc3339(opening),
      end: rfc3339(end),
      group,
    })),
    events: Object.fromEntries(fates),
    closest:
      closest === null
        ? null
        : {
            eventTime: rfc3339(closest.event.eventTime),
            count: closest.count,
            needed: closest.needed,
            anomaly: closest.anomaly,
            values: closest.values === null ? null : [...closest.values.keys()],
          },
  })
}
