// ArrivalOrder counts what the live detector counts: late events and events from a clock ahead, copies left out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ArrivalOrder } from '../../../src/commands/replay-arrival.ts'
import { engineOptions, ruleSetFrom } from '../../../src/commands/rule-set.ts'
import { Engine } from '../../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import { at, call, minute } from '../../harness/detection.ts'

const rules = await ruleSetFrom([])

function counted(arrivals: readonly (readonly [CloudTrailEvent, number])[]): { late: number; skewed: number } {
  const order = new ArrivalOrder(rules)
  for (const [event, timestamp] of arrivals) order.take(event, timestamp)
  return { late: order.late, skewed: order.skewed }
}

const principals = ['a', 'b'].map(key => ({ principal: { key, kind: 'ROLE', name: key } as const }))

test('an event is late behind its own principal only, and a copy is not late', () => {
  const early = call(at('9:00'), principals[0])
  const arrivals = [
    [early, at('9:01')],
    [call(at('9:20'), principals[0]), at('9:21')],
    [early, at('9:22')],
    [call(at('9:04:59'), principals[0]), at('9:23')],
    [call(at('9:05'), principals[0]), at('9:23')],
    [call(at('9:00'), principals[1]), at('9:24')],
  ] as const
  assert.deepEqual(counted(arrivals), { late: 1, skewed: 0 })
})

test('an event more than five minutes ahead of its record is evaluated at the record, and moves no clock beyond it', () => {
  const arrivals = [
    [call(at('11:00'), principals[0]), at('9:00')],
    [call(at('8:50'), principals[0]), at('9:01')],
    [call(at('9:10'), principals[0]), at('9:05')],
  ] as const
  assert.deepEqual(counted(arrivals), { late: 0, skewed: 1 })
})

test('the counts are those of a detector with all rules', () => {
  const arrival = fc.record({
    who: fc.nat(1),
    minutes: fc.nat(60),
    delay: fc.integer({ min: -20, max: 40 }),
    id: fc.nat(12),
    eventName: fc.constantFrom('BatchGetSecretValue', 'GetSecretValue', 'ListSecrets'),
  })
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 40 }), arrivals => {
      const engine = new Engine(rules, engineOptions())
      const transaction = engine.begin()
      const events = arrivals.map(({ who, minutes, delay, id, eventName }) => {
        const time = at('9:00') + minutes * minute
        return [call(time, { ...principals[who], eventId: `id-${id}`, eventName }), time + delay * minute] as const
      })
      for (const [event, timestamp] of events) transaction.process(event, null, timestamp)
      const { late, skewed } = transaction.counts
      assert.deepEqual(counted(events), { late, skewed })
    }),
    { numRuns: 300 },
  )
})
