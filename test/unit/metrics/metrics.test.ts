// Metric names and labels as Prometheus' conventions want them, and nothing in a label that traffic can choose.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { addCounts, createMetrics } from '../../../src/metrics/metrics.ts'
import { sourceKinds } from '../../../src/normalize/event.ts'
import { rejectReasons, skipKinds } from '../../../src/rejected.ts'

const metrics = createMetrics('detect', '1.2.3')
const described = (await metrics.registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('trailwarden_'))

test('counters end in _total and gauges do not; every metric says what it counts, in a sentence', () => {
  assert.ok(described.length > 15)
  for (const { name, help, type } of described) {
    assert.match(name, /^trailwarden_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), String(type) === 'counter', name)
    assert.match(help, /^[A-Z].*\.$/, name)
  }
})

test('no label is a principal, an address, a secret or anything else that traffic chooses', () => {
  const allowed = new Set(['topic', 'partition', 'kind', 'reason', 'rule', 'severity', 'activity', 'result'])
  const own = Object.values(metrics)
    .filter(metric => metric !== metrics.registry)
    .flatMap(metric => (metric as unknown as { labelNames: string[] }).labelNames)
  assert.deepEqual(
    own.filter(label => !allowed.has(label)),
    [],
  )
})

test('what may be alerted on exists with 0 before its first fault', async () => {
  const text = await metrics.registry.metrics()
  for (const [name, label, values] of [
    ['rejected_total', 'reason', rejectReasons],
    ['skipped_total', 'kind', skipKinds],
    ['envelopes_total', 'kind', sourceKinds],
    ['transactions_total', 'result', ['committed', 'aborted', 'fenced']],
  ] as const)
    for (const value of values)
      assert.ok(text.includes(`trailwarden_${name}{${label}="${value}",process="detect"} 0\n`), `${name} ${value}`)
  assert.match(text, /^trailwarden_build_info\{version="1\.2\.3",node="v[\d.]+",process="detect"\} 1$/m)
})

test('the two processes have registries of their own', async () => {
  const other = createMetrics('normalize', '1.2.3')
  other.late.inc(3)
  assert.match(await other.registry.metrics(), /trailwarden_late_events_total\{process="normalize"\} 3/)
  assert.match(await metrics.registry.metrics(), /trailwarden_late_events_total\{process="detect"\} 0/)
})

test('counts of a batch are added to what is there', async () => {
  const { rejected } = createMetrics('normalize', '1')
  const counts = new Map([
    ['empty', 2],
    ['not-json', 1],
  ])
  addCounts(rejected, 'reason', counts)
  addCounts(rejected, 'reason', counts)
  const values = (await rejected.get()).values.filter(({ value }) => value > 0)
  assert.deepEqual(
    values.map(({ labels, value }) => [labels.reason, value]),
    [
      ['empty', 4],
      ['not-json', 2],
    ],
  )
})

const promtool = spawnSync('promtool', ['--version']).error === undefined
test('promtool finds nothing to complain about', { skip: promtool ? false : 'promtool is not installed' }, async () => {
  for (const name of ['normalize', 'detect'] as const) {
    const input = await createMetrics(name, '1').registry.metrics()
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })
    assert.deepEqual([status, stdout, stderr], [0, '', ''])
  }
})
