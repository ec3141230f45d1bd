// The table of committed states: what rests as bytes, what stays awake, and who is too old.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StateDecoder, StateEncoder } from '../../../src/codecs/principal-state.ts'
import { Engine } from '../../../src/detect/engine.ts'
import type { StoredState, StoredStates } from '../../../src/detect/stored-state.ts'
import { StateDamage } from '../../../src/detect/stored-state.ts'
import { topicContract } from '../../../src/topics.ts'
import { at, call, day, minute, multiRegion, plainProse, ruleSet } from '../../harness/detection.ts'

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
    store: bytes => decoder.store(bytes),
    read(stored) {
      this.reads++
      return decoder.read(stored)
    },
    maxTimeOf: stored => decoder.maxTimeOf(stored),
  }
}

function work(engine: Engine, ...events: ReturnType<typeof event>[]): void {
  const transaction = engine.begin()
  for (const one of events) transaction.process(one, null, null)
  for (const [key, record] of transaction.changes())
    if (record !== null) transaction.store(key, decoder.store(encoder.encode(record, 1)))
  transaction.merge()
}

function storedState(who: number, time: number): StoredState {
  const engine = new Engine(ruleSet([multiRegion]), plainProse)
  const transaction = engine.begin()
  transaction.process(event(who, time), null, null)
  transaction.merge()
  return decoder.store(encoder.encode(engine.state(`p-${who}`)!, 1))!
}

describe('states at rest', () => {
  test('are decoded when an event touches them, and once while they are touched often', () => {
    const stored = watched()
    const engine = new Engine(ruleSet([multiRegion]), { ...plainProse, stored, awake: 8 })
    for (let who = 0; who < 10; who++) engine.load(`p-${who}`, storedState(who, at('10:00')))
    assert.equal(stored.reads, 0)
    for (let i = 0; i < 5; i++) work(engine, event(3, at('10:01') + i * minute))
    assert.equal(stored.reads, 1)
    for (let who = 0; who < 10; who++) work(engine, event(who, at('10:07')))
    assert.equal(stored.reads, 10)
    for (let who = 4; who < 14; who++) work(engine, event(who, at('10:08')))
    stored.reads = 0
    work(engine, event(3, at('10:09')))
    assert.equal(stored.reads, 1, 'ten others were touched since, so it had gone to rest')
    assert.equal(engine.state('p-3')?.seen.hashes.length, 8)
  })

  test('that are damaged inside are found when they are needed', () => {
    const engine = new Engine(ruleSet([multiRegion]), { ...plainProse, stored: decoder })
    const stored = storedState(0, at('10:00'))
    engine.load('p-0', stored.slice(0, -3))
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
    assert.equal(decoder.store(Buffer.from([0, 0, 0, 0, 9, 4])), null, 'another writer')
    assert.equal(decoder.store(Buffer.from([0, 0, 0, 0, 1])), null, 'no head')
    assert.equal(decoder.store(Buffer.from([0, 0, 0, 0, 1, 2, 0])), null, 'another version')
  })
})
