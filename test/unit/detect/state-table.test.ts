// The table of committed states: what rests as bytes, what stays an object, and who is too old.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StateDecoder, StateEncoder } from '../../../src/codecs/principal-state.ts'
import { Engine } from '../../../src/detect/engine.ts'
import type { StoredStates } from '../../../src/detect/stored-state.ts'
import { StateDamage } from '../../../src/detect/stored-state.ts'
import { topicContract } from '../../../src/topics.ts'
import { at, call, day, multiRegion, plainProse, ruleSet } from '../../harness/detection.ts'

const schema = topicContract('STATE_TOPIC').schema!
const encoder = new StateEncoder(schema)
const decoder = new StateDecoder(schema)
decoder.learn(1, schema)

function event(who: number, time = at('10:00')) {
  return call(time, { principal: { key: `p-${who}`, kind: 'ROLE', name: '' } })
}

/** Counts what is decoded. */
function watched(): StoredStates & { reads: number } {
  return {
    reads: 0,
    read(bytes, start, end) {
      this.reads++
      return decoder.read(bytes, start, end)
    },
    maxTimeOf: value => decoder.maxTimeOf(value),
  }
}

function work(engine: Engine, ...events: ReturnType<typeof event>[]): void {
  const transaction = engine.begin()
  for (const one of events) transaction.process(one, null, null)
  for (const [key, record] of transaction.changes())
    if (record !== null) transaction.rest(key, encoder.encode(record, 1))
  transaction.merge()
}

function storedState(who: number, time: number): Buffer {
  const engine = new Engine(ruleSet([multiRegion]), plainProse)
  const transaction = engine.begin()
  transaction.process(event(who, time), null, null)
  transaction.merge()
  return encoder.encode(engine.state(`p-${who}`)!, 1)
}

describe('states at rest', () => {
  test('are decoded when an event touches them, once for the events of one principal in a row', () => {
    const stored = watched()
    const engine = new Engine(ruleSet([multiRegion]), { ...plainProse, stored })
    for (let who = 0; who < 10; who++) engine.load(`p-${who}`, storedState(who, at('10:00')))
    assert.deepEqual([stored.reads, engine.principals], [0, 10])
    work(engine, event(3, at('10:01')), event(3, at('10:02')), event(3, at('10:03')))
    assert.equal(stored.reads, 1)
    const copied = event(3, at('10:04'))
    work(engine, copied)
    assert.equal(stored.reads, 2)
    work(engine, copied, copied)
    assert.equal(stored.reads, 3, 'copies change nothing')
    assert.equal(engine.state('p-3')?.seen.hashes.length, 5)
    assert.equal(engine.principals, 10)
  })

  test('count from the end of their transaction on', () => {
    const engine = new Engine(ruleSet([multiRegion]), { ...plainProse, stored: decoder })
    const before = storedState(1, at('10:00'))
    engine.load('p-1', before)
    const aborted = engine.begin()
    for (const who of [1, 2]) {
      aborted.process(event(who, at('10:05')), null, null)
      aborted.rest(`p-${who}`, encoder.encode(aborted.changed(`p-${who}`)!, 1))
    }
    assert.deepEqual([...aborted.changes()], [])
    aborted.process(event(2, at('10:06')), null, null)
    assert.equal(aborted.changed('p-2')?.seen.hashes.length, 2, 'and are found in it')
    aborted.discard()
    assert.deepEqual([engine.principals, engine.state('p-1')?.maxTime, engine.state('p-2')], [1, at('10:00'), null])
    work(engine, event(2, at('10:05')))
    assert.deepEqual([engine.principals, engine.state('p-2')?.maxTime], [2, at('10:05')])
  })

  test('that are damaged inside are found when they are needed', () => {
    const engine = new Engine(ruleSet([multiRegion]), { ...plainProse, stored: decoder })
    const stored = storedState(0, at('10:00'))
    engine.load('p-0', stored.subarray(0, -3))
    assert.throws(() => work(engine, event(0)), StateDamage)
  })

  test('are told from the time of their newest event without being decoded', () => {
    const stored = watched()
    const engine = new Engine(ruleSet([multiRegion]), { ...plainProse, stored, stateTtlMs: day })
    const times = [0, 1, 63, 64, -1, -64, -65, 8191, 8192, 1.7e12, -1.7e12, 4e15, -4e15]
    for (const [who, time] of times.entries()) engine.load(`p-${who}`, storedState(who, time))
    for (const limit of times)
      assert.deepEqual(
        engine.expired(limit + day),
        times.flatMap((time, who) => (time < limit ? [`p-${who}`] : [])),
        `older than ${limit}`,
      )
    assert.equal(stored.reads, 0)
  })

  test('are named as expired again while nobody has committed that they are', () => {
    const engine = new Engine(ruleSet([multiRegion]), { ...plainProse, stateTtlMs: day })
    work(engine, event(0, 0), event(1, 5 * day))
    assert.deepEqual(engine.expired(3 * day), ['p-0'])
    assert.deepEqual(engine.expired(3 * day), ['p-0'])
    const transaction = engine.begin()
    transaction.forget('p-0')
    transaction.merge()
    assert.deepEqual(engine.expired(3 * day), [])
    work(engine, event(2, day))
    assert.deepEqual(engine.expired(3 * day), ['p-2'], 'an old event came later')
  })

  test('of another layout are left to the decoder', () => {
    assert.ok(Number.isNaN(decoder.maxTimeOf(Buffer.from([0, 0, 0, 0, 9, 4]))), 'another writer')
    assert.ok(Number.isNaN(decoder.maxTimeOf(Buffer.from([0, 0, 0, 0, 1]))), 'no head')
    assert.ok(Number.isNaN(decoder.maxTimeOf(Buffer.from([0, 0, 0, 0, 1, 2, 0]))), 'another version')
  })
})
