#!/usr/bin/env node
// The executable: finds a Node that can run trailwarden, loads the command line, and sets the exit code.
// In a checkout it runs the TypeScript sources; in an installed package it runs dist/, because Node strips no types
// inside node_modules. Keeps to syntax that Node 14 parses, so that an old Node says what it needs and not SyntaxError.
import { spawn } from 'child_process'
import { existsSync } from 'fs'
import { dirname, join, sep } from 'path'
import { fileURLToPath, pathToFileURL } from 'url'

// Type stripping without a flag: https://nodejs.org/api/typescript.html
const NEEDED = [22, 18]
const LINGER_MS = 1000
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = join(root, 'src', 'cli.ts')
const built = join(root, 'dist', 'cli.js')
const inCheckout = existsSync(sources) && !root.split(sep).includes('node_modules')

/** Says what is wrong and leaves with the exit code for usage and configuration errors. */
function refuse(message) {
  process.stderr.write('trailwarden: ' + message + '\n')
  process.exitCode = 2
}

function isNewEnough(version) {
  const parts = version.split('.').map(Number)
  return parts[0] > NEEDED[0] || (parts[0] === NEEDED[0] && parts[1] >= NEEDED[1])
}

/** Runs this same file on the Node that the checkout brings along, and ends as that process ends. */
function runOn(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(process.argv.slice(2)), { stdio: 'inherit' })
  // The terminal sends Ctrl-C to both; the child decides when it is over.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', error => refuse('cannot run ' + node + ': ' + error.message))
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code
    } else {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    }
  })
}

function run(entry) {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', error => {
    if (error.code === 'EPIPE') process.exit()
    process.stderr.write('trailwarden: cannot write to stdout: ' + error.message + '\n')
    process.exit(3)
  })
  process.stderr.on('error', () => undefined)
  import(pathToFileURL(entry).href)
    .then(cli => cli.main(process.argv.slice(2)))
    .then(
      code => {
        process.exitCode = code
      },
      error => {
        process.stderr.write('trailwarden: ' + (error instanceof Error ? error.stack : String(error)) + '\n')
        process.exitCode = 3
      },
    )
    .then(leave)
}

/**
 * Ends the process. What was written to a pipe has to leave first, so no process.exit at once; but a connection that
 * something forgot to close must not keep a finished process from its supervisor either.
 */
function leave() {
  const timer = setTimeout(() => {
    if (process.stdout.writableLength > 0 || process.stderr.writableLength > 0) leave()
    else process.exit()
  }, LINGER_MS)
  timer.unref()
}

if (inCheckout && !existsSync(join(root, 'node_modules'))) {
  refuse("this checkout has no dependencies yet: run 'npm run setup' first")
} else if (!isNewEnough(process.versions.node)) {
  const own = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (inCheckout && existsSync(own)) runOn(own)
  else refuse('needs Node.js ' + NEEDED.join('.') + ' or newer, this is ' + process.versions.node)
} else if (inCheckout || existsSync(built)) {
  run(inCheckout ? sources : built)
} else {
  refuse("neither src/cli.ts nor dist/cli.js is here: run 'npm run build'")
}
