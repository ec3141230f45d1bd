// Candidates of a sweep: a principal is one as soon as the loosest variant could alert on it, and not before.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Candidates } from '../../../src/commands/replay-candidates.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'
import { at, awsRegion, call, minute, rateRule } from '../../harness/detection.ts'

const twoRegions = {
  kind: 'value_count',
  timespanMs: 10 * minute,
  condition: { gte: 2 },
  field: awsRegion,
} as const

function by(key: string, time: number, more: Partial<CloudTrailEvent> = {}): CloudTrailEvent {
  return call(time, { principal: { key, kind: 'ROLE', name: key }, ...more })
}

test('two regions in one window make a candidate, in two windows or of two principals they do not', () => {
  const candidates = new Candidates(twoRegions)
  candidates.consider(by('a', at('9:00'), { awsRegion: 'us-east-1' }))
  candidates.consider(by('a', at('9:09:59'), { awsRegion: 'us-east-2' }))
  candidates.consider(by('b', at('9:00'), { awsRegion: 'us-east-1' }))
  candidates.consider(by('b', at('9:10'), { awsRegion: 'us-east-2' }))
  candidates.consider(by('c', at('9:11'), { awsRegion: 'us-east-1' }))
  assert.deepEqual(
    ['a', 'b', 'c'].map(key => candidates.has(key)),
    [true, false, false],
  )
})

test('of a rate rule, min-count denials in a window', () => {
  const candidates = new Candidates(rateRule('rate').body)
  const denied = (i: number) => by('a', at('9:00') + i * minute, { outcome: 'DENIED' })
  for (let i = 0; i < 4; i++) candidates.consider(denied(i))
  for (let i = 4; i < 20; i++) candidates.consider(by('a', at('9:00') + i * minute))
  assert.equal(candidates.has('a'), false, 'successes do not count')
  candidates.consider(denied(20))
  assert.equal(candidates.has('a'), true)
})

test('a rule that counts nothing has no candidates', () => {
  const candidates = new Candidates({ kind: 'single' })
  candidates.consider(by('a', at('9:00')))
  assert.equal(candidates.has('a'), false)
})
