// Why input is refused or passed over: the two bounded lists that every stage shares.
// They become metric labels and the `trailwarden.reason` header of dead letters, so a value is added here or nowhere.

/** Reasons for which a record goes to the dead-letter topic. */
export const rejectReasons = [
  // raw input (normalize)
  'null-value',
  'empty',
  'too-large',
  'bad-gzip',
  'bad-base64',
  'not-json',
  'too-deep',
  'too-many-records',
  'unknown-envelope',
  'not-an-object',
  'missing-event-time',
  'bad-event-time',
  'missing-event-name',
  'missing-event-source',
  'unsupported-event-version',
  'wrong-type',
  'unreadable-codec',
  'too-large-to-produce',
  // normalized input (detect)
  'null-key',
  'bad-magic-byte',
  'unknown-schema-id',
  'bad-avro',
  'key-mismatch',
  'internal-error',
] as const

/** One of {@link rejectReasons}. */
export type RejectReason = (typeof rejectReasons)[number]

/** Things that belong on a CloudTrail topic or bucket but carry no API event: counted, never dead-lettered. */
export const skipKinds = [
  'digest',
  'insight',
  's3-notification',
  's3-test-event',
  'sns-notification',
  'control-message',
] as const

/** One of {@link skipKinds}. */
export type SkipKind = (typeof skipKinds)[number]

/** A refusal: a value, never an exception. `detail` is for people; it holds no payload and at most 200 characters. */
export interface Rejected {
  readonly rejected: RejectReason
  readonly detail: string
}
