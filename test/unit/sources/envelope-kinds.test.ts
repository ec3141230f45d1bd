import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insideOf } from '../../../src/sources/envelope-kinds.ts'
import { smallest } from '../normalize/options.ts'

test('a record is a record whatever else it carries', () => {
  const payload = {
    Records: [1],
    detail: {},
    'detail-type': 'x',
    message: 'm',
    eventData: {},
    logEvents: [],
    Events: [],
  }
  assert.deepEqual(insideOf({ ...smallest, ...payload }), { is: 'record', kind: 'RECORD' })
})

test('what an attacker writes into request parameters is never opened', () => {
  const requestParameters = { Records: [{ eventSource: 'aws:s3' }], message: '{"eventName":"x"}', insightDetails: {} }
  assert.deepEqual(insideOf({ ...smallest, requestParameters }), { is: 'record', kind: 'RECORD' })
})

test('an object with one field that only records have is a broken record, to be refused by what it lacks', () => {
  for (const field of ['eventName', 'eventSource', 'eventTime', 'eventVersion', 'eventID', 'userIdentity']) {
    assert.deepEqual(insideOf({ [field]: 1 }), { is: 'record', kind: 'RECORD' })
  }
  assert.deepEqual(insideOf({ awsRegion: 'eu-west-1' }), { is: 'unknown' })
})

test('a wrapper gives its inside untouched', () => {
  const inner = { eventName: 'x' }
  assert.deepEqual(insideOf({ Records: inner, region: 'bucket-region' }), {
    is: 'wraps',
    kind: 'RECORDS_OBJECT',
    inner,
  })
  assert.deepEqual(insideOf({ Events: [{ CloudTrailEvent: 'text' }, 'other'] }), {
    is: 'holds',
    kind: 'LOOKUP_EVENTS',
    members: ['text', 'other'],
  })
})

test('an EventBridge event about a bucket is a notification, one via CloudTrail is not', () => {
  const detail = { bucket: {} }
  assert.equal(insideOf({ source: 'aws.s3', 'detail-type': 'Object Created', detail }).is, 'skip')
  assert.equal(insideOf({ source: 'aws.s3', 'detail-type': 'AWS API Call via CloudTrail', detail }).is, 'wraps')
})
