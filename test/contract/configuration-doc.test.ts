// docs/configuration.md is what the table of settings says.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { configurationDoc } from '../../scripts/configuration-doc.ts'

test('docs/configuration.md has not drifted from src/config.ts (node scripts/configuration-doc.ts writes it)', () => {
  const path = join(import.meta.dirname, '..', '..', 'docs', 'configuration.md')
  assert.equal(readFileSync(path, 'utf8'), configurationDoc())
})
