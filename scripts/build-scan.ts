// The scan of raw records, from AssemblyScript (assembly/) to the module that carries it. `npm run build:scan` writes it;
// test/contract/scan-module.test.ts fails when what is committed is not what this makes of the source.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const assembly = join(import.meta.dirname, '..', 'assembly')
const path = join(import.meta.dirname, '..', 'src', 'normalize', 'fast', 'scan-module.ts')
// Memory of 5 MiB, of which nothing is used before it is touched: the largest values that the fast path takes fit in by
// default, and a memory that never grows keeps its views.
const settings = '--runtime stub -O3 --noAssert --enable simd,bulk-memory --initialMemory 80'.split(' ')

/** The text of src/normalize/fast/scan-module.ts. */
export async function scanModuleText(): Promise<string> {
  let compiled: Uint8Array | null = null
  const { error } = await asc.main(['record-scan.ts', '--outFile', 'record-scan.wasm', ...settings], {
    readFile: (name, base) => {
      try {
        return readFileSync(resolve(assembly, base === '.' ? '' : base, name), 'utf8')
      } catch {
        return null
      }
    },
    writeFile: (_name, contents) => {
      compiled = contents as Uint8Array
    },
    listFiles: () => [],
  })
  if (error !== null || compiled === null)
    throw new Error(`assembly/record-scan.ts: ${error?.message ?? 'nothing was written'}`)
  return `// Made by \`npm run build:scan\` from assembly/record-scan.ts: the compiled scan, as text so that it stands where its
// importer stands, in a checkout, in dist/ and in an installed package. Not to be edited.

export const scanModule =
  '${Buffer.from(compiled).toString('base64')}'
`
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  writeFileSync(path, await scanModuleText())
}
