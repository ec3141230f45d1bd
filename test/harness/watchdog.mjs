// The process that cleans up after the harness, whatever ended it: a crash, Ctrl-C or kill -9.
// Reads one JSON line for each thing to reap from standard input; end of input without `{"done":true}` means that the
// owner is gone. Plain JavaScript on purpose: it must start in milliseconds.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'

const pids = new Set()
const labels = new Set()
const networks = new Set()
const folders = new Set()
let done = false
let rest = ''

// The terminal sends Ctrl-C to the whole group; this process has to outlive its owner.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)

process.stdin.setEncoding('utf8')
process.stdin.on('data', chunk => {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) {
    const order = JSON.parse(line)
    if (order.pid) pids.add(order.pid)
    if (order.forget) pids.delete(order.forget)
    if (order.containers) labels.add(order.containers)
    if (order.network) networks.add(order.network)
    if (order.folder) folders.add(order.folder)
    if (order.done) done = true
  }
})
process.stdin.on('end', () => {
  if (done) process.exit()
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Already gone.
    }
  }
  for (const label of labels) {
    const ids = docker('ps', '--all', '--quiet', '--filter', `label=${label}`).split('\n').filter(Boolean)
    if (ids.length > 0) docker('rm', '--force', '--volumes', ...ids)
  }
  for (const id of networks) docker('network', 'rm', id)
  // A killed JVM still holds its files for a moment.
  setTimeout(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }, 200)
})

function docker(...args) {
  try {
    return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 })
  } catch {
    // Already gone, or the engine is.
    return ''
  }
}
