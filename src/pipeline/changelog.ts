// The changelog: records of the detector-state topic. One per changed principal, a tombstone on expiry, and the input
// position under a reserved key, all in the partition of the input partition they belong to. Pure.
import type { OutRecord } from '../log/log-client.ts'

// A principal key is printable text, so no principal can have this key; it is not 4 bytes long, because kafkajs takes a
// 4-byte key of zeros for an abort marker.
const POSITION_KEY = Buffer.from('\0position', 'latin1')

/** True for keys that are not principals. */
export function isReserved(key: Buffer): boolean {
  return key[0] === 0
}

/** Records that the input has been worked off up to (not including) an offset. */
export function positionRecord(topic: string, partition: number, offset: number): OutRecord {
  return { key: POSITION_KEY, value: Buffer.from(JSON.stringify({ topic, partition, offset })), partition }
}

/** Reads a position back; null for another reserved key, another input topic, or something unreadable. */
export function readPosition(key: Buffer, value: Buffer | null, topic: string, partition: number): number | null {
  if (value === null || !key.equals(POSITION_KEY)) return null
  try {
    const read = JSON.parse(value.toString()) as { topic?: unknown; partition?: unknown; offset?: unknown }
    if (read.topic !== topic || read.partition !== partition || !Number.isSafeInteger(read.offset)) return null
    return read.offset as number
  } catch {
    return null
  }
}
