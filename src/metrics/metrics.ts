// Every metric of both processes, named once. Labels are bounded lists of this code base (topic, kind, reason, rule,
// severity); a principal is never a label. Recorded per batch, not per event.
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import { rejectReasons, skipKinds } from '../rejected.ts'
import { sourceKinds } from '../normalize/event.ts'

/** What one process counts. */
export interface Metrics {
  readonly registry: Registry
  /** Records read, by topic. */
  readonly recordsIn: Counter<'topic'>
  /** Records written and acknowledged, by topic. */
  readonly recordsOut: Counter<'topic'>
  /** CloudTrail records found in envelopes, by envelope. */
  readonly envelopes: Counter<'kind'>
  readonly skipped: Counter<'kind'>
  readonly rejected: Counter<'reason'>
  readonly alerts: Counter<'rule' | 'severity' | 'activity'>
  readonly suppressed: Counter<'rule'>
  readonly duplicates: Counter
  readonly late: Counter
  readonly skewed: Counter
  /** Records between the position and the end of the partition, by topic and partition. */
  readonly lag: Gauge<'topic' | 'partition'>
  readonly assigned: Gauge
  readonly transactions: Counter<'result'>
  readonly rebalances: Counter
  readonly deniedRate: Gauge<'partition'>
  readonly stateEntries: Gauge<'partition'>
  /** Changelog records read while opening partitions. */
  readonly restored: Counter
  /** Principals forgotten after their time to live. */
  readonly expired: Counter
}

/** Makes the metrics of a process; `process` is `normalize` or `detect`, a constant label of every series. */
export function createMetrics(process: 'normalize' | 'detect', version: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ process })
  collectDefaultMetrics({ register: registry })
  // Gauges that count handles by type trip `promtool check metrics` (a gauge named _total) and cost a walk per scrape.
  for (const name of ['resources', 'handles', 'requests']) registry.removeSingleMetric(`nodejs_active_${name}_total`)
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name: `trailwarden_${name}`, help, labelNames: [...labelNames], registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name: `trailwarden_${name}`, help, labelNames: [...labelNames], registers })

  const metrics: Metrics = {
    registry,
    recordsIn: counter('records_in_total', 'Records read from a topic.', ['topic']),
    recordsOut: counter('records_out_total', 'Records written to a topic and acknowledged.', ['topic']),
    envelopes: counter('envelopes_total', 'CloudTrail records found, by the envelope they came in.', ['kind']),
    skipped: counter('skipped_total', 'Records that belong on a CloudTrail topic but hold no API event.', ['kind']),
    rejected: counter('rejected_total', 'Records refused and dead-lettered, by reason.', ['reason']),
    alerts: counter('alerts_total', 'Alerts written, by rule, severity and activity.', [
      'rule',
      'severity',
      'activity',
    ]),
    suppressed: counter('alerts_suppressed_total', 'Alerts held back by a suppression, by rule.', ['rule']),
    duplicates: counter('duplicate_events_total', 'Events seen before within the deduplication horizon.', []),
    late: counter('late_events_total', 'Events older than the lateness of their principal; not evaluated.', []),
    skewed: counter(
      'skewed_events_total',
      'Events ahead of their record timestamp; evaluated at the record timestamp.',
      [],
    ),
    lag: gauge('lag_records', 'Records between the position and the end of a partition.', ['topic', 'partition']),
    assigned: gauge('assigned_partitions', 'Partitions this process owns and works on.', []),
    transactions: counter('transactions_total', 'Kafka transactions, by result.', ['result']),
    rebalances: counter('rebalances_total', 'Group generations this process has joined.', []),
    deniedRate: gauge(
      'denied_per_second',
      'Exponentially weighted rate of denied events among those the rules match, over all principals of a partition.',
      ['partition'],
    ),
    stateEntries: gauge('state_entries', 'Principals with detection state, by partition.', ['partition']),
    restored: counter('restored_records_total', 'Changelog records read while opening partitions.', []),
    expired: counter('expired_principals_total', 'Principals forgotten after their time to live.', []),
  }
  new Gauge({
    name: 'trailwarden_build_info',
    help: 'Version of this build.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: globalThis.process.version }, 1)
  // A series that exists with 0 can be alerted on; one that appears with its first fault cannot.
  for (const reason of rejectReasons) metrics.rejected.inc({ reason }, 0)
  for (const kind of skipKinds) metrics.skipped.inc({ kind }, 0)
  for (const kind of sourceKinds) metrics.envelopes.inc({ kind }, 0)
  for (const result of ['committed', 'aborted', 'fenced']) metrics.transactions.inc({ result }, 0)
  return metrics
}

/** Adds counts collected over a batch to a counter with one label. */
export function addCounts<L extends 'reason' | 'kind'>(
  target: Counter<L>,
  label: L,
  counts: ReadonlyMap<string, number>,
): void {
  for (const [value, count] of counts) (target as Counter).inc({ [label]: value }, count)
}
