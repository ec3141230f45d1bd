// `npm run build`: src/ to JavaScript with declarations in dist/, because Node strips no types inside node_modules.
// Ends with a check that what came out loads: the command line prints its help and the public API imports.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

/** Runs this Node with `args` and gives back what it wrote to stdout; ends the build when it fails. */
function node(...args) {
  const { status, stdout, error } = spawnSync(process.execPath, args, {
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
  })
  if (status === 0) return stdout
  process.stderr.write(
    `${stdout ?? ''}build: node ${args.join(' ')}: ${error ? error.message : `exit code ${status}`}\n`,
  )
  process.exit(1)
}

// Nothing of an earlier build may survive: what is in dist/ is published.
rmSync('dist', { recursive: true, force: true })
node(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json')
const help = node('-e', `import('./dist/cli.js').then(async cli => (process.exitCode = await cli.main(['--help'])))`)
if (!help.includes('trailwarden')) throw new Error('dist/cli.js --help printed no help')
node('-e', `import('./dist/index.js')`)
