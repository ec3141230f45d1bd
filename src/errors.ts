// The table of errors: every failure a user can meet has a code, a class of exit and a next step.
// Data never becomes one of these (it becomes a `Rejected`); these are faults of configuration, cluster or program.

interface ErrorEntry {
  /** Whether trying again without a change can help. */
  readonly retriable: boolean
  /** Exit status of the CLI: 1 findings, 2 usage or configuration, 3 run time. */
  readonly exit: 1 | 2 | 3
  /** What to do next, as a sentence. */
  readonly hint: string
}

const table = {
  TW_USAGE: { retriable: false, exit: 2, hint: 'Run the verb with --help.' },
  TW_CONFIG_INVALID: {
    retriable: false,
    exit: 2,
    hint: 'Correct the settings named above; docs/configuration.md lists them all.',
  },
  TW_INPUT_MISSING: { retriable: false, exit: 2, hint: 'Check the path.' },
  TW_RULE_INVALID: {
    retriable: false,
    exit: 2,
    hint: 'Correct the rule file at the place named above; no rule of the set was loaded.',
  },
  TW_SUPPRESSIONS_INVALID: {
    retriable: false,
    exit: 2,
    hint: 'Correct the suppressions at the place named above; docs/alerts.md describes the file.',
  },
  TW_ALERT_INVALID: {
    retriable: false,
    exit: 2,
    hint: 'Give alerts as `trailwarden replay --json` prints them, one on a line.',
  },
  TW_STATE_INVALID: {
    retriable: false,
    exit: 3,
    hint: 'The state was written by another version or damaged; see docs/guarantees.md.',
  },
  TW_BROKER_UNAVAILABLE: {
    retriable: true,
    exit: 3,
    hint: 'Check KAFKA_BROKERS, KAFKA_SECURITY_PROTOCOL and that the brokers are up.',
  },
  TW_TLS_FAILED: {
    retriable: false,
    exit: 3,
    hint: 'Check the settings KAFKA_SSL_* or SCHEMA_REGISTRY_SSL_* and the certificates; docs/security.md shows how.',
  },
  TW_AUTHENTICATION_FAILED: {
    retriable: false,
    exit: 3,
    hint: 'Check user, secret and mechanism: KAFKA_SASL_*, KAFKA_OAUTH_* or SCHEMA_REGISTRY_*; docs/security.md shows how.',
  },
  TW_NOT_AUTHORIZED: {
    retriable: false,
    exit: 3,
    hint: 'Grant the user the rights that docs/security.md lists; `trailwarden check` names those that are missing.',
  },
  TW_TOPIC_MISSING: { retriable: false, exit: 2, hint: 'Run `trailwarden topics apply`, or create the topic.' },
  TW_PARTITIONS_DIFFER: { retriable: false, exit: 2, hint: 'Give both topics the same number of partitions.' },
  TW_PRODUCE_FAILED: {
    retriable: true,
    exit: 3,
    hint: 'The brokers did not acknowledge in time; restart once they do. Nothing was committed.',
  },
  TW_RECORD_TOO_LARGE: {
    retriable: false,
    exit: 3,
    hint: 'Raise max.message.bytes of the topic, or lower the limits of the normalizer.',
  },
  TW_FENCED: {
    retriable: true,
    exit: 3,
    hint: 'Another member took over this partition; this one starts again from the log.',
  },
  TW_PRODUCER_DEAD: { retriable: true, exit: 3, hint: 'A producer is not used after a failure; open a new one.' },
  TW_TRANSACTION_FAILED: {
    retriable: true,
    exit: 3,
    hint: 'The transaction is given up; work starts again from the last committed position.',
  },
  TW_REBALANCED: {
    retriable: true,
    exit: 3,
    hint: 'The group is rebalancing; the partition is taken up again after it.',
  },
  TW_GROUP_FOREIGN: {
    retriable: false,
    exit: 2,
    hint: 'Stop the other consumers of this group, or give trailwarden a group of its own (NORMALIZE_GROUP, DETECT_GROUP).',
  },
  TW_INSTANCE_FENCED: {
    retriable: false,
    exit: 3,
    hint: 'Give every process of a group a KAFKA_GROUP_INSTANCE_ID of its own; nothing is wrong if this one was replaced.',
  },
  TW_OFFSET_OUT_OF_RANGE: {
    retriable: false,
    exit: 3,
    hint: 'Retention deleted records before they were read. Set OFFSET_OUT_OF_RANGE=earliest to go on with what is left.',
  },
  TW_READ_STUCK: {
    retriable: true,
    exit: 3,
    hint: 'No progress reading the partition; check its leader and its last stable offset.',
  },
  TW_CONSUMER_CRASHED: {
    retriable: true,
    exit: 3,
    hint: 'Let the supervisor restart the process; work goes on from the committed position.',
  },
  TW_CODEC_UNSUPPORTED: {
    retriable: false,
    exit: 3,
    hint: 'The topic holds a compression codec this build cannot read; see docs/guarantees.md.',
  },
  TW_KAFKAJS_UNPATCHED: {
    retriable: false,
    exit: 3,
    hint: 'Import trailwarden before anything that imports kafkajs, and keep kafkajs at 2.2.4.',
  },
  TW_REGISTRY_UNAVAILABLE: {
    retriable: true,
    exit: 3,
    hint: 'Check SCHEMA_REGISTRY_URL and that the registry answers.',
  },
  TW_SCHEMA_NOT_REGISTERED: { retriable: false, exit: 2, hint: 'Run `trailwarden topics apply`.' },
  TW_SCHEMA_INCOMPATIBLE: {
    retriable: false,
    exit: 2,
    hint: 'The registered schema and this version cannot read each other; register a schema that both can read, or run the version that wrote the topic.',
  },
  TW_INTERNAL: { retriable: false, exit: 3, hint: 'This is a defect; run again with --debug and report it.' },
} as const satisfies Record<string, ErrorEntry>

/** A code of the table. */
export type ErrorCode = keyof typeof table

/** An error with a code of the table. The message says what happened, the hint what to do next. */
export class TrailwardenError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly retriable: boolean
  readonly exit: 1 | 2 | 3

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'TrailwardenError'
    this.code = code
    this.hint = table[code].hint
    this.retriable = table[code].retriable
    this.exit = table[code].exit
  }
}

/** Shorthand for `new TrailwardenError(code, message, { cause })`. */
export function twError(code: ErrorCode, message: string, cause?: unknown): TrailwardenError {
  return new TrailwardenError(code, message, cause === undefined ? undefined : { cause })
}

/** The table's error for anything thrown: unknown throwables become TW_INTERNAL with the original as cause. Total. */
export function asTrailwardenError(thrown: unknown): TrailwardenError {
  if (thrown instanceof TrailwardenError) return thrown
  return twError('TW_INTERNAL', messageOf(thrown) || 'Unknown failure.', thrown)
}

function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown)
  } catch {
    // An object without a text form, such as one without a prototype.
    return ''
  }
}
