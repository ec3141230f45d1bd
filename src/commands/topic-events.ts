// An events topic as input of `replay`: every partition from its beginning to its end, decoded, in no particular order.
// Records are read as the detector reads them, so that both refuse the same; `from` leaves out what cannot hold later events.
import { eventDecoder } from '../codecs/cloudtrail-event.ts'
import { twError } from '../errors.ts'
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import { readEvent } from '../pipeline/event-record.ts'
import { topicContract } from '../topics.ts'
import type { CommandContext } from './command.ts'
import type { EventsRead, EventsReading } from './event-input.ts'
import { reasons } from './files.ts'
import { connectionFrom, kafkaOptionsFrom, registryFrom } from './settings.ts'

// A record is written after its events happened; one whose event lies further ahead has a wrong clock, and the event
// counts at the time of the record (src/detect/engine-transaction.ts).
const mostAheadMs = 5 * 60_000

/** Reads the topic as it stands when called. @throws TW_INPUT_MISSING where there is no such topic */
export async function readTopicEvents(
  context: CommandContext,
  topic: string,
  { take, after, total, from }: EventsReading,
): Promise<EventsRead> {
  const { config, log: logger } = context
  const registry = schemaRegistry(registryFrom(config))
  const decoder = eventDecoder(topicContract('EVENTS_TOPIC').schema!)
  const log = await kafkaLog(connectionFrom(config), logger, kafkaOptionsFrom(config))
  const rejected: Record<string, number> = {}
  let events = 0
  let done = 0
  try {
    if ((await log.partitions(topic)) === null)
      throw twError('TW_INPUT_MISSING', `${topic} is neither a file nor a topic of ${config.KAFKA_BROKERS.join(',')}.`)
    const bounds = await log.offsets(topic)
    const starts = from == null ? bounds.map(({ begin }) => begin) : await log.offsetsAt(topic, from - mostAheadMs)
    total?.(bounds.reduce((sum, { end }, partition) => sum + Math.max(0, end - (starts[partition] ?? end)), 0))
    for (const [partition, { end }] of bounds.entries()) {
      const start = starts[partition] ?? end
      for await (const batch of log.read(topic, partition, { from: start, to: end, signal: context.stop })) {
        for (const record of batch.records) {
          let event = readEvent(record, decoder)
          if ('unknownSchema' in event) {
            decoder.learn(event.unknownSchema, await registry.schemaById(event.unknownSchema))
            event = readEvent(record, decoder)
          }
          if ('rejected' in event || 'unknownSchema' in event) {
            const reason = 'rejected' in event ? event.rejected : 'unknown-schema-id'
            rejected[reason] = (rejected[reason] ?? 0) + 1
            continue
          }
          events++
          take(event, record.timestamp, null)
        }
        await after?.({ done: done + batch.nextOffset - start, unit: 'records', events })
      }
      done += end - start
    }
  } catch (error) {
    // As with files: a stop ends the reading, with what was read.
    if (!context.stop.aborted) throw error
  } finally {
    await log.close()
  }
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  return {
    kind: 'topic',
    files: 0,
    events,
    skipped: {},
    rejected,
    line: `${events} events from ${topic}; ${refused} rejected${reasons(Object.entries(rejected))}`,
  }
}
