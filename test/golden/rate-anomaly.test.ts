// The rate_anomaly detector against verdicts of the Python models recorded in test/fixtures/rate/verdicts.json:
// the equality of test/property/rate-anomaly.property.test.ts where there is no Python. `node test/model/reference.ts` records.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Outcome } from '../../src/normalize/event.ts'
import type { ModelVerdict } from '../model/reference.ts'
import { compare } from '../model/reference.ts'
import { shippedRate, shippedTiming } from '../model/streams.ts'

interface Recorded {
  readonly streams: readonly {
    readonly model: 'shared' | 'first-denials'
    readonly calls: readonly (readonly [number, Outcome, string | null])[]
    readonly verdicts: readonly ModelVerdict[]
  }[]
}

test('every recorded verdict of both reference models is reproduced, p-values to 1e-9', () => {
  const file = new URL('../fixtures/rate/verdicts.json', import.meta.url)
  const { streams } = JSON.parse(readFileSync(file, 'utf8')) as Recorded
  let verdicts = 0
  let anomalous = 0
  for (const [i, stream] of streams.entries()) {
    const calls = stream.calls.map(([time, outcome, secret]) => ({ time, outcome, secret }))
    const comparison = compare(
      { rate: { ...shippedRate, model: stream.model }, latenessMs: shippedTiming.latenessMs, calls },
      stream.verdicts,
    )
    assert.equal(comparison.disagreement, null, `stream ${i}`)
    verdicts += comparison.verdicts
    anomalous += comparison.anomalous
  }
  assert.ok(
    anomalous >= 50 && verdicts - anomalous >= 20,
    `${anomalous} of ${verdicts} recorded verdicts are anomalous`,
  )
})
