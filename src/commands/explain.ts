// `trailwarden explain`: why an alert was raised, or why none was, step by step. Events go through the very engine that
// `detect` and `replay` run. They come from files or a topic, or from a live cluster with the alert and the detector's state;
// an alert file without events is told as far as its record goes.
import { principalHash } from '../alerts/dedup-key.ts'
import { inSentence } from '../alerts/wording.ts'
import { twError } from '../errors.ts'
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { topicContract } from '../topics.ts'
import type { Command, CommandContext } from './command.ts'
import { textOption } from './command.ts'
import { readEvents } from './event-input.ts'
import { EventSorter } from './event-sorter.ts'
import { explainLive } from './explain-live.ts'
import type { LiveTarget } from './explain-live.ts'
import { Inquiry } from './explain-inquiry.ts'
import type { Question } from './explain-inquiry.ts'
import { recordText } from './explain-record.ts'
import { isAlertFile, parseDedupKey, PrincipalHashes, readAlerts, ruleCalled, ruleOfKey } from './explain-target.ts'
import type { AlertRecord } from './explain-target.ts'
import { detectionFrom } from './rule-set.ts'
import type { Detection } from './rule-set.ts'
import { connectionFrom, kafkaOptionsFrom, registryFrom } from './settings.ts'

export const explain: Command = {
  name: 'explain',
  usage: '<dedup key|alert file> [--input <paths…>] | --principal <key> [--rule <id>] [--input <paths…>]',
  summary: 'Show step by step why a rule fired for a principal, or how far it was from firing.',
  details:
    'Runs the events of --input (files, folders, or an events topic) through the engine, ordered by event time, and shows for\n' +
    "each of the principal's events what it did: counted, duplicate, late or no match, the window against the threshold, the\n" +
    'moment the condition became true, and every alert told. Without --input a dedup key or a principal is explained from the\n' +
    "cluster: its alerts, the detector's state, and the events of its partition in the order in which they were detected on. An\n" +
    'alert file holds JSON lines of `replay --json` (`-` is standard input); without --input its own record is explained. Exit 1\n' +
    'when there is nothing of what is asked about.',
  examples: [
    'trailwarden replay --json trail/ > alerts.jsonl && trailwarden explain alerts.jsonl --input trail/',
    'trailwarden explain secretsmanager-multi-region:138bc828548b3dda:-:1768468960000 --input trail/',
    'trailwarden explain --principal 111122223333/role/AROAEXAMPLE --rule secretsmanager-denied-rate',
  ],
  options: {
    input: {
      type: 'string',
      value: '<path>',
      multiple: true,
      doc: 'Events: a file or folder, or a topic; further arguments are more of them.',
    },
    principal: { type: 'string', value: '<key>', doc: 'Explain this principal, whether or not it alerted.' },
    rule: { type: 'string', value: '<id>', doc: 'With --principal: this rule only, instead of all.' },
    arrival: {
      type: 'boolean',
      doc: 'Take events in the order of the input, as live detection met them: shows what came late.',
    },
    all: { type: 'boolean', doc: 'Show every step, not only the first, the last and the decisive ones.' },
    json: { type: 'boolean', doc: 'Every step, and a verdict at the end, as JSON lines.' },
  },
  settings: [
    'RULES',
    'SUPPRESSIONS',
    'SOURCE_IDENTITY',
    'KAFKA_BROKERS',
    'SCHEMA_REGISTRY_URL',
    'EVENTS_TOPIC',
    'ALERTS_TOPIC',
    'STATE_TOPIC',
  ],
  async run(context) {
    const detection = await detectionFrom(context.config)
    const principal = textOption(context, 'principal')
    const target = principal === undefined ? context.positionals[0] : undefined
    const rest = principal === undefined ? context.positionals.slice(1) : context.positionals
    const given = context.options['input']
    const input = Array.isArray(given) ? [...(given as readonly string[]), ...rest] : []
    if (principal !== undefined) {
      const questions = questionsAbout(principal, textOption(context, 'rule'), detection)
      if (input.length === 0) return fromCluster(context, detection, { principal }, questions)
      return fromEvents(context, detection, questions, input)
    }
    if (textOption(context, 'rule') !== undefined) throw twError('TW_USAGE', '--rule goes with --principal.')
    if (target === undefined) throw twError('TW_USAGE', 'explain needs a dedup key, a file of alerts, or --principal.')
    if (input.length === 0 && rest.length > 0)
      throw twError('TW_USAGE', 'explain takes one key or file; events follow --input.')
    if (await isAlertFile(target)) {
      const alerts = await readAlerts(target)
      if (input.length === 0) return fromRecords(context, detection, alerts)
      const keys = [...new Set(alerts.map(alert => alert.dedupKey))]
      return fromEvents(
        context,
        detection,
        keys.map(key => questionOf(key, detection)),
        input,
      )
    }
    const question = questionOf(target, detection)
    if (input.length > 0) return fromEvents(context, detection, [question], input)
    return fromCluster(context, detection, { dedupKey: target, opening: question.opening ?? 0 }, [question])
  },
}

async function fromCluster(
  context: CommandContext,
  detection: Detection,
  target: LiveTarget,
  questions: readonly Question[],
): Promise<number> {
  const { config, log: logger, err } = context
  await err.write(
    `Asking ${config.KAFKA_BROKERS.join(',')}; with --input <paths…> events come from files or a topic.\n`,
  )
  const log = await kafkaLog(connectionFrom(config), logger, kafkaOptionsFrom(config))
  try {
    return await explainLive(context, detection, target, questions, log, schemaRegistry(registryFrom(config)))
  } finally {
    await log.close()
  }
}

function questionOf(key: string, { rules }: Detection): Question {
  const parts = parseDedupKey(key)
  if (parts === null)
    throw twError(
      'TW_USAGE',
      `${JSON.stringify(key)} is neither a file nor a dedup key (<rule>:<principal hash>:<group hash>:<time>).`,
    )
  const { principalHash, groupHash, opening } = parts
  return { rule: ruleOfKey(parts, rules.rules), principalHash, groupHash, opening }
}

function questionsAbout(principal: string, ruleId: string | undefined, { rules }: Detection): Question[] {
  const chosen = ruleId === undefined ? rules.rules : [ruleCalled(ruleId, rules.rules)]
  return chosen.map(rule => ({ rule, principalHash: principalHash(principal), groupHash: null, opening: null }))
}

async function fromRecords(
  context: CommandContext,
  { rules }: Detection,
  alerts: readonly AlertRecord[],
): Promise<number> {
  if (context.options['json'] === true)
    throw twError('TW_USAGE', '--json gives steps, which need --input; the alerts are JSON already.')
  for (const records of Map.groupBy(alerts, alert => alert.dedupKey).values()) {
    const rule = rules.rules.find(({ id }) => id === records[0]?.ruleId) ?? null
    await context.out.write(`${recordText(records, rule)}\n`)
  }
  await context.err.write('This is what the alerts themselves hold; --input <paths…> explains them event by event.\n')
  return 0
}

async function fromEvents(
  context: CommandContext,
  detection: Detection,
  questions: readonly Question[],
  input: readonly string[],
): Promise<number> {
  const { out, err, options } = context
  const show = { all: options['all'] === true, json: options['json'] === true }
  const inquiries = questions.map(question => new Inquiry(question, detection, show))
  const byPrincipal = Map.groupBy(inquiries, inquiry => inquiry.question.principalHash)
  const hashes = new PrincipalHashes()
  const asked = (event: CloudTrailEvent) => byPrincipal.get(hashes.of(event.principal.key))
  const follow = (event: CloudTrailEvent) => asked(event)?.forEach(inquiry => inquiry.take(event))
  const alike = new Set<string>()
  const name = textOption(context, 'principal')

  const sorter = new EventSorter(topicContract('EVENTS_TOPIC').schema!, null)
  try {
    const take = (event: CloudTrailEvent) => {
      if (event.principal.name === name && alike.size < 5) alike.add(event.principal.key)
      const inquirers = asked(event)
      if (inquirers === undefined) return
      if (detection.rules.match(event).length === 0) inquirers.forEach(inquiry => inquiry.passOver(event))
      else if (options['arrival'] === true) follow(event)
      else sorter.add(event)
    }
    const { line } = await readEvents(context, input, { take })
    for (const event of sorter.drain()) follow(event)
    await err.write(`${line}\n`)
  } finally {
    sorter.close()
  }
  const answered = inquiries.filter(inquiry => inquiry.answered)
  if (name !== undefined && answered.length === 0) {
    const hint = alike.size === 0 ? '' : ` It is the name of ${[...alike].map(inSentence).join(', ')}.`
    await err.write(`None of the events is of a principal with the key ${inSentence(name)}.${hint}\n`)
    return 1
  }
  for (const [index, inquiry] of inquiries.entries()) {
    if (show.json) for (const line of inquiry.json()) await out.write(`${line}\n`)
    else {
      if (index > 0) await out.write('\n')
      for (const part of inquiry.text()) await out.write(part)
    }
  }
  return answered.length === inquiries.length ? 0 : 1
}
