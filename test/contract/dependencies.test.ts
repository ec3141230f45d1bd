// Every runtime dependency has its reason in docs/decisions/0002-dependencies.md, and no reason outlives its dependency.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'

const root = join(import.meta.dirname, '..', '..')

test('the table of dependencies and package.json name the same packages', () => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    optionalDependencies: Record<string, string>
  }
  const page = readFileSync(join(root, 'docs', 'decisions', '0002-dependencies.md'), 'utf8')
  const named = [...page.matchAll(/^\| ([^|]+) \|/gm)]
    .flatMap(([, cell]) => cell!.split(','))
    .map(name => name.trim().split(' ')[0]!)
    .filter(name => /^[@a-z]/.test(name) && name !== 'package' && name !== 'exact')
  assert.deepEqual(named.sort(), Object.keys({ ...dependencies, ...optionalDependencies }).sort())
  assert.equal(dependencies['kafkajs'], '2.2.4', 'the corrections replace files of exactly this version')
})
