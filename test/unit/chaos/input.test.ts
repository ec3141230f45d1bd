// What chaos feeds the detectors is worth the trouble: both attacks fire, nothing is late, every kind of poison occurs,
// and the episodes of the order of arrival are those of event-time order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Alert } from '../../../src/alerts/alert.ts'
import { eventDecoder } from '../../../src/codecs/cloudtrail-event.ts'
import { detectionFrom } from '../../../src/commands/rule-set.ts'
import { loadConfig } from '../../../src/config.ts'
import { Engine } from '../../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import { topicContract } from '../../../src/topics.ts'
import { chaosInput, poisonHeader } from '../../chaos/input.ts'
import { poisonKinds } from '../../chaos/poison.ts'
import { scenarios, scheduleOf } from '../../chaos/scenarios.ts'
import { agreementOf } from '../../harness/backtest.ts'
import { Random } from '../../harness/simulator.ts'

const ids = { event: 1, strayId: 99, foreignIds: { alert: 2, withoutTimeAndName: 3, textTime: 4 } }
const schema = topicContract('EVENTS_TOPIC').schema!
const { rules, engine: options } = await detectionFrom(loadConfig({ flags: {}, env: {} }))

function run(events: readonly CloudTrailEvent[]): { alerts: Alert[]; late: number; duplicates: number } {
  const engine = new Engine(rules, options)
  const transaction = engine.begin()
  for (const event of events) transaction.process(event, null, null)
  return { alerts: transaction.alerts, ...transaction.counts }
}

test('is a function of the seed', () => {
  const of = (seed: number) =>
    chaosInput(new Random(seed), 500, ids).map(({ key, value }) => `${String(key)} ${value?.toString('base64')}`)
  assert.deepEqual(of(1), of(1))
  assert.notDeepEqual(of(1), of(2))
})

test('has one poisoned record in a hundred, and every kind', () => {
  const input = chaosInput(new Random(3), 5000, ids)
  const poison = input.flatMap(({ headers }) => (headers === undefined ? [] : [headers[poisonHeader]]))
  assert.ok(poison.length > 25 && poison.length < 100, `${poison.length} of 5000`)
  assert.deepEqual(new Set(poison), new Set(poisonKinds.map(([kind]) => kind)))
})

test('both attacks fire, copies and disorder occur, nothing is late, and order does not matter', () => {
  const decoder = eventDecoder(schema)
  decoder.learn(ids.event, schema)
  for (const seed of [1, 2, 3]) {
    const events = chaosInput(new Random(seed), 3000, ids)
      .filter(({ headers }) => headers === undefined)
      .map(({ value }) => decoder.decode(value!) as CloudTrailEvent)
    const inOrder = events.toSorted((a, b) => a.eventTime - b.eventTime || (a.eventId < b.eventId ? -1 : 1))
    assert.notDeepEqual(events, inOrder)
    const [live, replayed] = [run(events), run(inOrder)]
    assert.deepEqual(agreementOf(replayed.alerts, live.alerts).differences, [], `seed ${seed}`)
    assert.equal(live.late, 0)
    assert.ok(live.duplicates > 100)
    for (const rule of ['secretsmanager-multi-region', 'secretsmanager-denied-rate'])
      for (const activity of ['CREATE', 'UPDATE'])
        assert.ok(
          live.alerts.some(alert => alert.ruleId === rule && alert.activity === activity),
          `${rule} ${activity}`,
        )
    const lost = live.alerts.filter(({ dedupKey }) => dedupKey !== live.alerts[0]!.dedupKey)
    assert.notDeepEqual(agreementOf(replayed.alerts, lost).differences, [], 'an episode that is lost is noticed')
  }
})

test('a schedule is a function of the seed and begins with what its scenario is about', () => {
  for (const scenario of Object.values(scenarios)) {
    const faults = scheduleOf(new Random(9), scenario, 45_000)
    assert.deepEqual(faults, scheduleOf(new Random(9), scenario, 45_000))
    assert.deepEqual(
      faults.slice(0, scenario.first.length).map(({ kind }) => kind),
      scenario.first,
    )
    assert.ok(faults.every(({ at }) => at < 45_000))
  }
})
