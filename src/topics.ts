// The topic contracts of topics/ as data: what `topics apply` creates, and the schemas the codecs are built from.
// Shell: reads the folder that ships with the package once.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'

const topicFile = z.strictObject({
  name: z.string(),
  env: z.enum(['EVENTS_TOPIC', 'ALERTS_TOPIC', 'STATE_TOPIC', 'REJECTED_TOPIC']),
  key: z.string(),
  value: z.string(),
  partitions: z.int().min(1),
  config: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)),
  schema: z.literal('value.avsc').optional(),
  compatibility: z.literal('BACKWARD_TRANSITIVE').optional(),
})

/** The four topics by their setting. */
export type TopicSetting = z.infer<typeof topicFile>['env']

/** One topic as its folder describes it. `schema` is the parsed value.avsc. */
export interface TopicContract {
  readonly setting: TopicSetting
  /** Default name. */
  readonly name: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
  readonly schema: object | null
  readonly compatibility: string | null
}

// src/ and dist/ stand side by side, so the folder is one level up from either.
const root = join(import.meta.dirname, '..', 'topics')
const names = {
  EVENTS_TOPIC: 'cloudtrail.events.v1',
  ALERTS_TOPIC: 'cloudtrail.alerts.v1',
  STATE_TOPIC: 'cloudtrail.detector-state.v1',
  REJECTED_TOPIC: 'cloudtrail.rejected.v1',
} as const satisfies Record<TopicSetting, string>

/** Reads one contract. @throws ZodError when topic.yaml has lost its shape: a defect of the package, not of the user. */
export function topicContract(setting: TopicSetting): TopicContract {
  const folder = join(root, names[setting])
  const file = topicFile.parse(parseYaml(readFileSync(join(folder, 'topic.yaml'), 'utf8')))
  return {
    setting,
    name: file.name,
    partitions: file.partitions,
    config: file.config,
    schema: file.schema === undefined ? null : (JSON.parse(readFileSync(join(folder, file.schema), 'utf8')) as object),
    compatibility: file.compatibility ?? null,
  }
}

/** All four contracts, in the order of the line. */
export function topicContracts(): readonly TopicContract[] {
  return (Object.keys(names) as TopicSetting[]).map(topicContract)
}
