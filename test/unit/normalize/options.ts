// The options and records that tests of the normalizer share.
import { normalizeBytes } from '../../../src/normalize/raw-value.ts'
import type { NormalizeOptions } from '../../../src/normalize/raw-value.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import type { Rejected } from '../../../src/rejected.ts'
import { defaultEnvelopeLimits } from '../../../src/sources/envelope.ts'

export const keepAll: NormalizeOptions = {
  limits: defaultEnvelopeLimits,
  sourceIdentity: 'trust',
  keepRequestParameters: true,
  keepResponseElements: true,
  keepAdditionalEventData: true,
}

/** The least that is a record. */
export const smallest = {
  eventTime: '2026-03-01T08:15:30Z',
  eventSource: 'secretsmanager.amazonaws.com',
  eventName: 'GetSecretValue',
}

export interface Collected {
  readonly events: CloudTrailEvent[]
  readonly skipped: string[]
  readonly rejected: Rejected[]
  /** What came in which order: `event`, the skip kind, or the reason. */
  readonly order: string[]
}

/** Everything that one raw value gives. */
export function collect(value: Uint8Array | string | null, options: NormalizeOptions = keepAll): Collected {
  const found: Collected = { events: [], skipped: [], rejected: [], order: [] }
  normalizeBytes(typeof value === 'string' ? Buffer.from(value) : value, options, {
    event(event, index) {
      found.events.push(event)
      found.order[index] = 'event'
    },
    skipped(kind, index) {
      found.skipped.push(kind)
      found.order[index] = kind
    },
    rejected(rejected, index) {
      found.rejected.push(rejected)
      found.order[index] = rejected.rejected
    },
  })
  return found
}
