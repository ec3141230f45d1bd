// Dispatch: the index finds exactly the predicates that plain evaluation finds, and does not evaluate the others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventWith } from './events.ts'
import { detection, load } from './loading.ts'

const texts = [
  detection('s:\n  eventSource: s3.amazonaws.com\n  eventName: [PutObject, GetObject]\ncondition: s', 'both'),
  detection('s:\n  eventName: getobject\ncondition: s', 'name'),
  detection('s:\n  eventSource: S3.amazonaws.com\ncondition: s', 'source'),
  detection('s:\n  userAgent: x\ncondition: s', 'any'),
  detection('s:\n  eventName: GetObject\nf:\n  userAgent: x\ncondition: s and not f', 'filtered'),
  detection('a:\n  eventName: GetObject\nb:\n  eventName: PutObject\ncondition: a or b', 'either'),
  detection('a:\n  eventName: GetObject\nb:\n  userAgent: x\ncondition: a or b', 'half'),
  detection('a:\n  eventName: GetObject\ncondition: not a', 'negated'),
  detection("a:\n  eventName: 'Get*'\ncondition: a", 'wildcard'),
  detection('a:\n  eventName|startswith: Get\ncondition: a', 'prefix'),
  detection('a:\n  eventName|neq: GetObject\ncondition: a', 'other'),
  detection('a:\n  - eventName: GetObject\n  - eventName: ListBuckets\ncondition: a', 'listed'),
  detection('a:\n  eventName: GetObject\nb:\n  eventName: PutObject\ncondition: a and b', 'never'),
]

test('match finds what testing every predicate finds', () => {
  const { rules } = load(...texts)
  for (const eventSource of ['s3.amazonaws.com', 'S3.AMAZONAWS.COM', 'ec2.amazonaws.com', '']) {
    for (const eventName of ['GetObject', 'GETOBJECT', 'PutObject', 'ListBuckets', 'GetRole', '']) {
      for (const userAgent of ['x', null]) {
        const event = eventWith({ eventSource, eventName, userAgent })
        const plain = rules.predicates.flatMap((predicate, index) => (predicate.test(event) ? [index] : []))
        assert.deepEqual(rules.match(event), plain, `${eventSource} ${eventName} ${String(userAgent)}`)
        assert.deepEqual(rules.match(event), plain, 'the second time as well, from memory')
        if (plain.length > 0) assert.equal(rules.wants(eventSource, eventName), true)
      }
    }
  }
})

test('wants is false for calls that no rule can match', () => {
  const { rules } = load(...texts.slice(0, 3))
  assert.equal(rules.wants('s3.amazonaws.com', 'DeleteBucket'), true, 'a rule asks for the source alone')
  assert.equal(rules.wants('ec2.amazonaws.com', 'GETOBJECT'), true)
  assert.equal(rules.wants('ec2.amazonaws.com', 'RunInstances'), false)
})

test('JSON is parsed and regular expressions run only when everything cheaper has matched', () => {
  const { rules } = load(
    detection(
      "s:\n  requestParameters.a|re: 'x'\n  userAgent|contains: cli\n  eventName: GetObject\ncondition: s",
      'costly',
    ),
  )
  const poisoned = (userAgent: string): ReturnType<typeof eventWith> => {
    const event = eventWith({ eventName: 'GetObject', userAgent })
    Object.defineProperty(event, 'requestParameters', {
      get: () => {
        throw new Error('looked into the request')
      },
    })
    return event
  }
  assert.deepEqual(rules.match(poisoned('boto')), [])
  assert.throws(() => rules.match(poisoned('aws-cli')), /looked into the request/)
})

test('made-up names do not grow the memory without bound', () => {
  const { rules } = load(...texts.slice(0, 2))
  for (let i = 0; i < 50_000; i++)
    assert.deepEqual(rules.match(eventWith({ eventSource: 's', eventName: `n${i}` })), [])
  assert.deepEqual(rules.match(eventWith({ eventSource: 's3.amazonaws.com', eventName: 'GetObject' })), [0, 1])
})
