// What should have come out: one uninterrupted run over the same records at the same offsets with the same timestamps,
// by the same loop on the log without a broker. It takes the records from the topic, so it judges what really arrived.
import assert from 'node:assert/strict'
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
