import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventToJson } from '../../../src/normalize/json.ts'
import { collect, smallest } from './options.ts'

test('an event is one line with the field names of CloudTrailEvent and RFC 3339 times', () => {
  const record = {
    ...smallest,
    requestParameters: { secretId: 'line\nfeed \u2028 "quoted"' },
    userIdentity: { type: 'IAMUser', sessionContext: { attributes: { creationDate: '20260301T080000Z' } } },
  }
  const [event] = collect(JSON.stringify(record)).events
  assert.ok(event)
  const line = eventToJson(event)
  assert.ok(!line.includes('\n'))
  const parsed = JSON.parse(line) as typeof event
  assert.deepEqual(Object.keys(parsed), Object.keys(event))
  assert.equal(parsed.eventTime, '2026-03-01T08:15:30.000Z')
  assert.equal(parsed.userIdentity.sessionCreated, '2026-03-01T08:00:00.000Z')
  assert.deepEqual(JSON.parse(parsed.requestParameters ?? ''), record.requestParameters)
  const times = { eventTime: 0, userIdentity: { ...event.userIdentity, sessionCreated: 0 } }
  assert.deepEqual(
    { ...parsed, ...times, userIdentity: { ...parsed.userIdentity, sessionCreated: 0 } },
    { ...event, ...times },
  )
})

test('a session without a creation date stays null', () => {
  const [event] = collect(JSON.stringify(smallest)).events
  assert.ok(event)
  assert.match(eventToJson(event), /"sessionCreated":null/)
})

test('a hostile user agent cannot drive the terminal that shows the line', () => {
  const userAgent = 'curl \u001b[31m\u007f\u009b2J\u0085\u2028\u2029'
  const [event] = collect(JSON.stringify({ ...smallest, userAgent })).events
  assert.ok(event)
  const line = eventToJson(event)
  assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u)
  assert.equal((JSON.parse(line) as typeof event).userAgent, userAgent)
})
