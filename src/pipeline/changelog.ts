// The changelog: records of the detector-state topic. One per changed principal, a tombstone on expiry, and the input
// position under a reserved key, all in the partition of the input partition they belong to. Pure.
import type { OutRecord } from '../log/log-client.ts'
import { noExpiryYet } from './state-expiry.ts'
import type { ExpiryProgress } from './state-expiry.ts'

// A principal key is printable text, so no principal can have this key; it is not 4 bytes long, because kafkajs takes a
// 4-byte key of zeros for an abort marker.
const POSITION_KEY = Buffer.from('\0position', 'latin1')
const EMPTY_KEY = Buffer.from('\0empty', 'latin1')

/** Where the state of a partition stands. */
export interface StoredPosition {
  /** Everything below is worked off. */
  readonly offset: number
  readonly expiry: ExpiryProgress
}

/** True for keys that are not principals. */
export function isReserved(key: Buffer): boolean {
  return key[0] === 0
}

/** Records that the input has been worked off up to (not including) an offset. */
export function positionRecord(
  topic: string,
  partition: number,
  offset: number,
  expiry: ExpiryProgress = noExpiryYet,
): OutRecord {
  return { key: POSITION_KEY, value: Buffer.from(JSON.stringify({ topic, partition, offset, expiry })), partition }
}

/** A record that says nothing, under a reserved key: for a transaction that touches a partition only to be aborted. */
export function emptyRecord(partition: number): OutRecord {
  return { key: EMPTY_KEY, value: null, partition }
}

/** Reads a position back; null for another reserved key, another input topic, or something unreadable. */
export function readPosition(
  key: Buffer,
  value: Buffer | null,
  topic: string,
  partition: number,
): StoredPosition | null {
  if (value === null || !key.equals(POSITION_KEY)) return null
  try {
    const read = JSON.parse(value.toString()) as Record<string, unknown>
    const { offset } = read
    if (read['topic'] !== topic || read['partition'] !== partition || !isOffset(offset)) return null
    return { offset, expiry: readExpiry(read['expiry']) }
  } catch {
    return null
  }
}

function readExpiry(read: unknown): ExpiryProgress {
  const { stretch = null, oldest = null } = (read ?? {}) as { stretch?: unknown; oldest?: unknown }
  return isOffset(stretch) ? { stretch, oldest: Number.isSafeInteger(oldest) ? (oldest as number) : null } : noExpiryYet
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
