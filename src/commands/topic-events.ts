// An events topic as input of `replay`: every partition from its beginning to its end, decoded, in no particular order.
import { access } from 'node:fs/promises'
import { eventDecoder } from '../codecs/cloudtrail-event.ts'
import { twError } from '../errors.ts'
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { readEvent } from '../pipeline/event-record.ts'
import { topicContract } from '../topics.ts'
import type { CommandContext } from './command.ts'
import { connectionFrom, kafkaOptionsFrom, registryFrom } from './settings.ts'

// A mistyped file name should be told at once, not looked for on a cluster.
const fileLike = /\.(json|jsonl|ndjson|gz)$/i

/** True when the arguments name a topic: one word that a topic name can be, that no file has or would have. */
export async function isTopicArgument(positionals: readonly string[]): Promise<boolean> {
  const [name] = positionals
  if (positionals.length !== 1 || name === undefined || !/^[A-Za-z0-9._-]{1,249}$/.test(name)) return false
  if (name === '-' || fileLike.test(name)) return false
  return access(name).then(
    () => false,
    () => true,
  )
}

/** Reads the topic as it stands when called; returns the line that says what was read. @throws TW_TOPIC_MISSING */
export async function readTopicEvents(
  context: CommandContext,
  topic: string,
  take: (event: CloudTrailEvent) => void,
  after?: () => Promise<void> | void,
): Promise<string> {
  const { config, log: logger } = context
  const registry = schemaRegistry(registryFrom(config))
  const decoder = eventDecoder(topicContract('EVENTS_TOPIC').schema!)
  const log = await kafkaLog(connectionFrom(config), logger, kafkaOptionsFrom(config))
  let events = 0
  let refused = 0
  try {
    const partitions = await log.partitions(topic)
    if (partitions === null)
      throw twError('TW_INPUT_MISSING', `${topic} is neither a file nor a topic of ${config.KAFKA_BROKERS.join(',')}.`)
    for (let partition = 0; partition < partitions; partition++) {
      for await (const batch of log.read(topic, partition, { signal: context.stop })) {
        for (const record of batch.records) {
          let event = readEvent(record, decoder)
          if ('unknownSchema' in event) {
            decoder.learn(event.unknownSchema, await registry.schemaById(event.unknownSchema))
            event = readEvent(record, decoder)
          }
          if ('rejected' in event || 'unknownSchema' in event) {
            refused++
            continue
          }
          events++
          take(event)
        }
        await after?.()
      }
    }
  } catch (error) {
    // As with files: a stop ends the reading, with what was read.
    if (!context.stop.aborted) throw error
  } finally {
    await log.close()
  }
  return `${events} events from ${topic}; ${refused} rejected`
}
