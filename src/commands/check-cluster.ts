// The cluster part of `check`: topics, subjects and partition counts against topics/, and whether the groups may be read.
// Asks and changes nothing. What a broker or registry answers with an error becomes a finding, with the right it hints at.
import { asTrailwardenError } from '../errors.ts'
import { protocolCode } from '../kafka/faults.ts'
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import type { SchemaRegistryClient } from '../kafka/registry.ts'
import { topicAdmin } from '../kafka/topics.ts'
import type { LogClient } from '../log/log-client.ts'
import type { Checked } from './check.ts'
import type { CommandContext } from './command.ts'
import { connectionFrom, kafkaOptionsFrom, registryFrom, topicDefinitionsFrom } from './settings.ts'

/** https://kafka.apache.org/protocol#protocol_error_codes */
const forbidden: ReadonlyMap<number, string> = new Map([
  [29, 'The Kafka user needs Describe and DescribeConfigs on the topic, and Read or Write to use it.'],
  [30, 'The Kafka user needs Read on the consumer group.'],
  [31, 'The Kafka user needs Describe on the cluster.'],
  [53, 'The Kafka user needs Write on the transactional id.'],
])

/** Asks KAFKA_BROKERS and SCHEMA_REGISTRY_URL. Never rejects for what they answer. */
export async function checkCluster(context: CommandContext): Promise<Checked> {
  const { config } = context
  const brokers = config.KAFKA_BROKERS.join(', ')
  const findings: string[] = []
  const notes: string[] = []
  const registry = schemaRegistry(registryFrom(config))
  const answers = await registryAnswers(registry, context, findings)
  let log: LogClient | null = null
  try {
    log = await kafkaLog(connectionFrom(config), context.log, kafkaOptionsFrom(config))
    await checkTopics(context, answers ? registry : null, findings)
    await checkPartitions(context, log, findings, notes)
  } catch (thrown) {
    findings.push(sentence('The cluster could not be checked', thrown))
  } finally {
    await log?.close()
  }
  const registered = answers ? ` and ${config.SCHEMA_REGISTRY_URL}` : ', without the registry'
  return { summary: log === null ? `${brokers} did not answer` : `${brokers}${registered}`, findings, notes }
}

async function registryAnswers(
  registry: SchemaRegistryClient,
  { config }: CommandContext,
  findings: string[],
): Promise<boolean> {
  try {
    await registry.latest(`${config.EVENTS_TOPIC}-value`)
    return true
  } catch (thrown) {
    findings.push(sentence('The schemas could not be checked', thrown))
    return false
  }
}

/** One topic after the other, so that one that may not be seen does not hide the rest. */
async function checkTopics(
  context: CommandContext,
  registry: SchemaRegistryClient | null,
  findings: string[],
): Promise<void> {
  const admin = await topicAdmin(connectionFrom(context.config), context.log, registry)
  try {
    for (const definition of topicDefinitionsFrom(context.config)) {
      try {
        const problems = await admin.check([definition])
        findings.push(...problems.map(problem => problem.replace(/^Not as defined: (.*)\.$/, apply)))
      } catch (thrown) {
        findings.push(sentence(`Topic ${definition.name} could not be checked`, thrown))
      }
    }
  } finally {
    await admin.close()
  }
}

function apply(_whole: string, action: string): string {
  return `\`trailwarden topics apply\` would ${action}.`
}

/** What `detect` refuses at start, and whether it and `normalize` may see their groups' positions. */
async function checkPartitions(
  { config }: CommandContext,
  log: LogClient,
  findings: string[],
  notes: string[],
): Promise<void> {
  const [raw, events, state] = [
    await log.partitions(config.RAW_TOPIC),
    await log.partitions(config.EVENTS_TOPIC),
    await log.partitions(config.STATE_TOPIC),
  ]
  if (raw === null)
    notes.push(`Topic ${config.RAW_TOPIC} does not exist; normalize can read files, and needs it to read from Kafka.`)
  if (events !== null && state !== null && events !== state)
    findings.push(
      `Topic ${config.STATE_TOPIC} has ${state} partitions and ${config.EVENTS_TOPIC} ${events}: detect will not start, because state follows its partition.`,
    )
  for (const [group, topic, count] of [
    [config.NORMALIZE_GROUP, config.RAW_TOPIC, raw],
    [config.DETECT_GROUP, config.EVENTS_TOPIC, events],
  ] as const) {
    if (count === null) continue
    try {
      await log.committed(group, topic)
    } catch (thrown) {
      findings.push(sentence(`The position of group ${group} could not be read`, thrown))
    }
  }
}

/** `what: the error. What to do.` */
export function sentence(what: string, thrown: unknown): string {
  const error = asTrailwardenError(thrown)
  const hint = forbidden.get(protocolCode(thrown) ?? 0) ?? error.hint
  return `${what}: ${error.message.replace(/\.$/, '')}. ${hint}`
}
