// `npm test`: everything that can run here, in order of cost, and one line at the end that says how it went.
//   npm test                                checks and all suites
//   npm test -- checks unit                 some parts: checks unit property golden contract simulation integration
//   npm test -- test/unit/rejected.test.ts  some files or folders
// The last of the suites without a broker runs the pipeline's tests once more with every fast path off; with
// FAST_PATHS=false in the environment all suites run so.
// One Kafka is started for the whole integration suite and handed to its files by KAFKA_BROKERS and SCHEMA_REGISTRY_URL.
// Without any Kafka that suite is skipped loudly, or fails when REQUIRE_KAFKA=1. Exit code 1 on any failure.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const SUITES = ['unit', 'property', 'golden', 'contract', 'simulation', 'integration']
const CHECKS = [
  ['types', 'tsc', '--noEmit'],
  ['lint', 'eslint', '.', '--max-warnings', '0'],
  ['format', 'prettier', '--check', '.', '--log-level', 'warn'],
  ['unused exports', 'node', 'scripts/dead-exports.ts'],
]
// The slowest files kill and restart brokers for minutes; beyond this one hangs.
const FILE_TIMEOUT_MS = 10 * 60_000

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))
if (Number(process.versions.node.split('.')[0]) < 24) rerunOnBundledNode()

const { runTestFile, indent } = await import('./test-file.mjs')
const totals = { passed: 0, failed: 0, skipped: 0 }
const failures = []

let parts
try {
  parts = plan(process.argv.slice(2))
} catch (error) {
  console.error(error.message)
  process.exit(2)
}
if (parts.checks) for (const [name, tool, ...args] of CHECKS) await check(name, tool, args)
// Building helm takes minutes the first time: where everything is required, and not on every run of a developer.
if (parts.checks && process.env.REQUIRE_KAFKA === '1') await check('chart', 'node', ['scripts/check-helm.mjs'], 2)
for (const [suite, files] of parts.suites) {
  if (suite === 'integration') await integration(files)
  else await suiteOf(suite, files, availableParallelism())
  if (suite === 'simulation' && process.argv.length === 2) await generalPaths()
}
if (failures.length > 0) console.log(`\n${'='.repeat(40)} failures\n\n${failures.join('\n\n')}\n`)
// The last line, for people and for CI: nothing may follow it.
console.log(
  `${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`,
)
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0

/** Which checks and which files the arguments ask for; throws on an argument that names nothing. */
function plan(args) {
  const suites = new Map()
  const add = (suite, files) => suites.set(suite, [...new Set([...(suites.get(suite) ?? []), ...files])].sort())
  for (const arg of args.length === 0 ? SUITES : args.filter(name => name !== 'checks')) {
    const path = SUITES.includes(arg) ? join('test', arg) : relative('.', resolve(arg))
    const [top, suite] = path.split(sep)
    if (top !== 'test' || !SUITES.includes(suite))
      throw new Error(`'${arg}' is no suite and no test file: checks ${SUITES.join(' ')}`)
    const files = path.endsWith('.test.ts') ? [path].filter(file => existsSync(file)) : globSync(`${path}/**/*.test.ts`)
    if (files.length === 0 && args.length > 0) throw new Error(`no test files in ${path}`)
    add(suite, files)
  }
  const inOrder = [...suites].sort(([a], [b]) => SUITES.indexOf(a) - SUITES.indexOf(b))
  return { checks: args.length === 0 || args.includes('checks'), suites: inOrder }
}

/** The general paths must give what the fast ones give: the suites that compare results, without the fast ones. */
async function generalPaths() {
  const before = process.env.FAST_PATHS
  process.env.FAST_PATHS = 'false'
  const files = ['unit/pipeline', 'unit/commands', 'golden']
    .flatMap(part => globSync(`test/${part}/**/*.test.ts`))
    .sort()
  await suiteOf('fast paths off', files, availableParallelism())
  if (before === undefined) delete process.env.FAST_PATHS
  else process.env.FAST_PATHS = before
}

/** One check is one command and counts as one test; what it prints is shown only when it fails. `missing`: its code for a missing tool. */
async function check(name, tool, args, missing = null) {
  const start = performance.now()
  const bin = tool === 'node' ? process.execPath : join('node_modules', '.bin', tool)
  const child = spawn(bin, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && tool !== 'node',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text))
  const code = await new Promise(done => {
    child.once('error', error => done(error.message)).once('close', done)
  })
  if (code !== 0 && code === missing) {
    totals.skipped++
    console.log(`\n${'!'.repeat(80)}\n${name} SKIPPED, a tool is missing:\n${indent(output.trim())}\n${'!'.repeat(80)}`)
    return
  }
  totals[code === 0 ? 'passed' : 'failed']++
  say(code === 0, name, performance.now() - start)
  if (code !== 0) failures.push(`${name}: ${tool} ended with ${code}\n${indent(output.trim())}`)
}

/** Runs files, `workers` at a time, with one line for each. */
async function suiteOf(suite, files, workers) {
  if (files.length === 0) return
  console.log(`\n${suite}`)
  const waiting = [...files]
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runTestFile(file, FILE_TIMEOUT_MS)
      for (const key of Object.keys(totals)) totals[key] += result[key]
      failures.push(...result.failures)
      const counts = [`${result.passed} passed`]
      if (result.failed > 0) counts.push(`${result.failed} failed`)
      if (result.skipped > 0) counts.push(`${result.skipped} skipped`)
      say(result.failed === 0, relative('test', file), result.ms, counts.join(', '))
      for (const note of result.notes) console.log(indent(indent(note)))
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
}

/** The suite on a real broker: serial, because its files share one cluster and measure times. */
async function integration(files) {
  if (files.length === 0) return
  const { kafkaForTests } = await import('../test/harness/kafka.ts')
  console.log('\nlooking for a Kafka and a schema registry')
  let kafka
  try {
    kafka = await kafkaForTests({}, line => console.log(indent(line)))
  } catch (error) {
    const required = process.env.REQUIRE_KAFKA === '1'
    console.log(
      `\n${'!'.repeat(80)}\nintegration ${required ? 'FAILED' : `SKIPPED (${files.length} files)`}: ${error.message}\n${'!'.repeat(80)}`,
    )
    if (required) failures.push(`integration\n${indent(error.message)}`)
    totals[required ? 'failed' : 'skipped'] += files.length
    return
  }
  console.log(indent(`${kafka.how}: ${kafka.brokers.join(',')}, registry ${kafka.registryUrl}`))
  process.env.KAFKA_BROKERS = kafka.brokers.join(',')
  process.env.SCHEMA_REGISTRY_URL = kafka.registryUrl
  const failedBefore = totals.failed
  await suiteOf('integration', files, 1)
  if (totals.failed > failedBefore) await keepLogs(kafka.logs)
  await kafka.stop()
}

async function keepLogs(logs) {
  const { tail } = await import('../test/harness/jvm.ts')
  const folder = join('.cache', 'kafka-logs')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const log of logs) {
    const kept = join(folder, basename(log))
    copyFileSync(log, kept)
    failures.push(`${kept} ends with\n${indent(tail(kept, 15))}`)
  }
}

function say(ok, name, ms, counts = '') {
  console.log(
    `  ${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(48)} ${(ms / 1000).toFixed(1).padStart(6)} s  ${counts}`.trimEnd(),
  )
}

/** For `node scripts/test.mjs` typed in a shell; `npm test` runs on the right one by itself. */
function rerunOnBundledNode() {
  const { status, error } = spawnSync(join('node_modules', '.bin', 'node'), process.argv.slice(1), { stdio: 'inherit' })
  if (error) console.error("the tests need Node.js 24: run 'npm run setup' first")
  process.exit(status ?? 1)
}
