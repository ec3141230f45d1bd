// A principal's state under hostile input: random and long names everywhere, every rule kind, many groups, hours of it.
// The bound is what Kafka accepts: one record below 1,000,000 bytes, whatever comes and however long.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { StateEncoder } from '../../src/codecs/principal-state.ts'
import { Engine } from '../../src/detect/engine.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { awsRegion, call, rateRule, rule, ruleSet, secret, second, sourceIP } from '../harness/detection.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../topics/cloudtrail.detector-state.v1/value.avsc', import.meta.url), 'utf8'),
)
const kafkaLimit = 1_000_000
const minutes = (n: number): number => n * 60 * second

let seed = 7
const random = (n: number): number => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
  return (seed >>> 8) % n
}

/** A text nobody has seen before, three bytes of UTF-8 per unit: the worst that Avro can be given. */
const long = (length: number): string => `${random(2 ** 24)}-${'\u6f22'.repeat(length)}`

function hostile(time: number): ReturnType<typeof call> {
  const base = call(time)
  return {
    ...base,
    awsRegion: long(300),
    eventSource: long(300),
    recipientAccountId: long(40),
    eventId: long(100),
    sourceIPAddress: long(300),
    userAgent: long(1000),
    errorCode: long(1000),
    outcome: 'DENIED',
    secrets: Array.from({ length: 40 }, () => long(600)),
    userIdentity: {
      ...base.userIdentity,
      arn: long(2000),
      accessKeyId: long(200),
      sessionName: long(200),
      type: long(90),
    },
  }
}

function worst(rules: readonly Rule[], events: number, gap: number, makeEvent = hostile): number {
  const engine = new Engine(ruleSet(rules), { describe: () => ({ explanation: '', runbook: '' }) })
  const encoder = new StateEncoder(schema)
  let largest = 0
  for (let i = 0; i < events;) {
    const transaction = engine.begin()
    for (let j = 0; j < 25; j++, i++) transaction.process(makeEvent(i * gap - random(minutes(10))), null, null)
    for (const [, record] of transaction.changes()) {
      if (record !== null) largest = Math.max(largest, encoder.encode(record, 1).length)
    }
    transaction.merge()
  }
  return largest
}

const one = [rule('regions', { kind: 'value_count', timespanMs: minutes(10), condition: { gte: 5 }, field: awsRegion })]
const many: Rule[] = Array.from({ length: 12 }, (_, i) => [
  rule(`values-${i}`, { kind: 'value_count', timespanMs: minutes(30), condition: { gte: 20 }, field: secret }),
  rule(`events-${i}`, { kind: 'event_count', timespanMs: minutes(60), condition: { gte: 50 } }),
  rule(`single-${i}`, { kind: 'single' }, { dedupMs: 0 }),
  rule(`few-${i}`, { kind: 'event_count', timespanMs: minutes(5), condition: { lt: 2 } }),
  rule(`groups-${i}`, { kind: 'event_count', timespanMs: minutes(60), condition: { gte: 1 } }, { groupBy: [sourceIP] }),
  rateRule(`rate-${i}`),
]).flat()

/** Twenty summary fields of the longest texts, new for every event. */
const summaryFields = Array.from({ length: 20 }, (_, i) => ({ name: `requestParameters.f${i}`, read: () => long(400) }))
const shown = (rules: readonly Rule[]): Rule[] => rules.map(of => ({ ...of, summaryFields }))

describe('the state of one principal', () => {
  test('stays below 400 kB for the multi-region rule alone', t => {
    const bytes = worst(one, 3000, second)
    t.diagnostic(`largest record ${bytes} bytes`)
    assert.ok(bytes > 20_000 && bytes < 400_000, `${bytes} bytes`)
  })

  test('stays below what Kafka accepts for seventy-two rules of every kind at once', t => {
    const bytes = worst(many, 1500, 2 * second)
    t.diagnostic(`largest record ${bytes} bytes`)
    assert.ok(bytes > 100_000 && bytes < kafkaLimit, `${bytes} bytes`)
  })

  test('stays below what Kafka accepts with the longest summary fields, for one rule of each kind and for many', t => {
    for (const rules of [...[one[0]!, ...many.slice(0, 6)].map(of => [of]), many.slice(0, 18)]) {
      const bytes = worst(shown(rules), 500, 2 * second)
      t.diagnostic(`largest record ${bytes} bytes for ${rules.map(of => of.id).join(' ')}`)
      assert.ok(bytes > 100_000 && bytes < kafkaLimit, `${bytes} bytes`)
    }
  })

  test('does not grow with time: the second half of an attack needs no more than the first', () => {
    const half = worst(one, 1500, second)
    assert.ok(worst(one, 6000, second) < half * 1.3)
  })

  test('is a few kilobytes for ordinary traffic of thousands of events', t => {
    const plain = (time: number): ReturnType<typeof call> =>
      call(time, { awsRegion: `region-${random(3)}`, eventName: 'BatchGetSecretValue' })
    const bytes = worst(one, 4000, 4 * second, plain)
    t.diagnostic(`largest record ${bytes} bytes`)
    assert.ok(bytes < 8000, `${bytes} bytes`)
  })

  test('remembers a bounded number of events, most of them only while they can count', () => {
    const engine = new Engine(ruleSet(one), { describe: () => ({ explanation: '', runbook: '' }) })
    const remembered = (gap: number, events: number): number => {
      const transaction = engine.begin()
      const who = { key: `gap-${gap}`, kind: 'ROLE' as const, name: '' }
      for (let i = 0; i < events; i++) transaction.process(call(i * gap, { principal: who }), null, null)
      transaction.merge()
      return engine.state(who.key)?.seen.hashes.length ?? 0
    }
    assert.ok(remembered(10, 6000) <= 4096)
    assert.ok(remembered(minutes(1), 6000) < 128 + 64 + 16)
  })
})
