// The state codec: layouts of other versions, damaged records, and the schema's own example.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { StateDecoder, StateEncoder } from '../../../src/codecs/principal-state.ts'
import type { OlderState } from '../../../src/codecs/principal-state.ts'
import { Encoder } from '../../../src/codecs/confluent.ts'
import { Engine } from '../../../src/detect/engine.ts'
import type { PrincipalStateRecord } from '../../../src/detect/engine.ts'
import { stateVersion } from '../../../src/detect/principal-state.ts'
import {
  at,
  awsRegion,
  call,
  minute,
  multiRegion,
  plainProse,
  ruleSet,
  sourceIP,
  step,
} from '../../harness/detection.ts'

type Json = Record<string, unknown> & { readonly maxTime: number; readonly version: number }
const topic = new URL('../../../topics/cloudtrail.detector-state.v1/', import.meta.url)
const read = (name: string): Json => JSON.parse(readFileSync(new URL(name, topic), 'utf8'))
const schema = read('value.avsc')

function decoder(upgrades?: ConstructorParameters<typeof StateDecoder>[1]): StateDecoder {
  const made = new StateDecoder(schema, upgrades)
  assert.equal(made.learn(1, schema), null)
  return made
}

function someState(): PrincipalStateRecord {
  const engine = new Engine(ruleSet([multiRegion]), plainProse)
  for (let i = 0; i < 6; i++)
    step(engine, call(at('10:00') + i * minute, { awsRegion: `region-${i}`, eventId: `e${i}` }))
  return engine.state(call(0).principal.key)!
}

/** A record as written, with another version number: only the layouts' numbers differ. */
function writtenAs(version: number): Buffer {
  return new StateEncoder(schema).encode({ ...someState(), version }, 1)
}

function reasonOf(bytes: Buffer): string | null {
  const state = decoder().decode(bytes)
  return 'rejected' in state ? state.rejected : null
}

describe('a state record', () => {
  test('comes back as it was written', () => {
    assert.deepEqual(decoder().decode(new StateEncoder(schema).encode(someState(), 1)), someState())
  })

  test('comes back with its summary fields, and without any from a writer that did not know them', () => {
    const shown = { ...multiRegion, summaryFields: [awsRegion, sourceIP] }
    const engine = new Engine(ruleSet([shown]), plainProse)
    for (let i = 0; i < 6; i++) step(engine, call(at('10:00') + i * minute, { awsRegion: `region-${i}` }))
    const state = engine.state(call(0).principal.key)!
    const fieldsOf = (of: PrincipalStateRecord) => of.watches[0]?.announcements[0]?.facts.samples[0]?.evidence.fields
    assert.deepEqual(fieldsOf(state), [
      { field: 'awsRegion', value: 'region-0' },
      { field: 'sourceIPAddress', value: '198.51.100.7' },
    ])
    assert.deepEqual(decoder().decode(new StateEncoder(schema).encode(state, 1)), state)

    const earlier = JSON.parse(JSON.stringify(schema), (_key, value: unknown) =>
      Array.isArray(value) ? value.filter(item => (item as Json | null)?.['name'] !== 'fields') : value,
    ) as Json
    const reader = new StateDecoder(schema)
    assert.equal(reader.learn(2, earlier), null)
    const old = reader.decode(new StateEncoder(earlier, false).encode(state, 2)) as PrincipalStateRecord
    assert.deepEqual(fieldsOf(old), [])
    assert.equal(old.watches[0]?.announcements[0]?.facts.samples.length, 6)
  })

  test('of an earlier version goes through every upgrade in turn', () => {
    const upgrades = new Map([
      [stateVersion - 2, (s: OlderState) => ({ ...s, version: stateVersion - 1, maxTime: Number(s['maxTime']) + 1 })],
      [stateVersion - 1, (s: OlderState) => ({ ...s, version: stateVersion, maxTime: Number(s['maxTime']) * 2 })],
    ])
    const state = decoder(upgrades).decode(writtenAs(stateVersion - 2)) as PrincipalStateRecord
    assert.equal(state.version, stateVersion)
    assert.equal(state.maxTime, (someState().maxTime + 1) * 2)
  })

  test('of an earlier version without an upgrade is refused', () => {
    assert.equal(reasonOf(writtenAs(stateVersion - 1)), 'bad-avro')
  })

  test('of a later version says so', () => {
    assert.deepEqual(decoder().decode(writtenAs(stateVersion + 1)), { newerVersion: stateVersion + 1 })
  })

  test('that is cut anywhere is refused, never half read', () => {
    const bytes = new StateEncoder(schema).encode(someState(), 1)
    const reader = decoder()
    for (let length = 0; length < bytes.length; length++) {
      assert.ok('rejected' in reader.decode(bytes.subarray(0, length)), `cut at ${length}`)
    }
    assert.ok('rejected' in reader.decode(Buffer.concat([bytes, Buffer.alloc(1)])), 'longer than the record')
  })

  test('whose indices point nowhere is refused', () => {
    const bytes = new Encoder<object>(schema).encode(
      { ...read('example.json'), strings: [], seenHashes: Buffer.alloc(0) },
      1,
    )
    assert.equal(reasonOf(bytes), 'bad-avro')
  })

  test('is as the example shows', () => {
    const { seenHashes, ...example } = read('example.json')
    const bytes = new Encoder<object>(schema).encode(
      { ...example, seenHashes: Buffer.from(String(seenHashes), 'latin1') },
      1,
    )
    assert.deepEqual(decoder().decode(bytes), someState())
  })
})
