// The table of metrics: name, process, type, labels and meaning of each, once. src/metrics/metrics.ts makes them,
// docs/operations.md prints them. Conventions of Prometheus: base units, counters end in _total, every label is a bounded
// list (of this code, of the rules, of the topics' partitions, or capped); a principal is never a label.

/** The two processes that are scraped. */
export type Role = 'normalize' | 'detect'

type Type = 'counter' | 'gauge' | 'histogram'

/** One metric. `name` stands without the prefix `trailwarden_`. */
export interface MetricDefinition<T extends Type = Type, L extends string = string> {
  readonly type: T
  readonly name: string
  readonly of: Role | 'both'
  readonly labels: readonly L[]
  readonly help: string
  /** Upper bounds of a histogram, ascending. */
  readonly buckets?: readonly number[]
}

function counter<L extends string>(
  name: string,
  of: Role | 'both',
  labels: readonly L[],
  help: string,
): MetricDefinition<'counter', L> {
  return { type: 'counter', name, of, labels, help }
}

function gauge<L extends string>(
  name: string,
  of: Role | 'both',
  labels: readonly L[],
  help: string,
): MetricDefinition<'gauge', L> {
  return { type: 'gauge', name, of, labels, help }
}

function histogram<L extends string>(
  name: string,
  of: Role | 'both',
  labels: readonly L[],
  buckets: readonly number[],
  help: string,
): MetricDefinition<'histogram', L> {
  return { type: 'histogram', name, of, labels, help, buckets }
}

const workSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const restoreSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900]
// CloudTrail delivers within about five minutes on average and within fifteen nearly always; most bounds stand there.
const ageSeconds = [10, 30, 60, 120, 180, 240, 300, 420, 600, 780, 900, 1200, 1800, 3600, 10_800, 86_400]

export const definitions = {
  recordsIn: counter('records_in_total', 'both', ['topic', 'partition'], 'Records read from a topic and worked off.'),
  recordsOut: counter(
    'records_out_total',
    'both',
    ['topic', 'partition'],
    'Records written to a topic and acknowledged; those of a transaction when it has committed.',
  ),
  lagRecords: gauge(
    'lag_records',
    'both',
    ['topic', 'partition'],
    'Records between the position and the end of a partition; control records at its end count too.',
  ),
  lagSeconds: gauge(
    'lag_seconds',
    'both',
    ['topic', 'partition'],
    'How long the oldest record that is not worked off has been on the topic; 0 when there is none.',
  ),
  assigned: gauge('assigned_partitions', 'both', [], 'Partitions this process owns.'),
  rebalances: counter('rebalances_total', 'both', [], 'Group generations this process has joined.'),
  batches: histogram(
    'batch_duration_seconds',
    'both',
    [],
    workSeconds,
    'Time to work off one run of records of a partition, from the first record to the commit.',
  ),
  rejected: counter('rejected_total', 'both', ['reason'], 'Records refused and dead-lettered, by reason.'),
  kafkaRequests: histogram(
    'kafka_request_duration_seconds',
    'both',
    ['api'],
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    'Time from sending a request to a broker to its answer, by API of the Kafka protocol; an idle Fetch waits on purpose.',
  ),
  kafkaTimeouts: counter('kafka_request_timeouts_total', 'both', ['api'], 'Requests that no broker answered in time.'),
  registryLookups: counter(
    'registry_lookups_total',
    'both',
    ['result'],
    'Questions to the schema registry; cached ones were answered from memory. Schemas in use are not asked for again.',
  ),

  envelopes: counter(
    'envelopes_total',
    'normalize',
    ['kind'],
    'CloudTrail records found, by the envelope they came in.',
  ),
  skipped: counter(
    'skipped_total',
    'normalize',
    ['kind'],
    'Records that belong on a CloudTrail topic but hold no API event.',
  ),
  managementEvents: counter(
    'management_events_total',
    'normalize',
    ['kind', 'read_only'],
    'Management events by envelope and readOnly; writes without any read are the EventBridge trap.',
  ),
  regionEvents: counter('region_events_total', 'normalize', ['region'], 'Events by awsRegion, at most 64 of them.'),
  regionNewest: gauge(
    'region_newest_event_timestamp_seconds',
    'normalize',
    ['region'],
    'Time of the newest event of a region.',
  ),
  offsetCommits: counter('offset_commits_total', 'normalize', [], 'Positions committed for the group.'),

  alerts: counter('alerts_total', 'detect', ['rule', 'severity', 'activity'], 'Alerts written, by rule and severity.'),
  suppressed: counter('alerts_suppressed_total', 'detect', ['rule'], 'Alerts held back by a suppression, by rule.'),
  ruleEvents: counter(
    'rule_events_total',
    'detect',
    ['rule'],
    'Events taken in by a rule: matched, no copy, not late.',
  ),
  duplicates: counter('duplicate_events_total', 'detect', [], 'Events seen before within the deduplication horizon.'),
  late: counter('late_events_total', 'detect', [], 'Events older than the lateness of their principal; not evaluated.'),
  skewed: counter(
    'skewed_events_total',
    'detect',
    [],
    'Events ahead of their record timestamp; evaluated at the record timestamp.',
  ),
  eventAge: histogram(
    'event_age_seconds',
    'detect',
    [],
    ageSeconds,
    'Age of events when they are judged: now minus eventTime.',
  ),
  transactions: counter('transactions_total', 'detect', ['result'], 'Kafka transactions, by result.'),
  transactionTime: histogram(
    'transaction_duration_seconds',
    'detect',
    [],
    workSeconds,
    'Time from beginning a Kafka transaction to its commit.',
  ),
  hanging: counter(
    'hanging_transactions_total',
    'detect',
    [],
    'Transactions that the cluster ended without their markers; aborted and redone when the partition was opened.',
  ),
  restores: counter(
    'restores_total',
    'detect',
    ['result'],
    'Partitions opened: fenced and restored from the changelog.',
  ),
  restoreTime: histogram('restore_duration_seconds', 'detect', [], restoreSeconds, 'Time to open a partition.'),
  restoreProgress: gauge(
    'restore_progress_ratio',
    'detect',
    ['partition'],
    'Part of the changelog that is read; exists while the partition is being opened.',
  ),
  restored: counter('restored_records_total', 'detect', [], 'Changelog records read while opening partitions.'),
  stateEntries: gauge('state_entries', 'detect', ['partition'], 'Principals with detection state.'),
  stateBytes: gauge('state_bytes', 'detect', ['partition'], 'Size of that state as it stands in the changelog.'),
  expired: counter('expired_principals_total', 'detect', [], 'Principals forgotten after their time to live.'),
  deniedRate: gauge(
    'denied_per_second',
    'detect',
    ['partition'],
    'Denied calls among the events that rules match, over all principals: exponentially weighted in event time, one hour.',
  ),

  buildInfo: gauge('build_info', 'both', ['version', 'node'], 'Version of this build, always 1.'),
} as const satisfies Record<string, MetricDefinition>

/** The table for documentation, in its order. */
export function describeMetrics(): readonly MetricDefinition[] {
  return Object.values(definitions).map(definition => ({ ...definition, name: `trailwarden_${definition.name}` }))
}
