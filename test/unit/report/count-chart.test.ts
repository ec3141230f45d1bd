// Parts of the chart of a counting rule: where its threshold stands, and labels without what they have in common.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lowest, sharedPrefix } from '../../../src/report/count-chart.ts'

test('the lowest count that alerts, for conditions that more events can only make true', () => {
  assert.equal(lowest({ gte: 5 }), 5)
  assert.equal(lowest({ gte: 4.5 }), 5)
  assert.equal(lowest({ gt: 5 }), 6)
  assert.equal(lowest({ gt: 5.5, gte: 3 }), 6)
  for (const condition of [{ lte: 5 }, { gte: 2, lt: 9 }, { eq: 5 }, { neq: 0 }]) assert.equal(lowest(condition), null)
})

test('the prefix that all values share ends in a colon and leaves something of each', () => {
  assert.equal(sharedPrefix(['1:eu-west-1:a', '1:eu-west-1:b']), '1:eu-west-1:')
  assert.equal(sharedPrefix(['1:eu-west-1:a', '1:us-east-1:a']), '1:')
  assert.equal(sharedPrefix(['1:eu-west-1:a', '2:eu-west-1:a']), '')
  assert.equal(sharedPrefix(['us-east-1', 'us-east-2']), '')
  assert.equal(sharedPrefix(['a:', 'a:b']), '')
  assert.equal(sharedPrefix([':a', ':b']), ':')
  assert.equal(sharedPrefix(['a:b']), '')
  assert.equal(sharedPrefix([]), '')
})
