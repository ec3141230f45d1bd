// Writes deploy/grafana/trailwarden.json, in the order of the line: in, normalize, topics, detect, out, machinery.
// `--check` fails when the file has drifted. Every query is run against a real Prometheus by test/integration/prometheus.test.ts.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const path = join(import.meta.dirname, '..', 'deploy', 'grafana', 'trailwarden.json')

interface Panel {
  readonly title: string
  readonly unit: string
  readonly description?: string
  readonly type?: 'timeseries' | 'stat' | 'bargauge'
  /** Expression and legend. */
  readonly queries: readonly (readonly [expr: string, legend: string])[]
}

const job = 'job=~"$job"'
const rate = (metric: string, by: string, labels = '') =>
  `sum by (${by}) (rate(trailwarden_${metric}{${job}${labels}}[$__rate_interval]))`
const quantile = (q: number, metric: string, by = '', labels = '') =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(trailwarden_${metric}_bucket{${job}${labels}}[$__rate_interval])))`
const quantiles = (metric: string) =>
  [0.5, 0.99].map(q => [quantile(q, metric, ', process'), `{{process}} p${q * 100}`] as const)

const rows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'At a glance',
    [
      {
        title: 'Alerts in the last hour',
        unit: 'short',
        type: 'stat',
        queries: [
          [`sum by (severity) (increase(trailwarden_alerts_total{${job},activity="CREATE"}[1h]))`, '{{severity}}'],
        ],
      },
      {
        title: 'Behind',
        unit: 's',
        type: 'stat',
        description: 'How long the oldest record that is not worked off has been on its topic.',
        queries: [[`max by (process) (trailwarden_lag_seconds{${job}})`, '{{process}}']],
      },
      {
        title: 'What is wrong',
        unit: 'short',
        type: 'stat',
        description: 'Firing alerts; docs/operations.md says what each means and what to do. Empty is good.',
        queries: [['count by (alertname) (ALERTS{alertname=~"Trailwarden.*",alertstate="firing"})', '{{alertname}}']],
      },
    ],
  ],
  [
    'In: the raw topic and the trail',
    [
      {
        title: 'Records in',
        unit: 'rps',
        queries: [[rate('records_in_total', 'process, topic'), '{{process}} {{topic}}']],
      },
      { title: 'Events by envelope', unit: 'rps', queries: [[rate('envelopes_total', 'kind'), '{{kind}}']] },
      {
        title: 'Skipped and rejected',
        unit: 'rps',
        queries: [
          [rate('skipped_total', 'kind'), 'skipped {{kind}}'],
          [rate('rejected_total', 'process, reason'), '{{process}} {{reason}}'],
        ],
      },
      {
        title: 'Reads and writes by envelope',
        unit: 'short',
        description: 'Writes without any read: EventBridge without ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS.',
        queries: [
          [
            `sum by (kind, read_only) (increase(trailwarden_management_events_total{${job}}[6h]))`,
            '{{kind}} read only {{read_only}}',
          ],
        ],
      },
      { title: 'Events by region', unit: 'rps', queries: [[rate('region_events_total', 'region'), '{{region}}']] },
      {
        title: 'Time since the newest event of a region',
        unit: 's',
        queries: [
          [`time() - max by (region) (trailwarden_region_newest_event_timestamp_seconds{${job}})`, '{{region}}'],
        ],
      },
    ],
  ],
  [
    'Through: lag and partitions',
    [
      {
        title: 'Lag in records',
        unit: 'short',
        queries: [[`sum by (process, topic) (trailwarden_lag_records{${job}})`, '{{process}} {{topic}}']],
      },
      {
        title: 'Lag in seconds by partition',
        unit: 's',
        queries: [[`max by (process, partition) (trailwarden_lag_seconds{${job}})`, '{{process}} {{partition}}']],
      },
      {
        title: 'Partitions owned',
        unit: 'short',
        queries: [[`sum by (process, instance) (trailwarden_assigned_partitions{${job}})`, '{{process}} {{instance}}']],
      },
      {
        title: 'Rebalances',
        unit: 'short',
        queries: [
          [`sum by (process) (increase(trailwarden_rebalances_total{${job}}[$__rate_interval]))`, '{{process}}'],
        ],
      },
      { title: 'Time per batch', unit: 's', queries: quantiles('batch_duration_seconds') },
      {
        title: 'Commits',
        unit: 'ops',
        queries: [
          [rate('offset_commits_total', 'process'), 'positions, {{process}}'],
          [rate('transactions_total', 'result'), 'transactions {{result}}'],
          [rate('hanging_transactions_total', 'process'), 'left open by the cluster and aborted, {{process}}'],
        ],
      },
    ],
  ],
  [
    'Detection',
    [
      {
        title: 'Age of events when judged',
        unit: 's',
        description: 'CloudTrail delivers within about five minutes on average.',
        queries: [0.5, 0.9, 0.99].map(q => [quantile(q, 'event_age_seconds'), `p${q * 100}`] as const),
      },
      { title: 'Events by rule', unit: 'rps', queries: [[rate('rule_events_total', 'rule'), '{{rule}}']] },
      {
        title: 'Denied reads over all principals',
        unit: 'rps',
        description: 'Exponentially weighted in event time: a sign of an attack that is spread over many principals.',
        queries: [
          [`sum(trailwarden_denied_per_second{${job}})`, 'all'],
          [`max by (partition) (trailwarden_denied_per_second{${job}})`, 'partition {{partition}}'],
        ],
      },
      {
        title: 'Duplicates, late events, clocks ahead',
        unit: 'rps',
        queries: [
          [rate('duplicate_events_total', 'process'), 'duplicates'],
          [rate('late_events_total', 'process'), 'late'],
          [rate('skewed_events_total', 'process'), 'ahead'],
        ],
      },
      {
        title: 'Alerts',
        unit: 'rps',
        queries: [[rate('alerts_total', 'rule, severity, activity'), '{{rule}} {{severity}} {{activity}}']],
      },
      { title: 'Suppressed alerts', unit: 'rps', queries: [[rate('alerts_suppressed_total', 'rule'), '{{rule}}']] },
    ],
  ],
  [
    'State',
    [
      {
        title: 'Principals with state',
        unit: 'short',
        queries: [[`sum by (instance) (trailwarden_state_entries{${job}})`, '{{instance}}']],
      },
      {
        title: 'Size of the state',
        unit: 'bytes',
        queries: [[`sum by (instance) (trailwarden_state_bytes{${job}})`, '{{instance}}']],
      },
      {
        title: 'Principals forgotten',
        unit: 'rps',
        queries: [[rate('expired_principals_total', 'process'), 'after their time to live']],
      },
      {
        title: 'Partitions opened',
        unit: 'short',
        queries: [[`sum by (result) (increase(trailwarden_restores_total{${job}}[$__rate_interval]))`, '{{result}}']],
      },
      {
        title: 'Time to open a partition',
        unit: 's',
        queries: [
          [quantile(0.5, 'restore_duration_seconds'), 'p50'],
          [rate('restored_records_total', 'process'), 'records read per second'],
        ],
      },
      {
        title: 'Opening now',
        unit: 'percentunit',
        description: 'Empty unless a partition is being restored.',
        queries: [[`max by (partition) (trailwarden_restore_progress_ratio{${job}})`, 'partition {{partition}}']],
      },
    ],
  ],
  [
    'Out and machinery',
    [
      {
        title: 'Records out',
        unit: 'rps',
        queries: [[rate('records_out_total', 'process, topic'), '{{process}} {{topic}}']],
      },
      {
        title: 'Time per transaction',
        unit: 's',
        queries: [0.5, 0.99].map(q => [quantile(q, 'transaction_duration_seconds'), `p${q * 100}`] as const),
      },
      {
        title: 'Requests to brokers, p99',
        unit: 's',
        description: 'An idle Fetch waits on purpose.',
        queries: [[quantile(0.99, 'kafka_request_duration_seconds', ', process, api'), '{{process}} {{api}}']],
      },
      {
        title: 'Requests that no broker answered',
        unit: 'rps',
        description: 'Empty unless there was one.',
        queries: [[rate('kafka_request_timeouts_total', 'process, api'), '{{process}} {{api}}']],
      },
      {
        title: 'Schema registry',
        unit: 'rps',
        queries: [[rate('registry_lookups_total', 'process, result'), '{{process}} {{result}}']],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [
          [`process_resident_memory_bytes{${job},process=~"normalize|detect"}`, '{{process}} {{instance}} resident'],
          [`nodejs_heap_size_used_bytes{${job},process=~"normalize|detect"}`, '{{process}} {{instance}} heap'],
        ],
      },
      {
        title: 'CPU',
        unit: 'percentunit',
        queries: [
          [
            `rate(process_cpu_seconds_total{${job},process=~"normalize|detect"}[$__rate_interval])`,
            '{{process}} {{instance}}',
          ],
        ],
      },
      {
        title: 'Event loop delay, p99',
        unit: 's',
        queries: [[`nodejs_eventloop_lag_p99_seconds{${job},process=~"normalize|detect"}`, '{{process}} {{instance}}']],
      },
      {
        title: 'Versions',
        unit: 'short',
        type: 'stat',
        queries: [[`count by (process, version) (trailwarden_build_info{${job}})`, '{{process}} {{version}}']],
      },
    ],
  ],
]

const columns = 3
const width = 24 / columns
const height = 8
const datasource = { type: 'prometheus', uid: '${datasource}' }

function panelOf({ title, unit, description, type = 'timeseries', queries }: Panel, id: number, x: number, y: number) {
  return {
    id,
    type,
    title,
    ...(description === undefined ? {} : { description }),
    datasource,
    gridPos: { x, y, w: width, h: height },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: type === 'timeseries' ? { legend: { displayMode: 'list', placement: 'bottom', showLegend: true } } : {},
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat,
      ...(type === 'stat' ? { instant: true } : { range: true }),
    })),
  }
}

/** The dashboard as Grafana imports it. */
export function grafanaDashboard() {
  const panels: object[] = []
  let y = 0
  for (const [title, members] of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    })
    y += 1
    for (const [index, panel] of members.entries()) {
      const column = index % columns
      panels.push(panelOf(panel, panels.length + 1, column * width, y + Math.floor(index / columns) * height))
    }
    y += Math.ceil(members.length / columns) * height
  }
  return {
    uid: 'trailwarden',
    title: 'trailwarden',
    description: 'The line from CloudTrail to alerts.',
    tags: ['trailwarden', 'kafka', 'cloudtrail'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    time: { from: 'now-6h', to: 'now' },
    refresh: '30s',
    timezone: 'utc',
    annotations: { list: [] },
    links: [],
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0, options: [] },
        {
          name: 'job',
          label: 'Job',
          type: 'query',
          datasource,
          query: { query: 'label_values(trailwarden_build_info, job)', refId: 'job' },
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: '.*',
          current: { text: 'All', value: '$__all' },
          hide: 0,
          options: [],
        },
      ],
    },
    panels,
  }
}

if (process.argv[1] === import.meta.filename) {
  const text = `${JSON.stringify(grafanaDashboard(), null, 2)}\n`
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    console.error('deploy/grafana/trailwarden.json has drifted; run node scripts/grafana-dashboard.ts')
    process.exitCode = 1
  }
}
