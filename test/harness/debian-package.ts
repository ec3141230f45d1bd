// Programs of Debian packages for tests that need the real ones (prometheus and promtool, chromium), without installing
// anything: downloaded by apt, unpacked with dpkg into a cache folder, so that it needs no root and starts no service.
// What is installed already is used as it is. Where neither works the caller gets the reason, to skip with it.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const TIMEOUT_MS = 10 * 60_000

/** An unpacked package. */
export interface DebianPackage {
  /** What the package's paths are relative to: `/` when it is installed. */
  readonly root: string
  /** To be added to the environment of its programs, so that they find libraries that were unpacked beside them. */
  readonly env: Readonly<Record<string, string>>
}

/** Why there is none. */
export interface NoDebianPackage {
  readonly missing: string
}

export interface DebianPackageOptions {
  /** Files the caller wants to run, as the package has them: `usr/bin/promtool`. */
  readonly programs: readonly string[]
  /** Also unpack what the package depends on and the system lacks; a program that is linked statically needs nothing. */
  readonly dependencies?: boolean
}

/**
 * Finds or fetches a package of the distribution. With REQUIRE_KAFKA=1 (as in CI) a missing one is an error.
 * @example const found = await debianPackage('prometheus', { programs: ['usr/bin/promtool'] })
 *          test('…', { skip: 'missing' in found ? found.missing : false }, …)
 */
export async function debianPackage(
  name: string,
  options: DebianPackageOptions,
): Promise<DebianPackage | NoDebianPackage> {
  try {
    return await find(name, options)
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    const reason = (stderr ?? '').trim().split('\n').at(-1) || (message.split('\n')[0] ?? '')
    const missing = `Debian package ${name} is not installed and cannot be unpacked: ${reason}`
    if (process.env['REQUIRE_KAFKA'] === '1') throw new Error(missing, { cause: error })
    return { missing }
  }
}

async function find(name: string, { programs, dependencies = false }: DebianPackageOptions): Promise<DebianPackage> {
  const complete = (root: string) => programs.every(program => existsSync(join(root, program)))
  if (complete('/')) return { root: '/', env: {} }
  const cache = process.env['TRAILWARDEN_TEST_CACHE'] ?? join(import.meta.dirname, '..', '..', '.cache')
  const root = join(cache, `debian-${codename()}-${process.arch}`, name)
  if (!existsSync(root)) await unpack(name, root, dependencies)
  if (!complete(root)) throw new Error(`it has no ${programs.join(', ')}`)
  return { root, env: libraryPath(root) }
}

/** Into a temporary folder that is renamed: nothing half there, and two processes at once do not disturb each other. */
async function unpack(name: string, root: string, dependencies: boolean): Promise<void> {
  mkdirSync(dirname(root), { recursive: true })
  const partial = mkdtempSync(`${root}.`)
  const archives = join(partial, 'archives')
  const files = join(partial, 'root')
  for (const folder of [join(archives, 'partial'), files]) mkdirSync(folder, { recursive: true })
  try {
    await download(name, archives, dependencies)
    for (const archive of readdirSync(archives).filter(file => file.endsWith('.deb')))
      await run('dpkg-deb', ['--extract', join(archives, archive), files], { timeout: TIMEOUT_MS })
    renameSync(files, root)
  } catch (error) {
    if (!existsSync(root)) throw error // Else another process was faster.
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

async function download(name: string, into: string, dependencies: boolean): Promise<void> {
  // Nothing is installed, so the locks of dpkg, which need root, protect nothing.
  const withAll = ['-o', 'Debug::NoLocking=1', '-o', `Dir::Cache::archives=${into}`, '--yes', '--download-only']
  const args = dependencies ? [...withAll, '--no-install-recommends', 'install', name] : ['download', name]
  const apt = (...words: readonly string[]) => run('apt-get', [...words], { cwd: into, timeout: TIMEOUT_MS })
  try {
    await apt(...args)
  } catch (error) {
    if (process.getuid?.() !== 0) throw error
    // A fresh container image has no package lists.
    await apt('update')
    await apt(...args)
  }
}

function codename(): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const found = /^VERSION_CODENAME=(\w+)/m.exec(release)?.[1]
  if (found === undefined) throw new Error('this is no Debian or Ubuntu')
  return found
}

/** Libraries of the package itself come first; each architecture has a folder of its own, named by a triplet. */
function libraryPath(root: string): Record<string, string> {
  const folders = ['usr/lib', 'lib'].flatMap(lib => {
    const at = join(root, lib)
    if (!existsSync(at)) return []
    return [at, ...readdirSync(at).flatMap(entry => (entry.endsWith('-linux-gnu') ? [join(at, entry)] : []))]
  })
  if (folders.length === 0) return {}
  const inherited = process.env['LD_LIBRARY_PATH']
  return { LD_LIBRARY_PATH: [...folders, ...(inherited ? [inherited] : [])].join(delimiter) }
}
