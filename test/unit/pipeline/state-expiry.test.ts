// Expiry by input offset: the same principals at the same record, whatever the transactions were.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enterStretch, noExpiryYet, noteEvent, stretchOf } from '../../../src/pipeline/state-expiry.ts'
import { at } from '../../harness/detection.ts'

const noTimestamp = -1

test('a stretch is a run of offsets, whatever gaps the log has', () => {
  assert.deepEqual(
    [0, 99, 100, 199, 1234].map(offset => stretchOf(offset, 100)),
    [0, 0, 1, 1, 12],
  )
})

test('nothing is forgotten inside a stretch, before the first one, or after one without events', () => {
  const first = enterStretch(noExpiryYet, 7)
  assert.equal(first.horizon, null)
  assert.equal(enterStretch(first.progress, 7).horizon, null)
  assert.equal(enterStretch(first.progress, 8).horizon, null)
})

test('the horizon is the oldest event of the stretch that ended: a backfill holds it back', () => {
  let { progress } = enterStretch(noExpiryYet, 0)
  for (const time of ['10:05', '09:00', '10:07']) progress = noteEvent(progress, at(time), noTimestamp)
  const next = enterStretch(progress, 3)
  assert.equal(next.horizon, at('09:00'))
  assert.deepEqual(next.progress, { stretch: 3, oldest: null })
})

test('an event from a clock ahead counts at its record timestamp, one with an unusable time not at all', () => {
  const { progress } = enterStretch(noExpiryYet, 0)
  assert.equal(noteEvent(progress, at('12:00'), at('10:00')).oldest, at('10:00'))
  assert.equal(noteEvent(progress, at('10:00'), at('12:00')).oldest, at('10:00'))
  assert.equal(noteEvent(progress, Number.NaN, noTimestamp).oldest, null)
})
