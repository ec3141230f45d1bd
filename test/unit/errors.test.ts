import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TrailwardenError, asTrailwardenError, twError } from '../../src/errors.ts'

test('an error brings exit code, hint and whether to try again from the table', () => {
  const cause = new Error('socket')
  const error = twError('TW_BROKER_UNAVAILABLE', 'No broker answers.', cause)
  assert.ok(error instanceof TrailwardenError)
  assert.deepEqual([error.code, error.exit, error.retriable, error.cause], ['TW_BROKER_UNAVAILABLE', 3, true, cause])
  assert.match(error.hint, /KAFKA_BROKERS/)
  assert.ok(!('cause' in twError('TW_USAGE', 'x')))
})

test('whatever is thrown becomes an error of the table, with the original as its cause', () => {
  const known = twError('TW_USAGE', 'x')
  assert.equal(asTrailwardenError(known), known)
  for (const [thrown, message] of [
    [new TypeError('x is not a function'), 'x is not a function'],
    [new Error(''), 'Unknown failure.'],
    ['text', 'text'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ toString: () => 'odd' }, 'odd'],
    [Object.create(null), 'Unknown failure.'],
  ] as const) {
    const error = asTrailwardenError(thrown)
    assert.deepEqual([error.code, error.message, error.exit], ['TW_INTERNAL', message, 3])
    assert.equal(error.cause, thrown)
  }
})
