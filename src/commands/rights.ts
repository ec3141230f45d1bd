// The rights that each verb needs, as few as it can do with: the table of docs/security.md, what `check` asks for, and what
// a refused process names in its last words.
import type { Config } from '../config.ts'
import { asTrailwardenError, twError } from '../errors.ts'
import { missingRights, rightText } from '../kafka/rights.ts'
import type { Right } from '../kafka/rights.ts'
import { transactionalIdPrefix } from '../pipeline/transactional-id.ts'
import type { CommandContext } from './command.ts'
import { connectionFrom, topicDefinitionsFrom } from './settings.ts'

/** The verbs of a running line. */
export const lineVerbs = ['normalize', 'detect'] as const
export type LineVerb = (typeof lineVerbs)[number]
/** A verb with a list of rights. */
export type VerbWithRights = LineVerb | 'check' | 'topics apply'

/** Everything the verb needs, and nothing else. */
export function rightsOf(verb: VerbWithRights, config: Config): readonly Right[] {
  const topic = (operation: Right['operation'], name: string): Right => ({ operation, resource: 'Topic', name })
  const group = (name: string): Right => ({ operation: 'Read', resource: 'Group', name })
  switch (verb) {
    case 'normalize':
      return [
        topic('Read', config.RAW_TOPIC),
        group(config.NORMALIZE_GROUP),
        topic('Write', config.EVENTS_TOPIC),
        topic('Write', config.REJECTED_TOPIC),
      ]
    case 'detect':
      return [
        topic('Read', config.EVENTS_TOPIC),
        group(config.DETECT_GROUP),
        topic('Read', config.STATE_TOPIC),
        topic('Write', config.STATE_TOPIC),
        topic('Write', config.ALERTS_TOPIC),
        topic('Write', config.REJECTED_TOPIC),
        {
          operation: 'Write',
          resource: 'TransactionalId',
          name: transactionalIdPrefix(config.DETECT_GROUP, config.EVENTS_TOPIC),
          prefixed: true,
        },
      ]
    case 'check':
      return topicDefinitionsFrom(config).map(({ name }) => topic('DescribeConfigs', name))
    case 'topics apply':
      return topicDefinitionsFrom(config).flatMap(({ name }) => [
        topic('Create', name),
        topic('Describe', name),
        // Brings DescribeConfigs along.
        topic('AlterConfigs', name),
      ])
  }
}

/** For `catch`: where the brokers refuse a verb, its error also names the rights that this user lacks. */
export function namingMissingRights(
  context: CommandContext,
  verb: VerbWithRights,
): (thrown: unknown) => Promise<never> {
  return async thrown => {
    const error = asTrailwardenError(thrown)
    if (error.code !== 'TW_NOT_AUTHORIZED') throw thrown
    const { config, log } = context
    // Best effort: the refusal itself is what has to be told.
    const missing = await missingRights(connectionFrom(config), log, rightsOf(verb, config)).catch(() => [])
    if (missing.length === 0) throw thrown
    throw twError('TW_NOT_AUTHORIZED', `${error.message} This user lacks ${missing.map(rightText).join(', ')}.`, thrown)
  }
}
