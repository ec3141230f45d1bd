// Runs one test file in a process of its own and tells what came of it, with everything a reader of a failure needs.
// A file that hangs is killed, a file that crashes or holds no test is a failure.
import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { inspect, stripVTControlCharacters } from 'node:util'

// The last lines of what a failing file printed; the beginning is seldom the interesting end.
const OUTPUT_LINES = 60

/**
 * @param {string} file path of a test file
 * @param {number} timeoutMs after which its process is killed
 * @returns {Promise<{passed: number, failed: number, skipped: number, ms: number, notes: string[], failures: string[]}>}
 */
export async function runTestFile(file, timeoutMs) {
  const path = resolve(file)
  const name = relative(process.cwd(), path)
  const result = { passed: 0, failed: 0, skipped: 0, ms: 0, notes: [], failures: [] }
  let output = ''
  const start = performance.now()
  const deadline = AbortSignal.timeout(timeoutMs)
  // Connections that a test left open must not keep its process for the whole limit.
  const stream = run({ files: [path], concurrency: 1, signal: deadline, execArgv: ['--test-force-exit'] })
  // The runner reports the file itself as a test when it holds none or when its process failed.
  const isFile = event => event.nesting === 0 && event.name === path
  stream.on('test:pass', event => {
    if (event.details?.type === 'suite' || isFile(event)) return
    if (event.skip !== undefined) {
      result.skipped++
      result.notes.push(`skipped: ${event.name}${typeof event.skip === 'string' ? `: ${event.skip}` : ''}`)
    } else if (event.todo !== undefined) {
      result.skipped++
      result.notes.push(`todo: ${event.name}`)
    } else {
      result.passed++
    }
  })
  stream.on('test:fail', event => {
    if (event.todo !== undefined) {
      result.skipped++
      result.notes.push(`todo: ${event.name}`)
      return
    }
    const error = event.details?.error
    // A parent fails because something inside it did, and that has been told.
    if (error?.failureType === 'subtestsFailed' && result.failed > 0) return
    if (isFile(event) && result.failed > 0) return
    result.failed++
    const where = isFile(event) ? name : `${name}:${event.line ?? '?'}`
    const what = isFile(event) ? ended(deadline, timeoutMs) : `${event.name}\n${indent(reason(error))}`
    result.failures.push(`${where}  ${what}`)
  })
  for (const kind of ['test:stdout', 'test:stderr']) stream.on(kind, event => (output += event.message))
  await new Promise((done, fail) => stream.on('end', done).on('error', fail).resume())
  if (result.passed + result.failed + result.skipped === 0) {
    result.failed++
    result.failures.push(`${name}  holds no test`)
  }
  if (result.failed > 0 && output.trim() !== '') {
    const lines = output.trimEnd().split('\n').slice(-OUTPUT_LINES)
    result.failures.push(`${name}  printed\n${indent(lines.join('\n'))}`)
  }
  result.ms = performance.now() - start
  return result
}

/** Two spaces before every line. */
export function indent(text) {
  return text.replaceAll(/^/gm, '  ')
}

function ended(deadline, timeoutMs) {
  return deadline.aborted ? `killed: not finished after ${Math.round(timeoutMs / 1000)} s` : 'its process failed'
}

function reason(error) {
  const cause = error?.failureType === 'testCodeFailure' || error?.failureType === 'hookFailed' ? error.cause : error
  const text = cause instanceof Error ? inspect(cause, { depth: 4 }) : String(cause?.message ?? cause ?? 'failed')
  return stripVTControlCharacters(text)
    .split('\n')
    .filter(line => !/^\s+at .*\(?node:internal\//.test(line))
    .join('\n')
}
