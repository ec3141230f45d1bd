// The command line as a user has it: compiled by the settings of `npm run build`, laid out as an installed package, in a
// folder of its own. So the executable takes dist/ and not the sources, and what is edited meanwhile does not matter.
import { execFile } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const checkout = join(import.meta.dirname, '..', '..')

/** An installed package. */
export interface Installation {
  /** Path of the executable. */
  readonly program: string
  /** The folder it is installed into, and the folder that has the command `trailwarden`. */
  readonly folder: string
  readonly bin: string
  remove(): void
}

/** Compiles and installs. Types are not checked here: `npm test` does that. */
export async function installBuilt(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'trailwarden-installed-'))
  const modules = join(folder, 'node_modules')
  const root = join(modules, 'trailwarden')
  mkdirSync(root, { recursive: true })
  const tsc = join(checkout, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = [tsc, '-p', join(checkout, 'tsconfig.build.json'), '--noCheck', '--outDir', join(root, 'dist')]
  await promisify(execFile)(process.execPath, args, { cwd: checkout })
  const { dependencies, files } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    files: string[]
  }
  const parts = globSync(['package.json', ...files.filter(name => name !== 'dist')], { cwd: checkout })
  for (const part of parts) cpSync(join(checkout, part), join(root, part), { recursive: true })
  const program = join(root, 'bin', 'trailwarden.mjs')
  const bin = join(modules, '.bin')
  mkdirSync(bin)
  symlinkSync(program, join(bin, 'trailwarden'))
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(checkout, 'node_modules', name), join(modules, name), 'junction')
  }
  return {
    program,
    folder,
    bin,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
