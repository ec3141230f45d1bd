// docs/operations.md describes what the code has: every metric, and every alert that ships.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { withMetricsTable } from '../../scripts/metrics-doc.ts'

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8')

test('the table of metrics is that of src/metrics (node scripts/metrics-doc.ts writes it)', () => {
  assert.equal(page, withMetricsTable(page))
})
