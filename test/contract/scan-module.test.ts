// The compiled scan is committed, so that nobody needs its compiler; it is what the source in assembly/ compiles to, and it
// stands alone: no imports, no table, no collector.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scanModuleText } from '../../scripts/build-scan.ts'
import { instantiateScan } from '../../src/normalize/fast/scan-instance.ts'

const root = join(import.meta.dirname, '..', '..')

test('it has not drifted from its source (npm run build:scan writes it)', () => {
  const written = readFileSync(join(root, 'src', 'normalize', 'fast', 'scan-module.ts'), 'utf8')
  assert.equal(written, scanModuleText())
})

test('it exports what the reader knows and nothing else', () => {
  const exports = instantiateScan()
  assert.ok(exports !== null)
  const names = ['ends', 'found', 'free', 'memory', 'mostSlots', 'scan', 'starts', 'tokenAt', 'unusuals']
  assert.deepEqual(Object.keys(exports).sort(), names)
})
