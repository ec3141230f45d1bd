// What a kafkajs failure means for us: the protocol code inside the wrapped errors, and the code of our table for it.
// kafkajs wraps errors up to three deep and knows protocol codes up to 88 only; both end here.

import { TrailwardenError, twError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { refusalOf } from './refusals.ts'

/** Numbers of the Kafka protocol: https://kafka.apache.org/protocol#protocol_error_codes. */
const code = {
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  recordListTooLarge: 18,
  illegalGeneration: 22,
  inconsistentGroupProtocol: 23,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  concurrentTransactions: 51,
  fencedInstanceId: 82,
} as const

// INVALID_PRODUCER_EPOCH is how brokers of the classic transaction protocol report a fenced producer; the others mean
// that the producer's identity or sequence is gone. 90 (PRODUCER_FENCED) is unknown to kafkajs.
const fenced: ReadonlySet<number> = new Set([47, 48, 45, 59, 90])
const rebalanced: ReadonlySet<number> = new Set([
  code.illegalGeneration,
  code.unknownMemberId,
  code.rebalanceInProgress,
])
// Coordinator loading, not available, not here; an ending transaction of the previous holder.
const openRetriable: ReadonlySet<number> = new Set([14, 15, 16, code.concurrentTransactions])

/** The error and its causes, outermost first, of several failures (kafkajs' aggregates) the first; ends on a loop. */
function* chain(thrown: unknown): Generator<Error & { code?: unknown; retriable?: unknown }> {
  const seen = new Set<unknown>()
  let error = thrown
  while (error instanceof Error && !seen.has(error)) {
    seen.add(error)
    yield error
    error = error.cause ?? (error as { errors?: readonly unknown[] }).errors?.[0]
  }
}

/** The Kafka protocol error code behind a kafkajs error, or null where the failure is none of the broker's answers. */
export function protocolCode(thrown: unknown): number | null {
  for (const error of chain(thrown)) {
    const unknown = /^Unknown error code (-?\d+)$/.exec(error.message)
    if (unknown) return Number(unknown[1])
    if (typeof error.code === 'number') return error.code
  }
  return null
}

const has = (thrown: unknown, codes: ReadonlySet<number>) => codes.has(protocolCode(thrown) ?? Number.NaN)

/** Another producer took the transactional id, or the broker forgot this one. */
export const isFenced = (thrown: unknown): boolean => has(thrown, fenced)
/** The member is not, or no longer, part of the current generation. */
export const isRebalanced = (thrown: unknown): boolean => has(thrown, rebalanced)
/** The previous transaction of this id is still being ended. */
export const isConcurrentTransactions = (thrown: unknown): boolean =>
  protocolCode(thrown) === code.concurrentTransactions
/** The topic (or partition) does not exist, as far as the answering broker knows. */
export const isTopicMissing = (thrown: unknown): boolean => protocolCode(thrown) === code.unknownTopicOrPartition
/** A batch above max.message.bytes (10) or above the segment size (18). */
export const isTooLarge = (thrown: unknown): boolean =>
  protocolCode(thrown) === code.messageTooLarge || protocolCode(thrown) === code.recordListTooLarge
/** The fetch position is before the first or behind the last offset. */
export const isOutOfRange = (thrown: unknown): boolean => protocolCode(thrown) === code.offsetOutOfRange

/** Refused by TLS, authentication or authorization: the same request will be refused again. */
export const isRefused = (thrown: unknown): boolean => refusalOf([...chain(thrown)]) !== null

/** Whether the same request can succeed later: network faults, and broker answers that say so. */
export function isTransient(thrown: unknown): boolean {
  const answered = protocolCode(thrown)
  for (const error of chain(thrown)) {
    if (error instanceof TrailwardenError) return error.retriable
    if (/NotImplemented|UnsupportedMagicByte|^(Abort|Type|Range|Reference|Syntax)Error$/.test(error.name)) return false
  }
  if (isRefused(thrown)) return false
  if (answered === null) return true
  if (openRetriable.has(answered) || answered === code.unknownTopicOrPartition) return true
  // The innermost error is the broker's answer; its wrappers say "not retriable" because retries are used up.
  return [...chain(thrown)].at(-1)?.retriable === true
}

// What kafkajs throws when no broker answers, or one that goes while it authenticates us.
const unanswered =
  /^KafkaJS(Connection|ConnectionClosed|RequestTimeout|BrokerNotFound|NoBrokerAvailable|LockTimeout|GroupCoordinatorNotFound|(Topic)?MetadataNotLoaded|SASLAuthentication)(Error)?$/

/** Whether brokers cannot be reached, start up, or look for a leader or coordinator: waiting helps, and nothing else. */
export function isAway(thrown: unknown): boolean {
  if (!isTransient(thrown) || isRebalanced(thrown)) return false
  return protocolCode(thrown) !== null || [...chain(thrown)].some(({ name }) => unanswered.test(name))
}

/**
 * Our error inside the chain where there is one; the code of a refusal; else a new error of `fallback`. The kafkajs error
 * is the cause.
 */
export function asFault(thrown: unknown, fallback: ErrorCode, what: string): TrailwardenError {
  for (const error of chain(thrown)) if (error instanceof TrailwardenError) return error
  const errors = [...chain(thrown)]
  const refusal = refusalOf(errors)
  if (refusal) return twError(refusal.code, `${what}: ${refusal.reason}.`, thrown)
  const reason = errors.at(-1)?.message ?? String(thrown)
  return twError(fallback, `${what}: ${reason}`, thrown)
}

/** Why a member cannot be one (any longer), as an error of our table. */
export function memberFault(thrown: unknown, group: string): TrailwardenError {
  const answered = protocolCode(thrown)
  if (answered === code.inconsistentGroupProtocol)
    return asFault(thrown, 'TW_GROUP_FOREIGN', `Group ${group} has members that share partitions out in another way`)
  if (answered === code.fencedInstanceId)
    return asFault(thrown, 'TW_INSTANCE_FENCED', `Another process took this one's place in group ${group}`)
  return asFault(thrown, 'TW_CONSUMER_CRASHED', `The consumer of group ${group} stopped`)
}

/** A broker's answer while a transaction was under way, as an error of our table. */
export function transactionFault(thrown: unknown, what: string): TrailwardenError {
  if (isFenced(thrown)) return asFault(thrown, 'TW_FENCED', what)
  if (isTooLarge(thrown)) return asFault(thrown, 'TW_RECORD_TOO_LARGE', what)
  return asFault(thrown, 'TW_TRANSACTION_FAILED', what)
}
