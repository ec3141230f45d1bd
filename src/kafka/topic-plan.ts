// What has to be done so that topics and subjects are as their definitions say. Pure: definitions and the state of the
// cluster in, actions and problems out. Partition counts and schemas that readers could not follow are never changed
// silently: they are problems, because keys would move and state would be lost.

import type { Compatibility } from './registry.ts'

/** A topic as `topics/<name>/topic.yaml` defines it. `replicationFactor` -1 leaves it to the broker. */
export interface TopicDefinition {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
  readonly subject?: { readonly name: string; readonly schema: object; readonly compatibility: Compatibility }
}

/** A topic as the cluster has it. */
export interface TopicState {
  readonly partitions: number
  readonly replicationFactor: number
  /** Effective values of all settings. */
  readonly config: Readonly<Record<string, string>>
  /** Those set on the topic itself. */
  readonly overrides: Readonly<Record<string, string>>
}

/** A subject as the registry has it, seen with the schema of its definition. */
export interface SubjectState {
  /** Whether the very schema is registered. */
  readonly registered: boolean
  readonly compatible: boolean
  readonly compatibility: Compatibility | null
}

/** Everything the plan needs to know; what is missing here does not exist. */
export interface ClusterState {
  readonly topics: ReadonlyMap<string, TopicState>
  /** Null where no registry is configured: subjects are then left alone. */
  readonly subjects: ReadonlyMap<string, SubjectState> | null
}

/** One step of `topics apply`, in the order of execution. */
export type Action =
  | { readonly kind: 'create-topic'; readonly topic: TopicDefinition }
  | {
      readonly kind: 'alter-config'
      readonly topic: string
      readonly changes: readonly { readonly name: string; readonly from: string; readonly to: string }[]
      /** All overrides after the change: AlterConfigs resets what is not named. */
      readonly overrides: Readonly<Record<string, string>>
    }
  | { readonly kind: 'register-schema'; readonly subject: NonNullable<TopicDefinition['subject']> }
  | { readonly kind: 'set-compatibility'; readonly subject: string; readonly compatibility: Compatibility }

/** Actions that lead from the state to the definitions, and what no action may change. */
export interface TopicPlan {
  readonly actions: readonly Action[]
  readonly problems: readonly string[]
}

/** The plan. Total; an empty plan means that everything is as defined. */
export function planTopics(definitions: readonly TopicDefinition[], state: ClusterState): TopicPlan {
  const actions: Action[] = []
  const problems: string[] = []
  for (const definition of definitions) {
    const topic = state.topics.get(definition.name)
    if (!topic) actions.push({ kind: 'create-topic', topic: definition })
    else {
      problems.push(...topicProblems(definition, topic))
      const changes = Object.entries(definition.config)
        .filter(([name, to]) => topic.config[name] !== to)
        .map(([name, to]) => ({ name, from: topic.config[name] ?? '(unset)', to }))
      const overrides = { ...topic.overrides, ...definition.config }
      if (changes.length > 0) actions.push({ kind: 'alter-config', topic: definition.name, changes, overrides })
    }
    const { subject } = definition
    if (!subject || !state.subjects) continue
    const registered = state.subjects.get(subject.name)
    if (registered && !registered.registered && !registered.compatible) {
      problems.push(`Subject ${subject.name} holds a schema that this version's is not compatible with.`)
    } else if (!registered?.registered) actions.push({ kind: 'register-schema', subject })
    else if (registered.compatibility !== subject.compatibility) {
      actions.push({ kind: 'set-compatibility', subject: subject.name, compatibility: subject.compatibility })
    }
  }
  return { actions, problems }
}

function topicProblems(definition: TopicDefinition, topic: TopicState): string[] {
  const { name, partitions, replicationFactor } = definition
  const problems: string[] = []
  if (topic.partitions !== partitions) {
    problems.push(
      `Topic ${name} has ${topic.partitions} partitions, not ${partitions}. More partitions would move keys away from ` +
        'their state; either define the count it has, or create a new topic and move to it.',
    )
  }
  if (topic.replicationFactor < replicationFactor) {
    problems.push(`Topic ${name} has ${topic.replicationFactor} replicas, not ${replicationFactor}.`)
  }
  return problems
}

/** An action as a line for people: what `topics apply --dry-run` prints and `topics check` complains about. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'create-topic':
      return `create topic ${action.topic.name} with ${action.topic.partitions} partitions`
    case 'alter-config':
      return `set ${action.changes.map(c => `${c.name}=${c.to} (was ${c.from})`).join(', ')} on topic ${action.topic}`
    case 'register-schema':
      return `register the schema of ${action.subject.name} (${action.subject.compatibility})`
    case 'set-compatibility':
      return `set compatibility of ${action.subject} to ${action.compatibility}`
  }
}
