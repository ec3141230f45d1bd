// The metrics of a process, made from the table in definitions.ts. Recorded per batch, not per event, and only for what is
// acknowledged or committed. A process exposes its own metrics only; those of the other one exist and lead nowhere.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { RequestObserver } from '../kafka/request-observation.ts'
import type { Appended } from '../log/log-client.ts'
import { sourceKinds } from '../normalize/event.ts'
import { rejectReasons, skipKinds } from '../rejected.ts'
import { definitions } from './definitions.ts'
import type { MetricDefinition, Role } from './definitions.ts'
import { EventHistogram } from './event-histogram.ts'
import { PartitionLag } from './partition-lag.ts'
import { TrailSignals } from './trail-signals.ts'

type Table = typeof definitions
type Instance<D> =
  D extends MetricDefinition<'counter', infer L>
    ? Counter<L>
    : D extends MetricDefinition<'gauge', infer L>
      ? Gauge<L>
      : D extends MetricDefinition<'histogram', infer L>
        ? Histogram<L>
        : never
/** Metrics that are written through something of their own, which knows more than a number. */
type Special = 'eventAge' | 'lagRecords' | 'lagSeconds' | 'managementEvents' | 'regionEvents' | 'regionNewest'

/** What one process counts. */
export type Metrics = { readonly [K in Exclude<keyof Table, Special>]: Instance<Table[K]> } & {
  readonly registry: Registry
  readonly eventAge: EventHistogram
  readonly lag: PartitionLag
  readonly trail: TrailSignals
}

/** Makes the metrics of a process; its role is the label `process` of every series. */
export function createMetrics(role: Role, version: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ process: role })
  collectDefaultMetrics({ register: registry })
  // Gauges that count handles by type trip `promtool check metrics` (a gauge named _total) and cost a walk per scrape.
  for (const name of ['resources', 'handles', 'requests']) registry.removeSingleMetric(`nodejs_active_${name}_total`)

  const configuration = <L extends string>({
    name,
    labels,
    help,
    of,
  }: MetricDefinition<MetricDefinition['type'], L>) => ({
    ...{ name: `trailwarden_${name}`, help, labelNames: [...labels] },
    registers: of === 'both' || of === role ? [registry] : [],
  })
  const make = (definition: MetricDefinition) => {
    if (definition.type === 'counter') return new Counter(configuration(definition))
    if (definition.type === 'gauge') return new Gauge(configuration(definition))
    return new Histogram({ ...configuration(definition), buckets: [...(definition.buckets ?? [])] })
  }
  const { eventAge, lagRecords, lagSeconds, managementEvents, regionEvents, regionNewest, ...plain } = definitions
  const lag = new PartitionLag(new Gauge(configuration(lagRecords)))
  new Gauge({
    ...configuration(lagSeconds),
    collect() {
      lag.expose(this)
    },
  })
  const age = configuration(eventAge)
  const metrics = {
    ...Object.fromEntries(Object.entries(plain).map(([key, definition]) => [key, make(definition)])),
    registry,
    eventAge: new EventHistogram(age.name, age.help, eventAge.buckets ?? [], age.registers),
    lag,
    trail: new TrailSignals(
      new Counter(configuration(managementEvents)),
      new Counter(configuration(regionEvents)),
      new Gauge(configuration(regionNewest)),
    ),
  } as unknown as Metrics
  metrics.buildInfo.set({ version, node: process.version }, 1)
  startAtZero(metrics)
  return metrics
}

/** A series that exists with 0 can be alerted on; one that appears with its first fault cannot. */
function startAtZero(metrics: Metrics): void {
  for (const reason of rejectReasons) metrics.rejected.inc({ reason }, 0)
  for (const kind of skipKinds) metrics.skipped.inc({ kind }, 0)
  for (const kind of sourceKinds) metrics.envelopes.inc({ kind }, 0)
  for (const result of ['committed', 'aborted', 'fenced']) metrics.transactions.inc({ result }, 0)
  for (const result of ['completed', 'failed']) metrics.restores.inc({ result }, 0)
  for (const result of ['found', 'cached', 'unknown', 'failed']) metrics.registryLookups.inc({ result }, 0)
}

/** The same for the rules of a detector, at the severity they are written with. */
export function startRulesAtZero(
  metrics: Metrics,
  rules: readonly { readonly id: string; readonly level: string }[],
): void {
  for (const { id: rule, level: severity } of rules) {
    for (const activity of ['CREATE', 'UPDATE']) metrics.alerts.inc({ rule, severity, activity }, 0)
    metrics.suppressed.inc({ rule }, 0)
    metrics.ruleEvents.inc({ rule }, 0)
  }
}

/** Counts the requests of a Kafka client. */
export function requestObserver({ kafkaRequests, kafkaTimeouts }: Metrics): RequestObserver {
  return {
    answered: (api, ms) => kafkaRequests.observe({ api }, ms / 1000),
    timedOut: api => kafkaTimeouts.inc({ api }),
  }
}

/** Adds counts collected over a batch to a counter with one label. */
export function addCounts<L extends 'reason' | 'kind'>(
  target: Counter<L>,
  label: L,
  counts: ReadonlyMap<string, number>,
): void {
  for (const [value, count] of counts) (target as Counter).inc({ [label]: value }, count)
}

/** Adds where the records of a batch went. */
export function addPlaces(target: Metrics['recordsOut'], places: readonly Appended[]): void {
  for (const { topic, partition, records } of places) target.inc({ topic, partition }, records)
}

/**
 * Ends the series of a partition that this process no longer owns: another one reports it now. `state` is the topic whose
 * partition of the same number only the owner writes to.
 */
export function releasePartition(metrics: Metrics, partition: number, input: string, state?: string): void {
  metrics.recordsIn.remove({ topic: input, partition })
  metrics.lag.release(input, partition)
  if (state !== undefined) metrics.recordsOut.remove({ topic: state, partition })
  for (const gauge of [metrics.stateEntries, metrics.stateBytes, metrics.deniedRate, metrics.restoreProgress])
    gauge.remove({ partition })
}
