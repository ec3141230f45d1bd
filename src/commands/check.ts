// `trailwarden check`: everything that can be known before a line is started: configuration, rules and their tests,
// suppressions, and with a cluster rights, topics, schemas and partition counts. Changes nothing; every finding is a sentence.
import { describeSettings, showConfig } from '../config.ts'
import { twError } from '../errors.ts'
import { jsonLine } from '../json-line.ts'
import { rfc3339 } from '../rfc3339.ts'
import { formatRuleError } from '../rules/problems.ts'
import { runRuleTests } from '../rules/rule-test-run.ts'
import { checkCluster } from './check-cluster.ts'
import { textOption } from './command.ts'
import type { Command, CommandContext } from './command.ts'
import { lineVerbs } from './rights.ts'
import type { LineVerb } from './rights.ts'
import { readRules, readSuppressions, rulePaths } from './rule-set.ts'

/** What one part of the check saw. */
export interface Checked {
  /** What was looked at, in a few words. */
  readonly summary: string
  /** What has to be put right, each a sentence. */
  readonly findings: readonly string[]
  /** What is worth knowing, likewise. */
  readonly notes?: readonly string[]
}

export const check: Command = {
  name: 'check',
  usage: '',
  summary: 'Check configuration, rules, suppressions and, with a cluster, rights, topics and schemas.',
  details:
    'Prints the configuration in force, secrets masked, and what is wrong, each finding a sentence. Changes nothing. The cluster\n' +
    'is asked with --cluster, or when KAFKA_BROKERS is set. Exit 0 when all is well, 1 with findings.',
  examples: [
    'trailwarden check',
    'trailwarden check --cluster --kafka-brokers kafka:9092',
    'trailwarden check --cluster --for detect',
    "trailwarden check --json | jq -r '.findings[]'",
  ],
  options: {
    json: { type: 'boolean', doc: 'Everything as one JSON object on one line.' },
    for: { type: 'string', value: '<verbs>', doc: 'Ask the cluster on behalf of these only: normalize, detect.' },
    cluster: { type: 'boolean', doc: 'Ask the cluster and the registry, wherever KAFKA_BROKERS comes from.' },
  },
  settings: ['RULES', 'SUPPRESSIONS', 'KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'TOPIC_PARTITIONS', 'ALERT_FORMAT'],
  async run(context) {
    const { config, out } = context
    const verbs = verbsOf(context)
    const rules = await checkRules(config.RULES)
    const parts = {
      rules: rules.checked,
      suppressions: await checkSuppressions(config.SUPPRESSIONS, rules.ids),
      cluster: asksCluster(context)
        ? await checkCluster(context, verbs)
        : { summary: 'not asked: neither KAFKA_BROKERS nor --cluster is given', findings: [] },
    }
    const findings = Object.values(parts).flatMap(part => part.findings)
    const notes = Object.values(parts).flatMap(part => part.notes ?? [])
    const shown = showConfig(config)
    if (context.options['json'] === true) {
      const summaries = Object.fromEntries(Object.entries(parts).map(([name, { summary }]) => [name, summary]))
      await out.write(`${jsonLine({ config: shown, ...summaries, findings, notes })}\n`)
    } else await out.write(text(shown, parts, findings, notes))
    return findings.length === 0 ? 0 : 1
  },
}

/** A line may have a user for each of its processes; each is asked for its own rights only. */
function verbsOf(context: CommandContext): readonly LineVerb[] {
  const asked = textOption(context, 'for')
    ?.split(',')
    .map(verb => verb.trim())
  const unknown = asked?.find(verb => !lineVerbs.some(known => known === verb))
  if (unknown !== undefined)
    throw twError('TW_USAGE', `--for takes ${lineVerbs.join(', ')}, not ${JSON.stringify(unknown)}.`)
  return lineVerbs.filter(verb => asked?.includes(verb) ?? true)
}

/** Whether somebody named brokers: on the command line, in the environment, or in a file other than the default. */
function asksCluster({ options, config, env }: CommandContext): boolean {
  const preset = describeSettings().find(({ name }) => name === 'KAFKA_BROKERS')?.default
  return (
    options['cluster'] === true ||
    options['kafka-brokers'] !== undefined ||
    (env['KAFKA_BROKERS'] ?? '') !== '' ||
    config.KAFKA_BROKERS.join(',') !== preset
  )
}

async function checkRules(setting: string | undefined): Promise<{ checked: Checked; ids: readonly string[] | null }> {
  const loaded = await readRules(rulePaths(setting))
  if ('errors' in loaded)
    return { checked: { summary: 'not valid', findings: loaded.errors.map(formatRuleError) }, ids: null }
  const { rules, tests } = loaded
  if (rules.predicates.length === 0) return { checked: { summary: 'none', findings: ['There are no rules.'] }, ids: [] }
  const failed = runRuleTests(rules, tests).filter(result => result.differences.length > 0)
  const findings = [...Map.groupBy(failed, result => result.test.ruleId)].map(
    ([ruleId, own]) =>
      `Rule ${ruleId} fails ${own.length} of its own tests; \`trailwarden test\` shows what was expected and what came.`,
  )
  const summary = `${rules.rules.length} that alert, of ${rules.predicates.length} detection rules; ${tests.length} tests`
  return { checked: { summary, findings }, ids: rules.rules.map(rule => rule.id) }
}

async function checkSuppressions(setting: string | undefined, ruleIds: readonly string[] | null): Promise<Checked> {
  const loaded = await readSuppressions(setting, Date.now(), ruleIds ?? undefined)
  if ('errors' in loaded) return { summary: 'not valid', findings: loaded.errors.map(formatRuleError) }
  const { suppressions, expired } = loaded
  const findings = expired.map(
    ({ id, origin, owner, expires }) =>
      `Suppression ${id} (${origin}) expired on ${rfc3339(expires).slice(0, 10)}: remove it, or let ${owner} give it a new date.`,
  )
  return { summary: `${suppressions.length}, of which ${expired.length} expired`, findings }
}

function text(
  config: Readonly<Record<string, string>>,
  parts: Readonly<Record<string, Checked>>,
  findings: readonly string[],
  notes: readonly string[],
): string {
  const width = Math.max(...Object.keys(config).map(name => name.length))
  return [
    'configuration',
    ...Object.entries(config).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
    ...Object.entries(parts).map(([name, { summary }]) => `${name.padEnd(14)}${summary}`),
    '',
    ...notes.map(note => `note: ${note}`),
    ...(findings.length === 0
      ? ['All good.']
      : [`${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}:`, ...findings.map(one => `- ${one}`)]),
    '',
  ].join('\n')
}
