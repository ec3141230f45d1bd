// `trailwarden topics apply|check`: creates what topics/ describes on a real cluster and registry, or says what differs.
import { twError } from '../errors.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import { describeAction } from '../kafka/topic-plan.ts'
import { topicAdmin } from '../kafka/topics.ts'
import type { Command } from './command.ts'
import { connectionFrom, registryFrom, topicDefinitionsFrom } from './settings.ts'

export const topics: Command = {
  name: 'topics',
  usage: 'apply|check',
  summary: 'Create or verify the topics and schema subjects.',
  details:
    'apply creates missing topics, corrects differing settings and registers the schemas (BACKWARD_TRANSITIVE). It never\n' +
    'deletes anything and never changes a partition count; running it again does nothing. check changes nothing and exits 1\n' +
    'when something is not as described.',
  examples: ['trailwarden topics apply --dry-run', 'trailwarden topics check'],
  options: { 'dry-run': { type: 'boolean', doc: 'With apply: print what would be done.' } },
  settings: [
    'KAFKA_BROKERS',
    'SCHEMA_REGISTRY_URL',
    'EVENTS_TOPIC',
    'ALERTS_TOPIC',
    'STATE_TOPIC',
    'REJECTED_TOPIC',
    'TOPIC_PARTITIONS',
    'TOPIC_REPLICATION_FACTOR',
    'ALERT_FORMAT',
  ],
  async run({ positionals, options, config, out, log }) {
    const [action] = positionals
    if (positionals.length !== 1 || (action !== 'apply' && action !== 'check'))
      throw twError('TW_USAGE', 'topics takes one argument, apply or check.')
    const definitions = topicDefinitionsFrom(config)
    const admin = await topicAdmin(connectionFrom(config), log, schemaRegistry(registryFrom(config)))
    try {
      if (action === 'check') {
        const problems = await admin.check(definitions)
        await out.write(
          problems.length === 0 ? 'All topics and subjects are as described.\n' : `${problems.join('\n')}\n`,
        )
        return problems.length === 0 ? 0 : 1
      }
      const dryRun = options['dry-run'] === true
      const plan = await (dryRun ? admin.plan(definitions) : admin.apply(definitions))
      for (const step of plan.actions) await out.write(`${dryRun ? 'would ' : ''}${describeAction(step)}\n`)
      for (const problem of plan.problems) await out.write(`problem: ${problem}\n`)
      if (plan.actions.length + plan.problems.length === 0) await out.write('Nothing to do.\n')
      return plan.problems.length === 0 ? 0 : 1
    } finally {
      await admin.close()
    }
  },
}
