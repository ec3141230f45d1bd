// What should have come out: one uninterrupted run over the same records at the same offsets with the same timestamps,
// by the same loop on the log without a broker; and the episodes as `replay` finds them in event-time order.
import assert from 'node:assert/strict'
import type { Alert } from '../../src/alerts/alert.ts'
import { detectorOptions } from '../../src/commands/detector-parts.ts'
import { detectionFrom } from '../../src/commands/rule-set.ts'
import { registryFrom } from '../../src/commands/settings.ts'
import { loadConfig } from '../../src/config.ts'
import { schemaRegistry } from '../../src/kafka/registry.ts'
import { inProcessLog } from '../../src/log/in-process.ts'
import type { Headers } from '../../src/log/log-client.ts'
import { createMetrics } from '../../src/metrics/metrics.ts'
import { startDetector } from '../../src/pipeline/detector.ts'
import type { Line } from '../harness/line.ts'
import { outcomeOf } from '../harness/outcome.ts'
import type { Outcome } from '../harness/outcome.ts'

/** The poison of 10 MB, and the headers of its dead letter. */
const largestRecord = 11_000_000
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** The outcome of one straight run over what the events topic of the line holds. */
export async function straightRun(line: Line): Promise<Outcome> {
  const config = loadConfig({ flags: {}, env: line.env })
  let timestamp = 0
  const log = inProcessLog({ now: () => timestamp, maxRecordBytes: largestRecord })
  const partitions = (await line.log.partitions(line.topics.events))!
  for (const [role, topic] of Object.entries(line.topics))
    log.createTopic(topic, { partitions, compact: role === 'state' })
  const producer = await log.producer()
  for (let partition = 0; partition < partitions; partition++) {
    let next = 0
    for await (const { records } of line.log.read(line.topics.events, partition))
      for (const { offset, key, value, headers, ...record } of records) {
        assert.equal(offset, next++, 'the offsets of the input have gaps, which the straight run could not repeat')
        timestamp = record.timestamp
        await producer.send([
          { topic: line.topics.events, records: [{ key, value, headers: headers as Headers, partition }] },
        ])
      }
  }
  await producer.close()
  const schemas = schemaRegistry(registryFrom(config))
  const metrics = createMetrics('detect', 'straight')
  const options = await detectorOptions(config, await detectionFrom(config), log, schemas, metrics, silent)
  const loop = await startDetector(options)
  await Promise.race([log.idle(), loop.done])
  await loop.stop()
  return outcomeOf({ log, group: options.group, topics: options.topics })
}

/** An episode as its last alert tells it. Alerts that `replay --json` printed have times as text. */
interface Episode {
  readonly of: string
  readonly from: number
  readonly to: number
}

/** The last alert of every key, without those that turned out to be part of an earlier episode. */
function episodesIn(alerts: readonly Alert[]): Episode[] {
  const last = new Map(alerts.map(alert => [alert.dedupKey, alert]))
  return [...last.values()]
    .filter(({ mergedInto }) => mergedInto === null)
    .map(({ ruleId, principal, firstSeen, lastSeen }) => ({
      of: `${ruleId} ${principal.key}`,
      from: new Date(firstSeen).getTime(),
      to: new Date(lastSeen).getTime(),
    }))
}

/**
 * What differs between the episodes of two runs over the same events in different orders, as sentences. Keys and edges
 * may differ: an event that arrives late and changes nothing else gives no alert (docs/alerts.md). So every episode of
 * one run must overlap one of the other for the same rule and principal, and there must be equally many.
 */
export function episodeDifferences(live: readonly Alert[], replayed: readonly Alert[]): string[] {
  const [ours, theirs] = [episodesIn(live), episodesIn(replayed)]
  const without = (some: readonly Episode[], others: readonly Episode[]) =>
    some.filter(a => !others.some(b => a.of === b.of && a.from <= b.to && b.from <= a.to))
  const shown = ({ of, from }: Episode) => `${of} at ${new Date(from).toISOString()}`
  return [
    ...without(theirs, ours).map(episode => `missing: ${shown(episode)}`),
    ...without(ours, theirs).map(episode => `should not be: ${shown(episode)}`),
    ...(ours.length === theirs.length ? [] : [`${ours.length} episodes instead of ${theirs.length}`]),
  ]
}
