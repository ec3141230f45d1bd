// Whether a partition really has something to read from a position on, looked at by another way than the consumer's.
// Lag is not enough: behind the last record there may be aborted and control records that nobody delivers.
import type { LogClient, LogRecord } from '../log/log-client.ts'

/** The next record from an offset on, or null where there is none. Rejects like the log's own reads. */
export async function waitingRecord(
  log: LogClient,
  topic: string,
  partition: number,
  from: number,
): Promise<LogRecord | null> {
  const range = (await log.offsets(topic))[partition]
  if (range === undefined || from >= range.end) return null
  for await (const { records } of log.read(topic, partition, { from: Math.max(from, range.begin), to: range.end }))
    return records[0] ?? null
  return null
}
