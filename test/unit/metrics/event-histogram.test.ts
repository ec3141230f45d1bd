// The histogram that takes batches: the same exposition as prom-client's own for the same observations.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import { EventHistogram } from '../../../src/metrics/event-histogram.ts'

test('its text is that of prom-client for any observations in any batches', async () => {
  const value = fc.oneof(fc.double({ min: 0, max: 50, noNaN: true }), fc.constantFrom(0, 1, 2.5, 10))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(value, { maxLength: 10 }), { maxLength: 5 }), async batches => {
      const [ours, theirs] = [new Registry(), new Registry()]
      const buckets = [1, 2.5, 10]
      const histogram = new EventHistogram('h', 'Help.', buckets, [ours])
      const reference = new Histogram({ name: 'h', help: 'Help.', buckets, registers: [theirs] })
      for (const values of batches) {
        const batch = histogram.batch()
        for (const observed of values) batch.observe(observed)
        histogram.add(batch)
        // Sums of a batch are added as one: in another order than one by one.
        for (const observed of values) reference.observe(observed)
      }
      const withoutSum = (text: string) => text.replace(/^h_sum .*$/m, '')
      const [text, expected] = [await ours.metrics(), await theirs.metrics()]
      assert.equal(withoutSum(text), withoutSum(expected))
      const sumOf = (of: string) => Number(/^h_sum (.*)$/m.exec(of)?.[1])
      assert.ok(Math.abs(sumOf(text) - sumOf(expected)) <= 1e-9 * Math.max(1, sumOf(expected)))
    }),
    { numRuns: 200 },
  )
})

test('a batch that is not added leaves no trace: its transaction failed', async () => {
  const registry = new Registry()
  const histogram = new EventHistogram('h', 'Help.', [1], [registry])
  histogram.batch().observe(0.5)
  assert.match(await registry.metrics(), /^h_count 0$/m)
})
