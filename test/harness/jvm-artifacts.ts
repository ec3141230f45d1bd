// The jars of Kafka and of the Apicurio registry, resolved by Maven once and kept in a cache keyed by the pom's hash.
// Resolved into a temporary folder and renamed, so that an interrupted download leaves nothing half there and two
// processes that resolve at the same time do not disturb each other.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const POM = join(import.meta.dirname, '..', 'pom.xml')
const MAVEN_TIMEOUT_MS = 15 * 60_000

/** Where the jars are. */
export interface Artifacts {
  readonly java: string
  /** Class path of the broker and its tools. */
  readonly kafkaClassPath: string
  /** The registry's runnable jar, when it was asked for. */
  readonly registryJar: string | undefined
}

/** Finds or downloads the jars. Rejects with one sentence when Java 17 or Maven is missing or the download fails. */
export async function resolveArtifacts(registry: boolean, log: (line: string) => void): Promise<Artifacts> {
  const java = process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', 'java') : 'java'
  const major = await javaMajor(java)
  if (!(major >= 17)) throw new Error(`Java ${String(major)} found, 17 or newer needed`)
  const key = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)
  const cache = process.env['TRAILWARDEN_TEST_CACHE'] ?? join(import.meta.dirname, '..', '..', '.cache')
  const root = join(cache, `jvm-${key}`)
  const kafka = join(root, 'kafka')
  const apicurio = join(root, 'registry')
  mkdirSync(root, { recursive: true })
  await once(kafka, 'dependency:copy-dependencies@kafka', log)
  if (registry) await once(apicurio, 'dependency:unpack@registry', log)
  const runner = registry ? readdirSync(apicurio).find(name => name.endsWith('-runner.jar')) : undefined
  if (registry && runner === undefined) throw new Error(`no registry jar in ${apicurio}: delete that folder`)
  return {
    java,
    kafkaClassPath: join(kafka, '*'),
    registryJar: runner === undefined ? undefined : join(apicurio, runner),
  }
}

async function javaMajor(java: string): Promise<number> {
  try {
    const { stderr } = await run(java, ['-version'], { timeout: 20_000 })
    return Number(/version "(\d+)/.exec(stderr)?.[1])
  } catch (error) {
    throw new Error('java not found (17 or newer needed)', { cause: error })
  }
}

async function once(folder: string, goal: string, log: (line: string) => void): Promise<void> {
  if (existsSync(folder)) return
  const partial = `${folder}.${String(process.pid)}`
  log(`resolving ${goal} with Maven (once, some 200 MB in all)`)
  try {
    await run('mvn', ['-B', '-q', '-ntp', '-f', POM, goal, `-Dinto=${partial}`], {
      timeout: MAVEN_TIMEOUT_MS,
      maxBuffer: 1 << 26,
      shell: process.platform === 'win32', // mvn is a .cmd there
    })
    renameSync(partial, folder)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    // Another process was faster.
    if (existsSync(folder)) return
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string }
    const output = `${stdout ?? ''}${stderr ?? ''}`.trim().slice(0, 1_500)
    throw new Error(code === 'ENOENT' ? 'mvn not found' : `mvn ${goal} failed: ${output}`, { cause: error })
  }
}
