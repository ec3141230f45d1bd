// The normalizer without Kafka: raw values to records of the events topic, wired as the pipeline wires it, in chunks as
// large as its own. Returns the bytes written, so that the work cannot be optimised away.
import { eventEncoder } from '../src/codecs/cloudtrail-event.ts'
import type { OutRecord } from '../src/log/log-client.ts'
import { FastRecords } from '../src/pipeline/fast-records.ts'
import { eventRecords, Normalizing } from '../src/pipeline/normalize-batch.ts'
import { fail, options, schema } from './events.ts'

const perChunk = 2000
const schemaId = 1
const maxRecordBytes = 900_000

/** A pass over raw values, to be run many times; `fastPaths` as in the setting of that name. */
export function normalizer(fastPaths: boolean): (lines: readonly Buffer[]) => number {
  const encoder = eventEncoder(schema)
  const fast = fastPaths ? new FastRecords(options, schemaId, maxRecordBytes) : null
  return lines => {
    let size = 0
    let events = 0
    for (let from = 0; from < lines.length; from += perChunk) {
      const records: OutRecord[] = []
      const take = eventRecords(encoder, schemaId, maxRecordBytes, records)
      const normalizing = new Normalizing(options, take, value => fast?.take(value, records, () => undefined) ?? null)
      for (const line of lines.slice(from, from + perChunk)) normalizing.value(line)
      for (const record of records) size += record.value!.length
      events += normalizing.counts.events
    }
    if (events !== lines.length) fail({ events })
    return size
  }
}
