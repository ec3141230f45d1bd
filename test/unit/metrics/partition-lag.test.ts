// Lag in seconds grows while nothing is reported, ends with the partition, and is 0 when there is nothing to do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gauge, Registry } from 'prom-client'
import { PartitionLag } from '../../../src/metrics/partition-lag.ts'

function lagAt(start: number) {
  const registers = [new Registry()]
  const labelNames = ['topic', 'partition'] as const
  const records = new Gauge({ name: 'records', help: 'r', labelNames, registers })
  const seconds = new Gauge({ name: 'seconds', help: 's', labelNames, registers })
  const clock = { now: start }
  const lag = new PartitionLag(records, () => clock.now)
  const read = async () => {
    lag.expose(seconds)
    const values = async (gauge: typeof records) =>
      Object.fromEntries((await gauge.get()).values.map(({ labels, value }) => [labels.partition, value]))
    return { records: await values(records), seconds: await values(seconds) }
  }
  return { lag, clock, read }
}

test('seconds are counted from the timestamp of the oldest record, whenever they are read', async () => {
  const { lag, clock, read } = lagAt(100_000)
  lag.set('t', 0, 5, 90_000)
  lag.set('t', 1, 0, null)
  assert.deepEqual(await read(), { records: { 0: 5, 1: 0 }, seconds: { 0: 10, 1: 0 } })
  clock.now = 160_000
  assert.deepEqual((await read()).seconds, { 0: 70, 1: 0 })
  lag.set('t', 0, 0, null)
  assert.deepEqual(await read(), { records: { 0: 0, 1: 0 }, seconds: { 0: 0, 1: 0 } })
})

test('a record without a timestamp counts from now on; one from the future is not negative', async () => {
  const { lag, clock, read } = lagAt(100_000)
  lag.set('t', 0, 1, -1)
  lag.set('t', 1, 1, 200_000)
  clock.now = 103_000
  assert.deepEqual((await read()).seconds, { 0: 3, 1: 0 })
})

test('a partition that is released has no series', async () => {
  const { lag, read } = lagAt(0)
  lag.set('t', 0, 1, 0)
  lag.set('t', 1, 1, 0)
  lag.release('t', 0)
  assert.deepEqual(await read(), { records: { 1: 1 }, seconds: { 1: 0 } })
})

test('a partition with less than nothing to read has 0: its end is known from an earlier batch', async () => {
  const { lag, read } = lagAt(0)
  lag.set('t', 0, -3, null)
  assert.deepEqual((await read()).records, { 0: 0 })
})
