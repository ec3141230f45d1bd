// Makes a checkout ready: installs what package-lock.json says when that has changed since the last time, and checks
// that the Node the project brings along is there. Instant and silent when there is nothing to do.
// Runs on whatever Node the machine has, before any dependency exists.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stampFile = join(modules, '.setup-stamp')
const windows = process.platform === 'win32'
const bundledNode = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node')

/** What is installed is decided by these; a change of scripts or of the description is not a reason to install again. */
function stamp() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex')
}

function fail(message) {
  console.error(`setup: ${message}`)
  process.exit(1)
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : -Infinity
}

/** True after an `npm ci` or `npm install` by hand: npm writes its own record last, give or take a second. */
function installedByHand() {
  const record = modified(join(modules, '.package-lock.json'))
  return record > modified(stampFile) && record + 2_000 > modified(join(root, 'package-lock.json'))
}

const wanted = stamp()
const stamped = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted
if (!existsSync(bundledNode) || !(stamped || installedByHand())) {
  console.error('setup: installing dependencies (npm ci)')
  const { status, error } = spawnSync('npm', ['ci', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: windows,
  })
  if (error) fail(`npm could not be run: ${error.message}`)
  if (status !== 0) fail(`npm ci ended with ${status}`)
  let version
  try {
    version = execFileSync(bundledNode, ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    fail(
      'npm installed no Node.js 24 into node_modules. Its install script was probably switched off: run ' +
        "'npm config delete ignore-scripts' (or unset npm_config_ignore_scripts), then 'npm ci' again.",
    )
  }
  if (!version.startsWith('v24.')) fail(`node_modules holds Node.js ${version}, v24 expected: run 'npm ci'`)
}
if (!stamped) writeFileSync(stampFile, wanted)

// npm links no package's own bin into its own node_modules. Without this, `npx trailwarden` in a checkout goes through
// npm's cache and complains about the machine's Node, although the executable finds the right one itself.
const link = join(modules, '.bin', 'trailwarden')
if (!windows && !existsSync(link)) symlinkSync(join('..', '..', 'bin', 'trailwarden.mjs'), link)
