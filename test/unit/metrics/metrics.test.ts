// Metric names and labels as Prometheus' conventions want them, and nothing in a label that traffic can choose.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { demoScenario } from '../../../src/commands/demo-scenario.ts'
import { describeMetrics } from '../../../src/metrics/definitions.ts'
import {
  addCounts,
  addPlaces,
  createMetrics,
  releasePartition,
  requestObserver,
  startRulesAtZero,
} from '../../../src/metrics/metrics.ts'
import { localSchemas } from '../../../src/log/schema-source.ts'
import { sourceKinds } from '../../../src/normalize/event.ts'
import { startDetector } from '../../../src/pipeline/detector.ts'
import { startNormalizer } from '../../../src/pipeline/normalizer.ts'
import { rejectReasons, skipKinds } from '../../../src/rejected.ts'
import { debianPackage } from '../../harness/debian-package.ts'
import {
  append,
  detectorParts,
  eventSchema,
  lineLog,
  normalizerOptions,
  seriesOf,
  topics,
} from '../../harness/pipeline.ts'

const rules = [{ id: 'a-rule', level: 'high' }]

test('counters end in _total and gauges do not; every metric says what it counts, in a sentence', () => {
  assert.ok(describeMetrics().length > 30)
  for (const { name, help, type, labels } of describeMetrics()) {
    assert.match(name, /^trailwarden_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    if (type === 'histogram') assert.match(name, /_seconds$/)
    assert.match(help, /^[A-Z].*\.$/, name)
    assert.doesNotMatch(help, /\n/, name)
    for (const label of labels) assert.match(label, /^[a-z_]+$/)
  }
})

test('no label is named after anything that traffic chooses', () => {
  const bounded = ['topic', 'partition', 'kind', 'reason', 'rule', 'severity', 'activity', 'result', 'api', 'read_only']
  const allowed = new Set([...bounded, 'region', 'version', 'node'])
  assert.deepEqual(
    describeMetrics().flatMap(({ labels }) => labels.filter(label => !allowed.has(label))),
    [],
  )
})

test('a scrape after an attack names no principal, session, address, account, key or secret', async t => {
  const log = lineLog(2)
  const scenario = demoScenario()
  await append(log, topics.raw, scenario.values)
  const schemas = localSchemas()
  await schemas.idOf('events', eventSchema)
  const [normalize, detect] = [await normalizerOptions(log), await detectorParts(log, {}, schemas)]
  const loops = [await startNormalizer(normalize), await startDetector(detect)]
  t.after(() => Promise.all(loops.map(loop => loop.stop())))
  await log.idle()
  const text = (await normalize.metrics.registry.metrics()) + (await detect.metrics.registry.metrics())
  assert.ok(Object.keys(await seriesOf(detect.metrics, 'trailwarden_alerts_total')).length > 1, 'the attack was seen')

  const identities = new Set<string>()
  const collect = (value: unknown, key = ''): void => {
    if (typeof value === 'object' && value !== null)
      for (const [name, member] of Object.entries(value)) collect(member, name)
    else if (/user|arn|principal|session|account|accessKey|address|secretId|sourceIdentity/i.test(key))
      if (typeof value === 'string' && value.length > 3 && !value.endsWith('.amazonaws.com')) identities.add(value)
  }
  for (const { value } of scenario.values) {
    try {
      collect(JSON.parse(value?.toString() ?? ''))
    } catch {
      // Garbage and gzip of the scenario carry nothing that another record does not.
    }
  }
  assert.ok(identities.size > 20, String(identities.size))
  const labels = [...text.matchAll(/="([^"]*)"/g)].map(([, value]) => value ?? '')
  for (const identity of [...identities, scenario.attacker])
    assert.ok(!labels.some(label => label.includes(identity)), identity)
})

test('a process exposes its own metrics and not those of the other', async () => {
  for (const role of ['normalize', 'detect'] as const) {
    const text = await createMetrics(role, '1').registry.metrics()
    for (const { name, of } of describeMetrics())
      assert.equal(text.includes(`# TYPE ${name} `), of === 'both' || of === role, `${role} ${name}`)
  }
})

test('what may be alerted on exists with 0 before its first fault', async () => {
  const metrics = createMetrics('detect', '1.2.3')
  startRulesAtZero(metrics, rules)
  const other = createMetrics('normalize', '1.2.3')
  const text = (await metrics.registry.metrics()) + (await other.registry.metrics())
  for (const [name, label, values] of [
    ['rejected_total', 'reason', rejectReasons],
    ['skipped_total', 'kind', skipKinds],
    ['envelopes_total', 'kind', sourceKinds],
    ['transactions_total', 'result', ['committed', 'aborted', 'fenced']],
    ['restores_total', 'result', ['completed', 'failed']],
    ['registry_lookups_total', 'result', ['found', 'cached', 'unknown', 'failed']],
    ['alerts_total', 'activity', ['CREATE', 'UPDATE']],
    ['alerts_suppressed_total', 'rule', ['a-rule']],
    ['rule_events_total', 'rule', ['a-rule']],
  ] as const)
    for (const value of values)
      assert.match(text, new RegExp(`^trailwarden_${name}\\{.*${label}="${value}".*\\} 0$`, 'm'), `${name} ${value}`)
  assert.match(text, /^trailwarden_build_info\{version="1\.2\.3",node="v[\d.]+",process="detect"\} 1$/m)
})

test('counts and places of a batch are added to what is there', async () => {
  const metrics = createMetrics('normalize', '1')
  const counts = new Map([
    ['empty', 2],
    ['not-json', 1],
  ])
  addCounts(metrics.rejected, 'reason', counts)
  addCounts(metrics.rejected, 'reason', counts)
  const { 'reason="empty"': empty, 'reason="not-json"': notJson } = await seriesOf(
    metrics,
    'trailwarden_rejected_total',
  )
  assert.deepEqual([empty, notJson], [4, 2])
  addPlaces(metrics.recordsOut, [{ topic: 'a', partition: 3, records: 2 }])
  addPlaces(metrics.recordsOut, [{ topic: 'a', partition: 3, records: 5 }])
  assert.deepEqual(await seriesOf(metrics, 'trailwarden_records_out_total'), { 'topic="a",partition="3"': 7 })
})

test('every series of a partition that is lost ends, and no other', async () => {
  const metrics = createMetrics('detect', '1')
  const fill = (partition: number) => {
    metrics.recordsIn.inc({ topic: 'events', partition })
    addPlaces(metrics.recordsOut, [
      { topic: 'state', partition, records: 1 },
      { topic: 'alerts', partition, records: 1 },
    ])
    metrics.lag.set('events', partition, 1, 1)
    for (const gauge of [metrics.stateEntries, metrics.stateBytes, metrics.deniedRate, metrics.restoreProgress])
      gauge.set({ partition }, 1)
  }
  fill(1)
  fill(2)
  const before = await metrics.registry.metrics()
  for (const { name, labels } of describeMetrics().filter(({ of }) => of !== 'normalize'))
    if (labels.includes('partition')) assert.match(before, new RegExp(`^${name}\\{.*partition="1"`, 'm'), name)
  releasePartition(metrics, 1, 'events', 'state')
  const left = (await metrics.registry.metrics()).split('\n').filter(line => line.includes('partition="1"'))
  assert.deepEqual(left, ['trailwarden_records_out_total{topic="alerts",partition="1",process="detect"} 1'])
  assert.match(await metrics.registry.metrics(), /^trailwarden_lag_seconds\{topic="events",partition="2".*\} [1-9]/m)
})

test('requests to brokers are timed by API, and those without an answer counted', async () => {
  const metrics = createMetrics('detect', '1')
  const observer = requestObserver(metrics)
  observer.answered('Fetch', 250)
  observer.timedOut('Produce')
  assert.deepEqual(await seriesOf(metrics, 'trailwarden_kafka_request_duration_seconds_sum'), { 'api="Fetch"': 0.25 })
  assert.deepEqual(await seriesOf(metrics, 'trailwarden_kafka_request_timeouts_total'), { 'api="Produce"': 1 })
})

const prometheus = await debianPackage('prometheus', { programs: ['usr/bin/promtool'] })
const skip = 'missing' in prometheus ? prometheus.missing : false

test('promtool finds nothing to complain about', { skip }, async () => {
  assert.ok(!('missing' in prometheus))
  for (const role of ['normalize', 'detect'] as const) {
    const metrics = createMetrics(role, '1')
    startRulesAtZero(metrics, rules)
    metrics.eventAge.add(metrics.eventAge.batch())
    metrics.lag.set('events', 1, 1, 1)
    requestObserver(metrics).answered('Fetch', 250)
    const input = await metrics.registry.metrics()
    const said: string = execFileSync(join(prometheus.root, 'usr/bin/promtool'), ['check', 'metrics'], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...prometheus.env },
    })
    assert.equal(said, '')
  }
})
