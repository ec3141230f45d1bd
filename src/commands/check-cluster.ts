// The cluster part of `check`: the rights of the user, topics, subjects and partition counts against topics/, and whether
// the groups may be read. Asks and changes nothing. What a broker or registry answers with an error becomes a finding.
import type { Config } from '../config.ts'
import { asTrailwardenError } from '../errors.ts'
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import type { SchemaRegistryClient } from '../kafka/registry.ts'
import { missingRights, rightText } from '../kafka/rights.ts'
import type { Right } from '../kafka/rights.ts'
import { topicAdmin } from '../kafka/topics.ts'
import type { LogClient } from '../log/log-client.ts'
import type { Checked } from './check.ts'
import type { CommandContext } from './command.ts'
import { rightsOf } from './rights.ts'
import type { LineVerb, VerbWithRights } from './rights.ts'
import { connectionFrom, kafkaOptionsFrom, registryFrom, topicDefinitionsFrom } from './settings.ts'

/** Asks KAFKA_BROKERS and SCHEMA_REGISTRY_URL on behalf of the verbs. Never rejects for what they answer. */
export async function checkCluster(context: CommandContext, verbs: readonly LineVerb[]): Promise<Checked> {
  const { config } = context
  const brokers = config.KAFKA_BROKERS.join(', ')
  const findings: string[] = []
  const notes: string[] = []
  const registry = schemaRegistry(registryFrom(config))
  const answers = await registryAnswers(registry, context, findings)
  let log: LogClient | null = null
  try {
    log = await kafkaLog(connectionFrom(config), context.log, kafkaOptionsFrom(config))
    const denied = await checkRights(context, verbs, findings)
    await checkTopics(context, answers ? registry : null, denied, verbs, findings)
    await checkPartitions(context, log, denied, verbs, findings, notes)
  } catch (thrown) {
    findings.push(sentence('The cluster could not be checked', thrown))
  } finally {
    await log?.close()
  }
  const registered = answers ? ` and ${config.SCHEMA_REGISTRY_URL}` : ', without the registry'
  return { summary: log === null ? `${brokers} did not answer` : `${brokers}${registered}`, findings, notes }
}

/** What may not be asked for: already said, so that one missing right gives one finding. */
interface Denied {
  has(operation: 'any' | 'DescribeConfigs' | 'Read', name: string): boolean
}

async function checkRights(
  { config, log }: CommandContext,
  verbs: readonly LineVerb[],
  findings: string[],
): Promise<Denied> {
  const wanted = new Map<string, { readonly right: Right; readonly verbs: VerbWithRights[] }>()
  const used = usedTopics(config, verbs)
  for (const verb of [...verbs, 'check'] as const)
    for (const right of rightsOf(verb, config)) {
      if (verb === 'check' && !used.has(right.name)) continue
      const known = wanted.get(rightText(right)) ?? { right, verbs: [] }
      wanted.set(rightText(right), { right, verbs: [...known.verbs, verb] })
    }
  const rights = [...wanted.values()].map(({ right }) => right)
  const missing = await missingRights(connectionFrom(config), log, rights)
  for (const right of missing)
    findings.push(
      `The Kafka user lacks ${rightText(right)}, which ${wanted.get(rightText(right))?.verbs.join(' and ')} needs.`,
    )
  return {
    has(operation, name) {
      const lacking = missing.filter(right => right.name === name)
      if (operation !== 'any') return lacking.some(right => right.operation === operation)
      // Describe comes with any other right, so nothing is seen only where everything that is wanted is missing.
      return lacking.length > 0 && lacking.length === rights.filter(right => right.name === name).length
    },
  }
}

function usedTopics(config: Config, verbs: readonly LineVerb[]): ReadonlySet<string> {
  const rights = verbs.flatMap(verb => rightsOf(verb, config))
  return new Set(rights.flatMap(({ resource, name }) => (resource === 'Topic' ? [name] : [])))
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
  denied: Denied,
  verbs: readonly LineVerb[],
  findings: string[],
): Promise<void> {
  const used = usedTopics(context.config, verbs)
  const admin = await topicAdmin(connectionFrom(context.config), context.log, registry)
  try {
    for (const definition of topicDefinitionsFrom(context.config)) {
      if (!used.has(definition.name) || denied.has('DescribeConfigs', definition.name)) continue
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
  denied: Denied,
  verbs: readonly LineVerb[],
  findings: string[],
  notes: string[],
): Promise<void> {
  const used = usedTopics(config, verbs)
  const count = async (topic: string) =>
    used.has(topic) && !denied.has('any', topic) ? log.partitions(topic) : undefined
  const [raw, events, state] = [
    await count(config.RAW_TOPIC),
    await count(config.EVENTS_TOPIC),
    await count(config.STATE_TOPIC),
  ]
  if (raw === null)
    notes.push(`Topic ${config.RAW_TOPIC} does not exist; normalize can read files, and needs it to read from Kafka.`)
  if (typeof events === 'number' && typeof state === 'number' && events !== state)
    findings.push(
      `Topic ${config.STATE_TOPIC} has ${state} partitions and ${config.EVENTS_TOPIC} ${events}: detect will not start, because state follows its partition.`,
    )
  for (const [verb, group, topic, partitions] of [
    ['normalize', config.NORMALIZE_GROUP, config.RAW_TOPIC, raw],
    ['detect', config.DETECT_GROUP, config.EVENTS_TOPIC, events],
  ] as const) {
    if (typeof partitions !== 'number' || !verbs.includes(verb) || denied.has('Read', group)) continue
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
  return `${what}: ${error.message.replace(/\.$/, '')}. ${error.hint}`
}
