// The scan of raw records, from AssemblyScript (assembly/) to the module that carries it. `npm run build:scan` writes it;
// test/contract/scan-module.test.ts fails when what is committed is not what this makes of the source. The compiler runs as
// a command: imported, it would bring its own types of Array and Map into this project.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(import.meta.dirname, '..')
const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js')
const source = join('assembly', 'record-scan.ts')
const target = join(root, 'src', 'normalize', 'fast', 'scan-module.ts')
// Memory of 5 MiB, of which nothing is used before it is touched: the largest values that the fast path takes fit in by
// default, and a memory that never grows keeps its views.
const settings = '--runtime stub -O3 --noAssert --enable simd,bulk-memory --initialMemory 80'.split(' ')

/** The text of src/normalize/fast/scan-module.ts. */
export function scanModuleText(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trailwarden-scan-'))
  try {
    const compiled = join(folder, 'scan.wasm')
    execFileSync(process.execPath, [compiler, source, '--outFile', compiled, ...settings], { cwd: root })
    return `// Made by \`npm run build:scan\` from assembly/record-scan.ts: the compiled scan, as text so that it stands where its
// importer stands, in a checkout, in dist/ and in an installed package. Not to be edited.

export const scanModule =
  '${readFileSync(compiled).toString('base64')}'
`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  writeFileSync(target, scanModuleText())
}
