import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect, keepAll, smallest } from './options.ts'

test('a tombstone is refused as null-value, and an empty value as empty', () => {
  assert.deepEqual(collect(null).order, ['null-value'])
  assert.deepEqual(collect('').order, ['empty'])
})

test('one bad record in a hundred costs itself only, and is named by its position', () => {
  const nameless = { ...smallest, eventName: undefined }
  const records = Array.from({ length: 100 }, (_, i) => (i === 41 ? nameless : smallest))
  const { events, rejected, order } = collect(JSON.stringify({ Records: records }))
  assert.equal(events.length, 99)
  assert.deepEqual(
    rejected.map(each => each.rejected),
    ['missing-event-name'],
  )
  assert.equal(order[41], 'missing-event-name')
  assert.equal(order.length, 100)
})

test('every record carries the kind of its own envelope', () => {
  const eventBridge = { 'detail-type': 'AWS API Call via CloudTrail', detail: smallest }
  const lines = [smallest, eventBridge, smallest].map(line => JSON.stringify(line)).join('\n')
  assert.deepEqual(
    collect(lines).events.map(event => event.sourceKind),
    ['JSON_LINES', 'EVENTBRIDGE', 'JSON_LINES'],
  )
})

test('sourceIdentity is trusted or ignored as configured', () => {
  const userIdentity = { type: 'Root', accountId: '1', sessionContext: { sourceIdentity: 'alice' } }
  const value = JSON.stringify({ ...smallest, userIdentity })
  assert.equal(collect(value).events[0]?.principal.key, 'source-identity/alice')
  assert.equal(collect(value, { ...keepAll, sourceIdentity: 'ignore' }).events[0]?.principal.key, '1/root')
})
