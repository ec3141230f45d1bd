// The running size of a partition's state is the sum of the newest record of every principal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StateSize } from '../../../src/pipeline/state-size.ts'

test('after any writes and tombstones it is what one would add up', () => {
  const write = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(fc.nat({ max: 1000 })))
  fc.assert(
    fc.property(fc.array(write, { maxLength: 50 }), writes => {
      const size = new StateSize()
      const newest = new Map<string, number>()
      for (const [key, length] of writes) {
        size.set(key, length === null ? null : { length })
        newest.set(key, length ?? 0)
      }
      assert.equal(
        size.bytes,
        [...newest.values()].reduce((sum, length) => sum + length, 0),
      )
    }),
  )
})
