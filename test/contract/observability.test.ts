// What ships for Prometheus and Grafana: rules that promtool accepts and that fire on what they should, a dashboard that
// Grafana can lay out, metric names that exist, and a paragraph in docs/operations.md for every alert.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { grafanaDashboard } from '../../scripts/grafana-dashboard.ts'
import { describeMetrics } from '../../src/metrics/definitions.ts'
import { debianPackage } from '../harness/debian-package.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, 'deploy', 'prometheus')
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')

interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
}
const rules = (
  parse(read('deploy', 'prometheus', 'trailwarden.rules.yml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap(group => group.rules)
const alerts = rules.filter(rule => rule.alert !== undefined)
const tests = parse(read('deploy', 'prometheus', 'trailwarden.tests.yml')) as {
  tests: { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[]
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly {
    readonly refId: string
    readonly expr: string
    readonly datasource: { readonly uid: string }
  }[]
}
const panels = grafanaDashboard().panels as Panel[]

/** Names of metrics in an expression. */
function namesIn(expression: string): string[] {
  return [...expression.matchAll(/\b(trailwarden[a-z_:]*[a-z0-9_:]*|process_\w+|nodejs_\w+)\b(?!\s*=)/g)].map(
    ([, name]) => name ?? '',
  )
}

const known = new Set([
  ...describeMetrics().flatMap(({ name, type }) => (type === 'histogram' ? [`${name}_bucket`, name] : [name])),
  ...rules.flatMap(({ record }) => (record === undefined ? [] : [record])),
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
  'nodejs_heap_size_used_bytes',
  'nodejs_eventloop_lag_p99_seconds',
])

test('every rule and every panel asks for metrics that exist', () => {
  const expressions = [
    ...rules.map(({ expr }) => expr),
    ...panels.flatMap(({ targets = [] }) => targets.map(t => t.expr)),
  ]
  for (const expression of expressions)
    for (const name of namesIn(expression)) assert.ok(known.has(name), `${name} in ${expression}`)
})

test('every metric of ours is looked at by a rule or a panel', () => {
  const looked = [
    ...rules.map(({ expr }) => expr),
    ...panels.flatMap(({ targets = [] }) => targets.map(t => t.expr)),
  ].join('\n')
  for (const { name } of describeMetrics()) assert.ok(looked.includes(name), name)
})

test('every alert has a severity, a summary, a description, a test in which it fires and a paragraph in operations.md', () => {
  const page = read('docs', 'operations.md')
  const fired = new Set(
    tests.tests.flatMap(({ alert_rule_test: cases = [] }) =>
      cases.filter(({ exp_alerts: expected }) => expected.length > 0).map(({ alertname }) => alertname),
    ),
  )
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels?.['severity'] ?? '', /^(critical|warning)$/, alert)
    assert.match(annotations?.['summary'] ?? '', /\.$/, alert)
    assert.match(annotations?.['description'] ?? '', /\.$/, alert)
    assert.ok(fired.has(alert ?? ''), `${alert} fires in no test`)
    assert.ok(page.includes(`### ${alert}\n`), `${alert} is not in docs/operations.md`)
  }
  const documented = [...page.matchAll(/^### (Trailwarden\w+)$/gm)].map(([, name]) => name)
  assert.deepEqual(
    documented,
    alerts.map(({ alert }) => alert),
  )
})

test('the dashboard is what its script writes (node scripts/grafana-dashboard.ts)', () => {
  assert.equal(read('deploy', 'grafana', 'trailwarden.json'), `${JSON.stringify(grafanaDashboard(), null, 2)}\n`)
})

test('panels have ids of their own, fit the grid and do not overlap; queries name the data source of the variable', () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const taken = new Map<string, string>()
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24 && gridPos.h > 0, title)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(taken.get(`${x},${y}`), undefined, title)
        taken.set(`${x},${y}`, title)
      }
  }
  const titles = panels.map(({ title }) => title)
  assert.equal(new Set(titles).size, titles.length)
  for (const { type, title, targets = [] } of panels) {
    assert.equal(targets.length > 0, type !== 'row', title)
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length)
    for (const { datasource } of targets) assert.equal(datasource.uid, '${datasource}')
  }
})

const prometheus = await debianPackage('prometheus', { programs: ['usr/bin/promtool'] })
const skip = 'missing' in prometheus ? prometheus.missing : false
function promtool(...args: string[]): string {
  assert.ok(!('missing' in prometheus))
  const env = { ...process.env, ...prometheus.env }
  return execFileSync(join(prometheus.root, 'usr/bin/promtool'), args, { cwd: folder, encoding: 'utf8', env })
}

test('promtool accepts the configuration and the rules', { skip }, () => {
  assert.match(promtool('check', 'rules', 'trailwarden.rules.yml'), new RegExp(`SUCCESS: ${rules.length} rules found`))
  assert.match(promtool('check', 'config', 'prometheus.yml'), /SUCCESS: 1 rule files found/)
})

test('the rules fire on what they should and are silent otherwise', { skip }, () => {
  assert.match(promtool('test', 'rules', 'trailwarden.tests.yml'), /SUCCESS/)
})
