// scripts/dead-exports.ts on small projects written for it: what counts as a use, and what does not.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { deadExports } from '../../scripts/dead-exports.ts'

function deadIn(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'dead-exports-'))
  try {
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      allowImportingTsExtensions: true,
      noEmit: true,
      types: [],
    }
    const project = {
      'tsconfig.json': JSON.stringify({ compilerOptions }),
      'package.json': '{"type":"module"}',
      ...files,
    }
    for (const [path, text] of Object.entries(project)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return deadExports(join(root, 'tsconfig.json'))
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('an export that nothing imports is reported with file, line and name', () => {
  const files = {
    'src/a.ts': `export const used = 1\nexport const lonely = 2\nconsole.log(lonely)\n`,
    'src/cli.ts': `import { used } from './a.ts'\nexport const main = () => used\n`,
  }
  assert.deepEqual(deadIn(files), ['src/a.ts:2 lonely'])
})

test('an export used only by tests of the module is dead, one used by a simulation or a benchmark is not', () => {
  const use = (name: string) => `import { ${name} } from '../../src/a.ts'\nconsole.log(${name})\n`
  const files = {
    'src/a.ts': `export const a = 1\nexport const b = 2\nexport const c = 3\nexport const d = 4\n`,
    'test/unit/a.test.ts': use('a'),
    'test/property/a.test.ts': use('b'),
    'test/simulation/x.test.ts': use('c'),
    'bench/inner/x.ts': use('d'),
  }
  assert.deepEqual(deadIn(files), ['src/a.ts:1 a', 'src/a.ts:2 b'])
})

test('renamed, re-exported, namespace, shorthand and dynamic uses count', () => {
  const files = {
    'src/a.ts': ['renamed', 'reexported', 'viaNamespace', 'shorthand', 'dynamic', 'alias', 'none']
      .map(name => `export const ${name} = 1\n`)
      .join(''),
    'src/index.ts': `export { reexported } from './a.ts'\n`,
    'src/cli.ts': [
      `import { renamed as r, shorthand } from './a.ts'`,
      `import * as all from './a.ts'`,
      `export async function main() {`,
      `  const { dynamic, alias: other } = await import('./a.ts')`,
      `  return [r, { shorthand }, all.viaNamespace, dynamic, other]`,
      `}`,
    ].join('\n'),
  }
  assert.deepEqual(deadIn(files), ['src/a.ts:7 none'])
})

test('a type that its own module uses is alive, one that nothing uses is dead', () => {
  const files = {
    'src/a.ts': `export interface Options { x: number }\nexport type Orphan = 1\nexport const f = (o: Options) => o.x\n`,
    'src/cli.ts': `import { f } from './a.ts'\nexport const main = f\n`,
  }
  assert.deepEqual(deadIn(files), ['src/a.ts:2 Orphan'])
})

test('a name in a comment or a string is no use', () => {
  const files = { 'src/a.ts': `export const ghost = 1\n// ghost\nconsole.log('ghost')\n` }
  assert.deepEqual(deadIn(files), ['src/a.ts:1 ghost'])
})

test('what its own module uses may be exported for a test, but not for nobody; recursion is no use', () => {
  const files = {
    'src/a.ts': [
      'export const cap = 3',
      'export const needless = 4',
      'export const f = () => cap + needless',
      'export const recursive = (n: number): number => (n > 0 ? recursive(n - 1) : 0)',
    ].join('\n'),
    'src/cli.ts': `import { f } from './a.ts'\nexport const main = f\n`,
    'test/unit/a.test.ts': `import { cap, recursive } from '../../src/a.ts'\nconsole.log(cap, recursive)\n`,
  }
  assert.deepEqual(deadIn(files), ['src/a.ts:2 needless', 'src/a.ts:4 recursive'])
})
