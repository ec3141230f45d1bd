// How a call ended, from errorCode and errorMessage. Pure and total: an error code that nobody has seen yet is ERROR.
// NOT_FOUND is kept apart because guessing names of secrets shows as misses, and THROTTLED because it is load, not intent.
import type { Outcome } from './event.ts'

// EC2 prefixes its codes with "Client."; the SDK error is AccessDeniedException where CloudTrail often writes AccessDenied;
// VpceAccessDenied is a VPC endpoint policy (eventType AwsVpceEvent).
const denied = /^(Client\.)?(AccessDenied(Exception)?|UnauthorizedOperation|UnauthorizedAccess|VpceAccessDenied)$/

// ResourceNotFoundException, InvalidInstanceID.NotFound, DBInstanceNotFoundFault, NoSuchEntityException, NoSuchBucket.
const notFound = /NotFound(Exception|Fault|Error)?$|^(Client\.)?NoSuch[A-Z]/

// The throttling codes that AWS SDKs retry on, without LimitExceededException and TransactionInProgressException,
// which services also use for quotas and conflicts.
const throttled = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
])

/** The outcome of a call. Empty text counts as absent: SUCCESS is a call with neither code nor message. */
export function outcomeOf(errorCode: string | null, errorMessage: string | null): Outcome {
  if (errorCode === null || errorCode === '') return errorMessage === null || errorMessage === '' ? 'SUCCESS' : 'ERROR'
  if (denied.test(errorCode)) return 'DENIED'
  if (notFound.test(errorCode)) return 'NOT_FOUND'
  if (throttled.has(errorCode.startsWith('Client.') ? errorCode.slice(7) : errorCode)) return 'THROTTLED'
  return 'ERROR'
}
