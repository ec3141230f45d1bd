// `explain` against a live cluster: the alert from the alerts topic, the detector's state of the principal from its
// changelog, the principal's events from its partition of the events topic, and from these the account step by step.
// Says what is no longer kept, and what the detector has not worked off yet, instead of guessing.
import type { Alert } from '../alerts/alert.ts'
import { alertToJson } from '../alerts/json.ts'
import { counted, inSentence, plainText, utc } from '../alerts/wording.ts'
import { groupHash } from '../alerts/dedup-key.ts'
import { jsonLine } from '../json-line.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { LogClient } from '../log/log-client.ts'
import type { SchemaSource } from '../log/schema-source.ts'
import { ClusterEvidence } from './cluster-evidence.ts'
import type { KeptEvents, KeptState } from './cluster-evidence.ts'
import type { CommandContext } from './command.ts'
import { Inquiry } from './explain-inquiry.ts'
import type { Question } from './explain-inquiry.ts'
import { recordText } from './explain-record.ts'
import { heldFor, memoryText, stateLines, stateView } from './explain-state.ts'
import type { Held } from './explain-state.ts'
import type { Detection } from './rule-set.ts'

/** What is asked of the cluster: an episode by its key, or a principal. */
export type LiveTarget = { readonly dedupKey: string; readonly opening: number } | { readonly principal: string }

type Surroundings = Pick<CommandContext, 'config' | 'options' | 'out' | 'err'>

/** Answers the questions from a cluster. Resolves to 1 where the cluster does not hold what is asked about. */
export async function explainLive(
  context: Surroundings,
  detection: Detection,
  target: LiveTarget,
  questions: readonly Question[],
  log: LogClient,
  schemas: SchemaSource,
): Promise<number> {
  const { config, err, options } = context
  const evidence = new ClusterEvidence(log, schemas, config)
  const alerts = 'dedupKey' in target ? await evidence.alerts(target.dedupKey, target.opening) : []
  const principal = 'principal' in target ? target.principal : await principalOf(alerts, questions, evidence)
  if (principal === null) {
    await err.write(
      `${config.ALERTS_TOPIC} has no alert with this key, and ${config.STATE_TOPIC} no principal that it names: both are past ` +
        'retention, the alert was suppressed and the principal expired, or it is the key of another cluster.\n',
    )
    return 1
  }
  const partition = await evidence.partitionOf(principal)
  const state = await evidence.state(principal, partition)
  const show = { all: options['all'] === true, json: options['json'] === true }
  const inquiries = questions.map(question => new Inquiry(question, detection, show))
  const events = await evidence.events(principal, partition, state.position, event => {
    const matched = detection.rules.match(event).length > 0
    for (const inquiry of inquiries)
      if (matched) inquiry.take(event)
      else inquiry.passOver(event)
  })
  const found = { principal, partition, state, events, alerts, asked: 'dedupKey' in target }
  if (state.record === null && events.events + events.waiting === 0 && alerts.length === 0) {
    await err.write(nothingKnown(found, config.EVENTS_TOPIC))
    return 1
  }
  await (show.json ? tellJson : tell)(context, detection, found, inquiries)
  const answered = inquiries.every(inquiry => inquiry.answered)
  return answered || alerts.length > 0 || (!found.asked && state.record !== null) ? 0 : 1
}

interface Found {
  readonly principal: string
  readonly partition: number
  readonly state: KeptState
  readonly events: KeptEvents
  readonly alerts: readonly Alert[]
  /** Whether an alert was asked about. */
  readonly asked: boolean
}

async function principalOf(
  alerts: readonly Alert[],
  questions: readonly Question[],
  evidence: ClusterEvidence,
): Promise<string | null> {
  const [alert] = alerts
  const [question] = questions
  if (alert !== undefined) return alert.principal.key
  return question === undefined ? null : evidence.principalCalled(question.principalHash)
}

function nothingKnown({ principal, partition, events }: Found, topic: string): string {
  const since = events.keptSince === null ? 'which is empty' : `kept since ${utc(events.keptSince)}`
  const hint = principal.includes('/') ? '' : ' A key looks like 111122223333/role/AROAEXAMPLE; alerts show it.'
  return `There is neither an event nor state of a principal with the key ${inSentence(principal)}; its partition is ${topic}/${partition}, ${since}.${hint}\n`
}

async function tell(
  { config, out }: Surroundings,
  detection: Detection,
  found: Found,
  inquiries: readonly Inquiry[],
): Promise<void> {
  const { state, events, alerts } = found
  for (const line of sourceLines(found, config)) await out.write(`${line}\n`)
  for (const inquiry of inquiries) {
    const { rule } = inquiry.question
    const held = heldOf(found, inquiry, detection)
    await out.write('\n')
    // Without the events the alert's own record is the best account there is.
    if (inquiry.answered) for (const part of inquiry.text()) await out.write(part)
    else if (alerts.length > 0) await out.write(recordText(alerts, rule))
    else for (const part of inquiry.text()) await out.write(part)
    if (state.record !== null) {
      await out.write(`detector's state for ${plainText(rule.id)}\n`)
      for (const line of stateLines(held, rule)) await out.write(`  ${line}\n`)
    }
    for (const line of gaps(found, inquiry, held)) await out.write(`${line}\n`)
  }
  if (events.waiting > 0)
    await out.write(
      `\n${counted(events.waiting, 'event')} of the principal ${events.waiting === 1 ? 'waits' : 'wait'} for the detector and ${events.waiting === 1 ? 'is' : 'are'} not part of this.\n`,
    )
}

/** Where everything comes from. */
function sourceLines(found: Found, config: Surroundings['config']): string[] {
  const { partition, state, events, alerts, asked } = found
  const told = alerts.map(({ activity, sequence }) => (activity === 'CREATE' ? 'CREATE' : `UPDATE ${sequence}`))
  const kept = events.keptSince === null ? 'empty' : `kept since ${utc(events.keptSince)}`
  const unreadable = events.unreadable === 0 ? '' : `, ${events.unreadable} unreadable`
  const worked =
    state.position === null ? 'no detector has worked on it' : `the detector has worked up to offset ${state.position}`
  const memory =
    state.record !== null
      ? memoryText(state.record)
      : state.problem === null
        ? 'none of this principal'
        : `of this principal cannot be read: ${plainText(state.problem, 200)}`
  return [
    ...(asked
      ? [
          `alerts     ${config.ALERTS_TOPIC}: ${told.length === 0 ? 'none with this key any more, or it was suppressed' : told.join(', ')}`,
        ]
      : []),
    `events     ${config.EVENTS_TOPIC}/${partition}, ${kept}: ${counted(events.events, 'event')} of the principal${unreadable}; ${worked}`,
    `state      ${config.STATE_TOPIC}/${partition}: ${memory}`,
  ]
}

/** What the account above does not rest on. */
function gaps({ events, alerts }: Found, inquiry: Inquiry, held: readonly Held[]): string[] {
  const lines: string[] = []
  const kept =
    events.keptSince === null ? 'The events topic is empty' : `Events are kept since ${utc(events.keptSince)}`
  if (!inquiry.answered && alerts.length > 0)
    lines.push(`${kept}, those of this episode are gone or not all there: this is told from the alert and the state.`)
  const { since } = held[0] ?? { since: null }
  if (since !== null && inquiry.earliest !== null && since < inquiry.earliest)
    lines.push(
      `${kept}. The detector's history of this principal begins ${utc(since)}, so what it expected was other than in the steps above.`,
    )
  return lines
}

async function tellJson(
  { out }: Surroundings,
  detection: Detection,
  found: Found,
  inquiries: readonly Inquiry[],
): Promise<void> {
  const { principal, partition, state, events, alerts } = found
  for (const alert of alerts)
    await out.write(`${jsonLine({ kind: 'alert', alert: JSON.parse(alertToJson(alert)) as unknown })}\n`)
  const { keptSince, ...counts } = events
  const source = {
    principal,
    partition,
    position: state.position,
    keptSince: keptSince === null ? null : rfc3339(keptSince),
  }
  await out.write(`${jsonLine({ kind: 'events', ...source, ...counts })}\n`)
  for (const inquiry of inquiries) {
    const ruleId = inquiry.question.rule.id
    const maxTime = state.record === null ? null : rfc3339(state.record.maxTime)
    const held = stateView(heldOf(found, inquiry, detection))
    await out.write(`${jsonLine({ kind: 'state', ruleId, principal, maxTime, held, problem: state.problem })}\n`)
    for (const line of inquiry.json()) await out.write(`${line}\n`)
  }
}

function heldOf({ principal, state }: Found, { question }: Inquiry, detection: Detection): Held[] {
  const all = state.record === null ? [] : heldFor(principal, state.record, question.rule, detection)
  return question.groupHash === null ? all : all.filter(({ group }) => groupHash(group) === question.groupHash)
}
