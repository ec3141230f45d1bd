// `trailwarden tail`: alerts as they arrive on the topic, for a person at a terminal or as JSON lines for a program.
// Looks on without a consumer group: nothing is committed, nobody's partitions are touched, and it may run many times over.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Alert, Level } from '../alerts/alert.ts'
import { levels, severityIdOf } from '../alerts/alert.ts'
import { alertToJson } from '../alerts/json.ts'
import { counted } from '../alerts/wording.ts'
import { asTrailwardenError, twError } from '../errors.ts'
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import type { LogClient, LogRecord } from '../log/log-client.ts'
import type { SchemaSource } from '../log/schema-source.ts'
import { parseTime } from '../normalize/event-time.ts'
import { parseDuration } from '../rules/duration.ts'
import { alertTextRow, alertTextHeading } from './alert-text.ts'
import { AlertReader } from '../log/alert-reader.ts'
import type { Command, CommandContext } from './command.ts'
import { textOption } from './command.ts'
import { connectionFrom, kafkaOptionsFrom, registryFrom } from './settings.ts'
import { follow } from './topic-follow.ts'

/** A person cannot tell half a second from at once, and two lookups a second are nothing to a broker. */
const lookEveryMs = 500
const closeWithinMs = 1000

export const tail: Command = {
  name: 'tail',
  usage: '',
  summary: 'Show alerts as they arrive on the alerts topic.',
  details:
    'Follows the topic from now, or from --since, until Ctrl-C, through restarts of brokers and registry. Prints a table on a\n' +
    'terminal and JSON lines elsewhere. Needs Read and Describe on the topic and no consumer group; commits nothing. An alert\n' +
    'is shown when its transaction has committed. Suppressed alerts are not on the topic.',
  examples: [
    'trailwarden tail',
    'trailwarden tail --since 1h --severity high',
    "trailwarden tail --json --rule secretsmanager-multi-region | jq -r '[.lastSeen, .principal.name] | @tsv'",
  ],
  options: {
    json: { type: 'boolean', doc: 'JSON lines also on a terminal.' },
    since: { type: 'string', value: '<time>', doc: 'Begin with alerts produced since: a span (1h) or RFC 3339.' },
    rule: { type: 'string', value: '<id>', multiple: true, doc: 'Only alerts of this rule; may be repeated.' },
    severity: { type: 'string', value: '<level>', doc: `Only alerts of this severity or above: ${levels.join(', ')}.` },
    principal: { type: 'string', value: '<key>', doc: 'Only alerts of this principal: its key, or its name.' },
  },
  settings: ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'ALERTS_TOPIC'],
  async run(context) {
    if (context.positionals.length > 0)
      throw twError('TW_USAGE', `tail takes no arguments; ${JSON.stringify(context.positionals[0])} is one.`)
    const request = tailRequest(context, Date.now())
    const { config, log: logger } = context
    const log = await kafkaLog(connectionFrom(config), logger, kafkaOptionsFrom(config))
    try {
      return await tailOf(context, request, log, schemaRegistry(registryFrom(config)))
    } finally {
      await Promise.race([log.close(), sleep(closeWithinMs, undefined, { ref: false })])
    }
  },
}

/** Which alerts are asked for. */
export interface TailRequest {
  readonly wanted: (alert: Alert) => boolean
  /** Record timestamp to begin at, epoch milliseconds; null for what comes from now on. */
  readonly since: number | null
}

/** Reads the options. @throws TW_USAGE */
export function tailRequest(context: Pick<CommandContext, 'options'>, now: number): TailRequest {
  return { wanted: filterFrom(context), since: sinceFrom(context, now) }
}

function filterFrom(context: Pick<CommandContext, 'options'>): TailRequest['wanted'] {
  const { rule } = context.options
  const rules = Array.isArray(rule) ? new Set(rule as readonly string[]) : null
  const level = textOption(context, 'severity')
  if (level !== undefined && !(levels as readonly string[]).includes(level))
    throw twError('TW_USAGE', `--severity ${level} is none of ${levels.join(', ')}.`)
  const least = level === undefined ? 0 : severityIdOf(level as Level)
  const principal = textOption(context, 'principal')
  return alert =>
    (rules === null || rules.has(alert.ruleId)) &&
    alert.severityId >= least &&
    (principal === undefined || alert.principal.key === principal || alert.principal.name === principal)
}

function sinceFrom(context: Pick<CommandContext, 'options'>, now: number): number | null {
  const given = textOption(context, 'since')
  if (given === undefined) return null
  const span = parseDuration(given)
  const time = typeof span === 'number' ? now - span : parseTime(given)
  if (time === null)
    throw twError('TW_USAGE', `--since ${given} is neither a span like 1h nor a time like 2026-01-15T09:00:00Z.`)
  return time
}

/** The verb on any log: follows until the context's stop signal. @throws TW_TOPIC_MISSING */
export async function tailOf(
  context: Pick<CommandContext, 'config' | 'options' | 'out' | 'err' | 'stop'>,
  { wanted, since }: TailRequest,
  log: LogClient,
  schemas: SchemaSource,
): Promise<number> {
  const { config, options, out, err, stop } = context
  const topic = config.ALERTS_TOPIC
  if ((await log.partitions(topic)) === null) throw twError('TW_TOPIC_MISSING', `There is no topic ${topic}.`)
  const from = since === null ? (await log.offsets(topic)).map(({ end }) => end) : await log.offsetsAt(topic, since)
  const json = options['json'] === true || !out.isTerminal
  const notice = (sentence: string) => err.write(`${sentence}\n`)
  const reader = new AlertReader(schemas)
  const counts = { shown: 0, others: 0, unreadable: 0 }
  await notice(`Following ${topic}.`)
  for await (const record of follow(log, topic, { from, everyMs: lookEveryMs, signal: stop, notice })) {
    const alert = await patientlyRead(reader, record, stop, notice)
    if (alert === null) {
      if (stop.aborted) break
      if (counts.unreadable++ === 0)
        await notice(
          'A record of the topic is no alert that this version can read; it and others like it are left out.',
        )
    } else if (wanted(alert)) {
      if (counts.shown++ === 0 && !json) await out.write(alertTextHeading(out))
      await out.write(json ? `${alertToJson(alert)}\n` : alertTextRow(alert, out))
    } else counts.others++
  }
  const more = [
    ...(counts.others > 0 ? [`${counts.others} others`] : []),
    ...(counts.unreadable > 0 ? [`${counts.unreadable} unreadable`] : []),
  ]
  await notice([counted(counts.shown, 'alert'), ...more].join(', '))
  return 0
}

/** A registry that is away is waited for: nothing is left out for that. Null when stopped meanwhile. */
async function patientlyRead(
  reader: AlertReader,
  record: LogRecord,
  stop: AbortSignal,
  notice: (sentence: string) => Promise<void> | void,
): Promise<Alert | null> {
  for (let waiting = false; !stop.aborted; waiting = true) {
    try {
      return await reader.read(record)
    } catch (thrown) {
      const error = asTrailwardenError(thrown)
      if (!error.retriable) throw thrown
      if (!waiting) await notice(`${error.message} Waiting for the registry.`)
      await sleep(lookEveryMs, undefined, { signal: stop }).catch(() => undefined)
    }
  }
  return null
}
