// Signs of a blind trail: reads and writes by envelope, regions by name up to a cap, and no clock that hides a gap.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter, Gauge, Registry } from 'prom-client'
import { TrailBatch, TrailSignals } from '../../../src/metrics/trail-signals.ts'

const now = Date.UTC(2026, 0, 20)
const event = {
  awsRegion: 'eu-west-1',
  eventTime: now - 60_000,
  managementEvent: true,
  readOnly: false,
  sourceKind: 'EVENTBRIDGE',
} as const

function signals() {
  const registers = [new Registry()]
  const management = new Counter({ name: 'm_total', help: 'm', labelNames: ['kind', 'read_only'], registers })
  const events = new Counter({ name: 'e_total', help: 'e', labelNames: ['region'], registers })
  const newest = new Gauge({ name: 'n', help: 'n', labelNames: ['region'], registers })
  const trail = new TrailSignals(management, events, newest, () => now)
  const values = async (metric: { get(): Promise<{ values: { labels: object; value: number }[] }> }) =>
    Object.fromEntries((await metric.get()).values.map(({ labels, value }) => [Object.values(labels).join(' '), value]))
  const read = async () => ({
    management: await values(management),
    events: await values(events),
    newest: await values(newest),
  })
  const add = (...noted: Parameters<TrailBatch['note']>[0][]) => {
    const batch = new TrailBatch()
    for (const one of noted) batch.note(one)
    trail.add(batch)
  }
  return { add, read }
}

test('a kind that delivers writes only has a series of reads that stands at 0', async () => {
  const { add, read } = signals()
  add(event, event)
  assert.deepEqual((await read()).management, { 'EVENTBRIDGE true': 0, 'EVENTBRIDGE false': 2 })
  add({ ...event, readOnly: true })
  assert.deepEqual((await read()).management, { 'EVENTBRIDGE true': 1, 'EVENTBRIDGE false': 2 })
})

test('data events and events that do not say whether they read prove nothing', async () => {
  const { add, read } = signals()
  add({ ...event, managementEvent: false, readOnly: true }, { ...event, readOnly: null })
  assert.deepEqual((await read()).management, {})
  add({ ...event, managementEvent: null, readOnly: true })
  assert.deepEqual((await read()).management, { 'EVENTBRIDGE true': 1, 'EVENTBRIDGE false': 0 })
})

test('a region counts its events and shows its newest; a clock ahead does not hide a gap', async () => {
  const { add, read } = signals()
  add(event, { ...event, eventTime: now - 30_000 }, { ...event, eventTime: now - 90_000 })
  assert.deepEqual((await read()).events, { 'eu-west-1': 3 })
  assert.deepEqual((await read()).newest, { 'eu-west-1': (now - 30_000) / 1000 })
  add({ ...event, eventTime: now + 3_600_000 })
  assert.deepEqual((await read()).newest, { 'eu-west-1': now / 1000 })
  add({ ...event, eventTime: now - 99_000 })
  assert.deepEqual((await read()).newest, { 'eu-west-1': now / 1000 }, 'a late event does not set it back')
})

test('whatever stands in awsRegion, there are at most 64 names and `other`', async () => {
  const { add, read } = signals()
  const odd = [
    '',
    'EU-WEST-1',
    'a b',
    '111122223333',
    `eu-${'x'.repeat(200)}-1-2-3-4`,
    'root',
    '__proto__',
    'x'.repeat(99),
  ]
  add(...odd.map(awsRegion => ({ ...event, awsRegion })))
  assert.deepEqual((await read()).events, { other: odd.length })
  for (const awsRegion of ['us-gov-west-1', 'cn-northwest-1', 'eu-isoe-west-1', 'ap-southeast-5'])
    add({ ...event, awsRegion })
  assert.equal(Object.keys((await read()).events).length, 5)
  for (let index = 0; index < 1000; index++) add({ ...event, awsRegion: `xx-made-up-${index}` })
  const { events, newest } = await read()
  assert.ok(Object.keys(events).length <= 65, String(Object.keys(events).length))
  assert.equal(Object.keys(newest).length, Object.keys(events).length)
  assert.equal(
    Object.values(events).reduce((sum, count) => sum + count, 0),
    odd.length + 4 + 1000,
  )
  add(event)
  assert.equal((await read()).events['eu-west-1'], undefined, 'a region that comes after the cap is among the others')
})
