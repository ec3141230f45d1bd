// `trailwarden replay`: the detector's engine over files or a topic, ordered by event time, without producing anything.
// Only events that some rule matches are kept for ordering, as Avro, spilled to a temporary file beyond 64 MiB.
import { alertToJson } from '../alerts/json.ts'
import { eventDecoder, eventEncoder } from '../codecs/cloudtrail-event.ts'
import { Engine } from '../detect/engine.ts'
import { twError } from '../errors.ts'
import { jsonLine } from '../json-line.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { parseTime } from '../normalize/event-time.ts'
import { rfc3339 } from '../rfc3339.ts'
import { topicContract } from '../topics.ts'
import { alertText, alertTextHeading } from './alert-text.ts'
import type { Command, CommandContext } from './command.ts'
import { textOption } from './command.ts'
import { readEvents } from './event-input.ts'
import { EventSorter } from './event-sorter.ts'
import { detectionFrom } from './rule-set.ts'
import type { Detection } from './rule-set.ts'

export const replay: Command = {
  name: 'replay',
  usage: '<paths…|topic>',
  summary: 'Run the rules over files or a topic and show the alerts, producing nothing.',
  details:
    'Input is ordered by event time first, in bounded memory, so the result does not depend on the order of delivery.\n' +
    'A single argument that is no path is the name of an events topic. The alerts are those the live detector gives.',
  examples: [
    'trailwarden replay trail/',
    'trailwarden replay --json --from 2026-01-15T00:00:00Z trail/ | jq .explanation',
    'trailwarden replay --matches trail/',
  ],
  options: {
    json: { type: 'boolean', doc: 'Alerts as JSON lines.' },
    matches: { type: 'boolean', doc: 'Print every match of a detection rule (ruleId, eventId) instead of alerts.' },
    from: { type: 'string', value: '<time>', doc: 'Leave out events before this time (RFC 3339).' },
    to: { type: 'string', value: '<time>', doc: 'Leave out events at or after this time.' },
    'fail-on-alert': { type: 'boolean', doc: 'Exit 1 when there is an alert that is not suppressed.' },
  },
  settings: ['RULES', 'SUPPRESSIONS', 'SOURCE_IDENTITY', 'KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL'],
  async run(context) {
    if (context.positionals.length === 0) throw twError('TW_USAGE', 'replay needs files, folders, `-`, or a topic.')
    const detection = await detectionFrom(context.config)
    const inRange = rangeOf(context)
    if (context.options['matches'] === true) return printMatches(context, detection, inRange)
    return printAlerts(context, detection, inRange)
  },
}

type InRange = (event: CloudTrailEvent) => boolean

function rangeOf(context: CommandContext): InRange {
  const bound = (name: string): number | null => {
    const given = textOption(context, name)
    if (given === undefined) return null
    const time = parseTime(given)
    if (time === null) throw twError('TW_USAGE', `--${name} ${given} is not a time; write 2026-01-15T09:00:00Z.`)
    return time
  }
  const from = bound('from') ?? -Infinity
  const to = bound('to') ?? Infinity
  return event => event.eventTime >= from && event.eventTime < to
}

async function printMatches(context: CommandContext, { rules }: Detection, inRange: InRange): Promise<number> {
  let lines: string[] = []
  let matches = 0
  const flush = async () => {
    if (lines.length === 0) return
    const text = `${lines.join('\n')}\n`
    lines = []
    await context.out.write(text)
  }
  const summary = await readEvents(
    context,
    context.positionals,
    event => {
      if (!inRange(event)) return
      for (const index of rules.match(event)) {
        const { ruleId } = rules.predicates[index]!
        matches++
        lines.push(
          context.options['json'] === true
            ? jsonLine({ ruleId, eventId: event.eventId, eventTime: rfc3339(event.eventTime) })
            : `${ruleId}\t${event.eventId.replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd')}`,
        )
      }
    },
    flush,
  )
  await flush()
  await context.err.write(`${summary}; ${matches} matches\n`)
  return 0
}

async function printAlerts(
  context: CommandContext,
  { rules, engine: options }: Detection,
  inRange: InRange,
): Promise<number> {
  const schema = topicContract('EVENTS_TOPIC').schema!
  const sorter = new EventSorter(eventEncoder(schema), eventDecoder(schema), schema)
  let summary: string
  try {
    summary = await readEvents(context, context.positionals, event => {
      if (inRange(event) && rules.match(event).length > 0) sorter.add(event)
    })
  } catch (error) {
    sorter.close()
    throw error
  }
  const engine = new Engine(rules, options)
  const { out } = context
  const json = context.options['json'] === true
  const counts = { alerts: 0, unsuppressed: 0, duplicates: 0, late: 0 }
  let transaction = engine.begin()
  let pending = 0
  const flush = async () => {
    counts.duplicates += transaction.counts.duplicates
    counts.late += transaction.counts.late
    for (const alert of transaction.alerts) {
      if (counts.alerts++ === 0 && !json) await out.write(alertTextHeading(out))
      if (alert.suppressed === null) counts.unsuppressed++
      await out.write(json ? `${alertToJson(alert)}\n` : alertText(alert, out))
    }
    transaction.merge()
    transaction = engine.begin()
    pending = 0
  }
  for (const event of sorter.drain()) {
    if (context.stop.aborted) break
    transaction.process(event, null, null)
    if (++pending >= 1000) await flush()
  }
  await flush()
  await context.err.write(
    `${summary}; ${counts.duplicates} duplicates, ${counts.late} late; ` +
      `${counts.alerts} alerts${counts.alerts > counts.unsuppressed ? ` (${counts.alerts - counts.unsuppressed} suppressed)` : ''}\n`,
  )
  return context.options['fail-on-alert'] === true && counts.unsuppressed > 0 ? 1 : 0
}
