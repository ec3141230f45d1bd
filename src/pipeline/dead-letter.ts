// Dead letters: the original bytes and key of a record that a stage refused, with where it stood and why.
// Header names are those of Kafka Connect's dead-letter queues, so that existing tooling reads them.
import type { LogRecord, OutRecord } from '../log/log-client.ts'
import type { Rejected } from '../rejected.ts'

/** Where a refused record came from. */
export interface Origin {
  readonly topic: string
  readonly partition: number
}

/**
 * Builds the dead letter of one input record. An envelope with several bad records is one dead letter that carries the
 * first reason and their number, because a copy of the envelope per bad record would let one input flood the topic.
 * @param count records refused inside this input, at least 1
 */
export function deadLetter(
  record: LogRecord,
  origin: Origin,
  stage: 'NORMALIZE' | 'DETECT',
  refusal: Rejected,
  count = 1,
): OutRecord {
  const headers: Record<string, Buffer | string> = {}
  for (const [name, value] of Object.entries(record.headers)) if (value !== undefined) headers[name] = value
  headers['__connect.errors.topic'] = origin.topic
  headers['__connect.errors.partition'] = String(origin.partition)
  headers['__connect.errors.offset'] = String(record.offset)
  headers['__connect.errors.stage'] = stage
  headers['__connect.errors.exception.class.name'] = 'Rejected'
  headers['__connect.errors.exception.message'] = `${refusal.rejected}: ${refusal.detail}`.slice(0, 300)
  headers['trailwarden.reason'] = refusal.rejected
  headers['trailwarden.rejected-records'] = String(count)
  return { key: record.key, value: record.value, headers }
}
