// `npm run try-package`: the newcomer's path. Packs the package, installs the tarball into an empty directory, once for each
// Node that is supported, and runs there what the README says, through npx; then compiles and runs a consumer against the types.
//   npm run try-package                 Node 22.18 and 24
//   npm run try-package -- 22.18        one of them
// Commands that need a cluster run on the Kafka of the tests where there is one (KAFKA_BROKERS and SCHEMA_REGISTRY_URL, Docker
// or Java), else they are left out loudly. Needs the npm registry, for the dependencies and for `node` itself.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaForTests } from '../test/harness/kafka.ts'
import type { KafkaForTests } from '../test/harness/kafka.ts'
import { ClusterSession, layOut, runToEnd } from '../test/harness/documentation-run.ts'
import type { Place } from '../test/harness/documentation-run.ts'
import { commandsOn, homeOf, root } from '../test/harness/documentation.ts'
import { lineOn } from '../test/harness/line.ts'
import { topicAdmin } from '../src/kafka/topics.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22.18', '24']
const base = mkdtempSync(join(tmpdir(), 'try-package-'))
let failures = 0

function say(ok: boolean, what: string, detail = ''): void {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${what}`)
  if (ok) return
  failures++
  console.log(detail.trim().replace(/^/gm, '       '))
}

function npm(folder: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`)
  return stdout
}

/** A program that uses the types of the public API the way a consumer would. */
const typed = `import { loadRules, normalizeBytes, toOcsf, topicContracts } from 'trailwarden'
import type { Alert, Rule } from 'trailwarden'
import { AlertReader } from 'trailwarden/kafka'
export const keyOf = (alert: Alert): string => alert.dedupKey
export const uid = (alert: Alert): unknown => toOcsf(alert)
export const titles = (rules: readonly Rule[]): string[] => rules.map(rule => rule.title)
const loaded = loadRules([])
if ('errors' in loaded) throw new Error('no rules are no error')
console.log([typeof normalizeBytes, topicContracts().length, typeof AlertReader].join())
`

async function tryOn(version: string, tarball: string, kafka: KafkaForTests | null): Promise<void> {
  const folder = join(base, `node-${version}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{"name":"newcomer","private":true,"type":"module"}\n')
  npm(folder, 'install', tarball, `node@${version}`, 'typescript@6', '@types/node@22')
  const path = join(folder, 'node_modules', '.bin')
  const place: Place = { folder, path, npx: true }
  const node = (await runToEnd('node --version', { ...place, npx: false })).stdout.trim()
  say(node.startsWith(`v${version}.`), `${node} in an empty directory, package installed`)
  layOut(folder)

  for (const { text } of commandsOn('README.md')) {
    const home = homeOf(text)
    if (home?.kind !== 'offline') continue
    const { code, stdout, stderr } = await runToEnd(text, place)
    const ok = code === (home.exit ?? 0) && (home.shows?.test(stdout) ?? true) && (home.says?.test(stderr) ?? true)
    say(ok, `${node}  ${text}`, `exit ${code}\n${stdout.slice(0, 2000)}\n${stderr}`)
  }
  await types(folder, place, node)
  if (kafka !== null) await onCluster(kafka, place, node)
}

async function types(folder: string, place: Place, node: string): Promise<void> {
  writeFileSync(join(folder, 'typed.ts'), typed)
  copyFileSync(join(root, 'examples', 'typescript-consumer', 'consumer.ts'), join(folder, 'consumer.ts'))
  const flags = '--noEmit --strict --module nodenext --target es2024 --types node --skipLibCheck false'
  const compiled = await runToEnd(`tsc ${flags} typed.ts consumer.ts`, { ...place, npx: false })
  say(compiled.code === 0, `${node}  tsc on consumers of the types`, compiled.stdout)
  const ran = await runToEnd('node typed.ts', { ...place, npx: false })
  say(ran.code === 0 && ran.stdout === 'function,4,function\n', `${node}  a consumer runs`, ran.stdout + ran.stderr)
}

async function onCluster(kafka: KafkaForTests, place: Place, node: string): Promise<void> {
  const cleanups: (() => Promise<void>)[] = []
  try {
    const line = await lineOn(kafka, { after: clean => void cleanups.push(clean) })
    const admin = await topicAdmin({ brokers: kafka.brokers, clientId: 'try-package' }, quiet, null)
    await admin.apply([{ name: 'cloudtrail.raw', partitions: 1, replicationFactor: 1, config: {} }])
    await admin.close()
    const session = new ClusterSession({ ...place, env: line.env })
    // What the README tails and explains is the demo's attack, sent in between as docs/plug-in.md does.
    const send = ['trailwarden demo --write demo.jsonl', 'trailwarden normalize demo.jsonl']
    for (const { text } of commandsOn('README.md')) {
      const home = homeOf(text)
      if (home?.kind !== 'cluster') continue
      const { code, stdout, stderr } = await session
        .run(text, home)
        .catch((error: unknown) => ({ code: -1, stdout: '', stderr: String(error) }))
      say(code === 0 && (home.shows?.test(stdout) ?? true), `${node}  ${text}`, `exit ${code}\n${stdout}\n${stderr}`)
      if (text === 'trailwarden detect') for (const more of send) await runToEnd(more, { ...place, env: line.env })
    }
    for (const [text, code] of await session.stop()) say(code === 0, `${node}  ${text} stops`, `exit ${code}`)
  } finally {
    for (const clean of cleanups) await clean()
  }
}

let kafka: KafkaForTests | null = null
try {
  const packed = JSON.parse(
    npm(root, 'pack', '--json', '--pack-destination', base).replace(/^[^[]*(?=\[\s*\{)/, ''),
  ) as {
    filename: string
    size: number
    files: { path: string }[]
  }[]
  const [{ filename, size, files } = { filename: '', size: 0, files: [] }] = packed
  say(!files.some(({ path }) => /^(src|test|bench|\.)/.test(path)), `${filename}: ${files.length} files, ${size} B`)
  try {
    kafka = await kafkaForTests({}, line => console.log(`       ${line}`))
  } catch (error) {
    console.log(`LEFT OUT the commands that need a cluster: ${error instanceof Error ? error.message : String(error)}`)
  }
  for (const version of versions) await tryOn(version, join(base, filename), kafka)
} finally {
  await kafka?.stop()
  rmSync(base, { recursive: true, force: true })
}
console.log(failures === 0 ? 'A newcomer gets through.' : `${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
