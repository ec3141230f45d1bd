// Passing an event over by its bytes changes nothing: whatever the bytes are, a record that is passed over is one that the
// decoder reads, under its key, at that time, and that no rule wants. And ordinary events of no interest are passed over.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { detectionMembers, eventDecoder, eventEncoder, projectEvent } from '../../src/codecs/cloudtrail-event.ts'
import { Decoder } from '../../src/codecs/confluent.ts'
import { EventDispatch } from '../../src/codecs/event-dispatch.ts'
import { EventWalk } from '../../src/codecs/event-walk.ts'
import { StoredRecord } from '../../src/log/stored-record.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import type { EventMember } from '../../src/rules/rule.ts'
import { topicContract } from '../../src/topics.ts'
import { anyEvent } from '../harness/any-event.ts'
import { call } from '../harness/detection.ts'

const schema = topicContract('EVENTS_TOPIC').schema!
const encoder = eventEncoder(schema)
const whole = eventDecoder(schema)
whole.learn(1, schema)
const names = ['GetSecretValue', 'é', '']
const rules = {
  fields: null,
  wants: (eventSource: string, eventName: string) => eventSource === 'wanted' || names.includes(eventName),
}

function dispatch(): EventDispatch {
  const made = new EventDispatch(schema, rules)
  assert.equal(made.learn(1, schema), null)
  return made
}

/** The same events, many of them with calls that rules want. */
const events = fc
  .tuple(anyEvent, fc.constantFrom(null, null, ...names, 'x'.repeat(70), 'Describe'), fc.nat(3))
  .map(([event, name, source]) => ({
    ...event,
    eventName: name ?? event.eventName,
    eventSource: source === 0 ? 'wanted' : event.eventSource,
  }))

interface Damage {
  readonly at: number
  readonly byte: number
  readonly kind: string
}

function damaged(record: Buffer, damages: readonly Damage[]): Buffer {
  let value = record
  for (const { at, byte, kind } of damages) {
    const place = 5 + (at % (value.length - 4))
    if (kind === 'set' && place < value.length) value[place] = byte
    else if (kind === 'insert')
      value = Buffer.concat([value.subarray(0, place), Buffer.from([byte]), value.subarray(place)])
    else if (kind === 'cut') value = value.subarray(0, place)
  }
  return value
}

/** Between other bytes, as in a fetch: a walk that leaves the record must notice. */
function stored(key: Buffer, value: Buffer): StoredRecord {
  const bytes = Buffer.concat([value, key, value, value])
  const start = value.length + key.length
  return new StoredRecord(0, 0, {}, bytes, value.length, start, start, start + value.length)
}

const damage = fc.record({ at: fc.nat(4000), byte: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'cut') })
const anyDamages = fc.oneof(fc.constant([]), fc.array(damage, { minLength: 1, maxLength: 3 }))

describe('a record that is looked at', () => {
  test('is read by the decoder, under its key, at that time, and wanted by a rule or by none, whatever the bytes', () => {
    const made = dispatch()
    const counts = { over: 0, later: 0, now: 0 }
    fc.assert(
      fc.property(events, anyDamages, fc.constantFrom(false, false, false, true), (event, damages, other) => {
        const value = damaged(Buffer.from(encoder.encode(event, 1)), damages)
        const key = Buffer.from(other ? `${event.principal.key}x` : event.principal.key)
        const look = made.look(stored(key, value))
        const decoded = whole.decode(value)
        if (look === null) {
          counts.now++
          // what is whole and under its key is decoded at once only where a number is of unusual length
          assert.ok(damages.length > 0 || other || !('principal' in decoded), 'an ordinary event can be read later')
          return
        }
        counts[look.wanted ? 'later' : 'over']++
        assert.ok('principal' in decoded, 'the decoder reads it')
        assert.equal(decoded.eventTime, look.eventTime)
        assert.equal(decoded.principal.key, key.toString())
        assert.equal(rules.wants(decoded.eventSource, decoded.eventName), look.wanted)
      }),
      { numRuns: 6000 },
    )
    assert.ok(counts.over > 500 && counts.later > 500 && counts.now > 500, JSON.stringify(counts))
  })

  test('is of the schema that is known: of another writer, or one that is unknown or forgotten, none is', () => {
    const made = dispatch()
    const event = call(0, { eventName: 'DescribeInstances' })
    const key = Buffer.from(event.principal.key)
    const value = encoder.encode(event, 1)
    assert.deepEqual(made.look(stored(key, value)), { eventTime: 0, wanted: false })
    assert.equal(made.look(stored(key, encoder.encode(event, 2))), null, 'never learnt')
    const older = structuredClone(schema) as { fields: { name: string }[] }
    older.fields = older.fields.filter(({ name }) => name !== 'vpcEndpointId')
    assert.equal(made.learn(3, older), null)
    assert.equal(made.look(stored(key, encoder.encode(event, 3))), null, 'another layout')
    made.forget(1)
    assert.equal(made.look(stored(key, value)), null, 'forgotten')
  })

  test('may be of any number of made-up calls', () => {
    const made = dispatch()
    for (let i = 0; i < 20_000; i++) {
      const event = call(i, { eventName: `Made${i}` })
      const look = made.look(stored(Buffer.from(event.principal.key), encoder.encode(event, 1)))
      assert.deepEqual(look, { eventTime: i, wanted: false })
    }
  })
})

/** What rules may ask of an event that is read for them: members that nobody reads are null or absent as it happens. */
function seen(event: CloudTrailEvent, fields: ReadonlySet<EventMember> | null): unknown {
  const read = fields === null ? null : new Set<string>([...detectionMembers, ...fields])
  const members = (of: object, path = '') =>
    Object.entries(of).filter(([name, value]) => value !== null && (read?.has(path + name) ?? true))
  const { userIdentity, ...rest } = structuredClone(event)
  return { ...Object.fromEntries(members(rest)), userIdentity: members(userIdentity, 'userIdentity.') }
}

const someMembers: ReadonlySet<EventMember>[] = [
  new Set(),
  new Set(['errorMessage', 'requestParameters', 'userIdentity.sessionIssuer']),
  new Set(['requestId', 'userIdentity.userName', 'userIdentity.sessionCreated', 'sourceKind', 'readOnly']),
]

test('a record is decoded to what the general decoder makes of it, whatever the bytes and the members that rules read', () => {
  for (const fields of [null, ...someMembers]) {
    const made = new EventDispatch(schema, { ...rules, fields })
    const general = new Decoder<CloudTrailEvent>(projectEvent(schema, fields))
    for (const decoder of [made, general]) assert.equal(decoder.learn(1, schema), null)
    let read = 0
    let refused = 0
    fc.assert(
      fc.property(events, anyDamages, fc.boolean(), (event, damages, isLooked) => {
        const value = damaged(Buffer.from(encoder.encode(event, 1)), damages)
        const expected = general.decode(value)
        const record = stored(Buffer.from(event.principal.key), value)
        const isWhole = isLooked && made.look(record) !== null
        const decoded = isWhole ? made.read(record) : made.decode(value)
        if ('principal' in expected && 'principal' in decoded) {
          read++
          assert.deepEqual(seen(decoded, fields), seen(expected, fields))
        } else {
          refused++
          assert.deepEqual(decoded, expected)
        }
      }),
      { numRuns: 2000, endOnFailure: true },
    )
    assert.ok(read > 700 && refused > 150, `${read} read, ${refused} refused`)
  }
})

test('a walk knows the schema of the events topic, and says so of schemas it does not know', () => {
  assert.notEqual(EventWalk.of(schema), null)
  const fields = (schema as { fields: { name: string; type: unknown }[] }).fields
  const changed = (name: string, type: unknown) => ({
    ...schema,
    fields: fields.map(field => (field.name === name ? { ...field, type } : field)),
  })
  for (const type of ['double', ['string', 'null'], { type: 'map', values: 'string' }, 'io.trailwarden.Outcome'])
    assert.equal(EventWalk.of(changed('requestId', type)), null, JSON.stringify(type))
  for (const mark of ['eventTime', 'eventSource', 'eventName', 'principal'])
    assert.equal(EventWalk.of({ ...schema, fields: fields.filter(({ name }) => name !== mark) }), null, mark)
})
