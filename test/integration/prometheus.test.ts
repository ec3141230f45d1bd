// A real Prometheus scrapes a real normalizer and detector on a real broker, with the rules that ship. It must answer with the
// numbers the test produced, and every query of the dashboard and of the rules must return data.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { grafanaDashboard } from '../../scripts/grafana-dashboard.ts'
import { demoScenario } from '../../src/commands/demo-scenario.ts'
import { describeMetrics } from '../../src/metrics/definitions.ts'
import { debianPackage } from '../harness/debian-package.ts'
import type { DebianPackage } from '../harness/debian-package.ts'
import { eventually, lineOn, workedOff } from '../harness/line.ts'
import type { Line } from '../harness/line.ts'
import { startPrometheus } from '../harness/prometheus.ts'
import type { PrometheusForTests } from '../harness/prometheus.ts'
import { describeOnKafka } from '../harness/suite.ts'

const rulesFile = join(import.meta.dirname, '..', '..', 'deploy', 'prometheus', 'trailwarden.rules.yml')
const rules = (
  parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: { record?: string; alert?: string; expr: string }[] }[] }
).groups.flatMap(group => group.rules)

/** Series that exist only while something is wrong or under way, which is not the case here. */
const emptyWhenWell = ['ALERTS{', 'trailwarden_kafka_request_timeouts_total', 'trailwarden_restore_progress_ratio']

/** What an alert looks at, without when it minds: operands without comparisons; what is absent when it fires. */
function operandsOf(alert: string): string[] {
  return alert
    .replace(/^absent\((.*)\)$/, '$1')
    .replace(/\s+(?:==|<|>|<=|>=)\s+[\d.]+/g, '')
    .replace(/ offset \d+[smhd]/g, '')
    .split(/\s+(?:and|unless)\s+(?:on \([^)]*\)\s+)?/)
}

/** Every expression that is to return data, by where it comes from. */
function expressions(): Map<string, string> {
  const all = new Map<string, string>()
  for (const { record, alert, expr } of rules) {
    if (record !== undefined) all.set(`record ${record}`, record)
    for (const [index, operand] of alert === undefined ? [] : operandsOf(expr.trim()).entries())
      all.set(`alert ${alert} ${index}`, operand)
  }
  const panels = grafanaDashboard().panels as { title: string; targets?: { refId: string; expr: string }[] }[]
  for (const { title, targets = [] } of panels)
    for (const { refId, expr } of targets)
      all.set(`panel ${title} ${refId}`, expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', '.*'))
  return all
}

async function records(line: Line, topic: string): Promise<number> {
  return (await line.readAll(topic)).length
}

async function emptyQueries(prometheus: PrometheusForTests): Promise<string[]> {
  const empty: string[] = []
  for (const [from, expression] of expressions()) {
    if (emptyWhenWell.some(name => expression.includes(name))) continue
    if ((await prometheus.query(expression)).length === 0) empty.push(`${from}: ${expression}`)
  }
  return empty
}

const debian = await debianPackage('prometheus', { programs: ['usr/bin/prometheus', 'usr/bin/promtool'] })
if ('missing' in debian) test('Prometheus on a real line', { skip: debian.missing })
else await withPrometheus(debian)

async function withPrometheus(found: DebianPackage): Promise<void> {
  await describeOnKafka('Prometheus on a real line', kafka => {
    test('it answers with the numbers that went through, and every shipped query returns data', async t => {
      const line = await lineOn(kafka, t)
      const scenario = demoScenario()
      const [normalizer, detector] = [line.start(['normalize']), line.start(['detect'])]
      const ports = [await normalizer.port(), await detector.port()]
      const prometheus = await startPrometheus(
        found,
        ports.map(port => `127.0.0.1:${port}`),
        rulesFile,
      )
      t.after(() => prometheus.stop())
      await eventually(
        async () => (await prometheus.value('count(up == 1)')) === 2,
        () => 'the targets are not up',
      )
      // In two parts, so that there are rates: a counter that appears with its last value never grew.
      const values = scenario.values.map(({ key, value }) => ({ key, value }))
      const half = Math.floor(values.length / 2)
      await line.produceRaw(values.slice(0, half))
      await eventually(
        async () => (await prometheus.value('sum(trailwarden_records_in_total{process="detect"})')) > 0,
        () => 'nothing was detected',
      )
      await line.produceRaw(values.slice(half))
      for (const [group, topic] of [
        ['NORMALIZE_GROUP', line.topics.raw],
        ['DETECT_GROUP', line.topics.events],
      ] as const)
        await eventually(
          () => workedOff(line.log, line.env[group]!, topic),
          () => `${group} is not done`,
        )
      const { events, alerts, rejected, raw } = line.topics
      const expected = new Map<string, number>([
        [`sum(trailwarden_records_in_total{process="normalize",topic="${raw}"})`, values.length],
        [`sum(trailwarden_records_out_total{process="normalize",topic="${events}"})`, await records(line, events)],
        [`sum(trailwarden_records_in_total{process="detect",topic="${events}"})`, await records(line, events)],
        [`sum(trailwarden_records_out_total{topic="${rejected}"})`, await records(line, rejected)],
        [`sum(trailwarden_records_out_total{topic="${alerts}"})`, await records(line, alerts)],
        ['sum(trailwarden_alerts_total)', await records(line, alerts)],
        ['sum(trailwarden_envelopes_total)', scenario.records],
        ['sum(trailwarden_region_events_total)', scenario.records],
        ['trailwarden_event_age_seconds_count', scenario.records],
        ['sum(trailwarden_assigned_partitions{process="normalize"})', 4],
        ['count(trailwarden_lag_records{process="normalize"})', 4],
        ['count(trailwarden_lag_records{process="detect"})', 4],
        ['sum(trailwarden_lag_records)', 0],
        ['max(trailwarden_lag_seconds)', 0],
        ['sum(trailwarden_restores_total{result="completed"})', 4],
        ['sum(trailwarden_transactions_total{result="fenced"})', 0],
      ])
      for (const [expression, value] of expected)
        await eventually(
          async () => (await prometheus.value(expression)) === value,
          async () => `${expression} is ${await prometheus.value(expression)}, expected ${value}`,
          30_000,
        )
      // The group by partition: what each partition holds is what is reported for it.
      for (const [partition, { end }] of (await line.log.offsets(events)).entries())
        assert.equal(
          await prometheus.value(
            `sum(trailwarden_records_out_total{process="normalize",topic="${events}",partition="${partition}"}) or vector(0)`,
          ),
          end,
          `partition ${partition}`,
        )

      let empty: string[] = []
      await eventually(
        async () => (empty = await emptyQueries(prometheus)).length === 0,
        () => `without data:\n${empty.join('\n')}`,
        45_000,
      )
      for (const name of emptyWhenWell) await prometheus.query(name.replace('{', ''))
      assert.deepEqual(await prometheus.query('ALERTS{alertstate="firing"}'), [])

      for (const [index, role] of (['normalize', 'detect'] as const).entries()) {
        const text = await (await fetch(`http://127.0.0.1:${ports[index]}/metrics`)).text()
        const promtool = join(found.root, 'usr/bin/promtool')
        const env = { ...process.env, ...found.env }
        assert.equal(execFileSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8', env }), '')
        for (const { name, of } of describeMetrics())
          assert.equal(text.includes(`# TYPE ${name} `), of === 'both' || of === role, `${role} ${name}`)
      }
      for (const running of [normalizer, detector]) running.child.kill('SIGTERM')
      for (const running of [normalizer, detector]) assert.equal((await running.finished).code, 0)
    })
  })
}
