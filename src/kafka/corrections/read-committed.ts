// Which records of a fetch a read_committed reader may see: the rule of Java's CompletedFetch, per record batch.
// Replaces kafkajs src/consumer/filterAbortedMessages.js, which leaks aborted records in three cases: transactions that
// abort in another order than they began, a fetch that starts inside two open ones, and a user key of four zero bytes
// taken for an abort marker. All three happen as soon as two transactional producers share a partition.

import type { LogRecord } from '../../log/log-client.ts'
import type { StoredBatch } from './record-batches.ts'

/** An entry of the `aborted_transactions` of a Fetch response; kafkajs gives both numbers as text. */
export interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}

/**
 * The records at or after `from` that belong to no aborted transaction, without control records, in offset order.
 * The broker lists aborted transactions by their end, so they are ordered by their beginning first.
 */
export function committedRecords(
  batches: readonly StoredBatch[],
  aborted: readonly AbortedTransaction[] | null,
  from: number,
): LogRecord[] {
  const pending = (aborted ?? [])
    .map(entry => ({ producerId: Number(entry.producerId), firstOffset: Number(entry.firstOffset) }))
    .sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<number>()
  const visible: LogRecord[] = []
  let next = 0
  for (const batch of batches) {
    for (let entry = pending[next]; entry && entry.firstOffset < batch.nextOffset; entry = pending[++next]) {
      open.add(entry.producerId)
    }
    if (batch.control) {
      if (isAbortMarker(batch)) open.delete(batch.producerId)
      continue
    }
    if (batch.transactional && open.has(batch.producerId)) continue
    // Only the batch that holds the fetch position can begin before it.
    if (batch.baseOffset >= from) for (const record of batch.records) visible.push(record)
    else for (const record of batch.records) if (record.offset >= from) visible.push(record)
  }
  return visible
}

/** Key of a control record: version int16, type int16; type 0 is ABORT, 1 is COMMIT. */
function isAbortMarker(batch: StoredBatch): boolean {
  const key = batch.records[0]?.key
  return key != null && key.length >= 4 && key.readInt16BE(2) === 0
}
