// The counted registry: the same answers and errors, and a count for each by what came back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { twError } from '../../../src/errors.ts'
import { createMetrics } from '../../../src/metrics/metrics.ts'
import { observedRegistry } from '../../../src/metrics/observed-registry.ts'
import { seriesOf } from '../../harness/pipeline.ts'

test('found, cached, unknown and failed lookups are told apart', async () => {
  const metrics = createMetrics('detect', '1')
  let away = false
  const schema = { type: 'string' }
  const source = {
    idOf: async (subject: string) => {
      if (subject === 'missing') throw twError('TW_SCHEMA_NOT_REGISTERED', 'no')
      return 7
    },
    schemaById: async (id: number) => {
      if (away) throw twError('TW_REGISTRY_UNAVAILABLE', 'away')
      return id === 7 ? schema : null
    },
  }
  const observed = observedRegistry(source, metrics)
  assert.equal(await observed.idOf('subject', schema), 7)
  await assert.rejects(observed.idOf('missing', schema), { code: 'TW_SCHEMA_NOT_REGISTERED' })
  assert.equal(await observed.schemaById(7), schema)
  assert.equal(await observed.schemaById(7), schema)
  assert.equal(await observed.schemaById(8), null)
  assert.equal(await observed.schemaById(8), null)
  away = true
  await assert.rejects(observed.schemaById(9), { code: 'TW_REGISTRY_UNAVAILABLE' })
  assert.deepEqual(await seriesOf(metrics, 'trailwarden_registry_lookups_total'), {
    'result="found"': 2,
    'result="cached"': 1,
    'result="unknown"': 2,
    'result="failed"': 2,
  })
})
