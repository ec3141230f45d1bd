// `npm run check:image`: builds the image, runs the demo in it as nobody with a read-only root and no network, brings the
// compose file up, sends an attack to the raw topic from the host and waits for its alert there. Needs a Docker engine with
// compose and either the network or local images, named by BASE_IMAGE, BUILD_IMAGE, KAFKA_IMAGE and REGISTRY_IMAGE.
// Whatever it starts is gone afterwards. Exit 1 on findings, 2 where there is no engine.
import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..')
const image = 'trailwarden:check'
const project = `trailwarden-check-${process.pid}`
const { freePorts } = await import('../test/harness/ports.ts')
const { demoScenario } = await import('../src/commands/demo-scenario.ts')
const { kafkaLog } = await import('../src/kafka/kafka-log.ts')

const run = async (command, args, env = {}) => {
  const options = { cwd: root, env: { ...process.env, ...env }, maxBuffer: 1 << 26 }
  const { stdout } = await promisify(execFile)(command, args, options)
  return stdout.trim()
}
const docker = (...args) => run('docker', args)
const begin = performance.now()
const say = text => console.log(`${((performance.now() - begin) / 1000).toFixed(0).padStart(4)} s  ${text}`)
const must = (condition, what) => {
  if (!condition) throw new Error(what)
}
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const quiet = Object.fromEntries(['debug', 'info', 'warn', 'error'].map(level => [level, () => undefined]))

try {
  say(`engine ${await docker('version', '--format', '{{.Server.Version}}')}, ${await docker('compose', 'version')}`)
} catch (error) {
  console.error(
    `check:image cannot run: no Docker engine with compose (${String(error.stderr ?? error.message).trim()})`,
  )
  process.exit(2)
}

async function build() {
  const given = ['BASE_IMAGE', 'BUILD_IMAGE', 'NPM_CONFIG_REGISTRY'].filter(name => process.env[name])
  const args = given.flatMap(name => ['--build-arg', `${name}=${process.env[name]}`])
  // The host's network: a mirror of npm may be reachable from there only.
  await docker('build', '--quiet', '--network', 'host', ...args, '--tag', image, '.')
  const [size, user] = (await docker('image', 'inspect', '--format', '{{.Size}} {{.Config.User}}', image)).split(' ')
  const base = Number(
    await docker('image', 'inspect', '--format', '{{.Size}}', process.env.BASE_IMAGE ?? 'node:24-slim'),
  )
  say(`built: ${((Number(size) - base) / 1e6).toFixed(0)} MB on top of its base, user ${user}`)
  must(/^[1-9]\d*:[1-9]\d*$/.test(user), 'the image runs as a number that is not root')
}

const locked = ['--rm', '--read-only', '--network', 'none', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']

async function demo() {
  const alerts = (await docker('run', ...locked, image, 'demo', '--json')).split('\n').map(line => JSON.parse(line))
  must(alerts.length > 0, 'the demo gives alerts')
  say(`demo, read-only root, no network, no capabilities: ${alerts.length} alerts`)
  const look = `const s = JSON.parse(require('fs').readFileSync('/app/sbom.cdx.json'));
    let writable = true; try { require('fs').writeFileSync('/app/x', '') } catch { writable = false }
    console.log(JSON.stringify({ uid: process.getuid(), writable, bom: s.bomFormat + ' ' + s.specVersion, parts: s.components.length }))`
  const seen = JSON.parse(await docker('run', ...locked, '--entrypoint', 'node', image, '-e', look))
  say(
    `inside: uid ${seen.uid}, root ${seen.writable ? 'writable' : 'read-only'}, SBOM ${seen.bom} with ${seen.parts} components`,
  )
  must(seen.uid > 0 && !seen.writable && seen.parts > 10, 'nobody, nothing writable, an SBOM')
}

async function line() {
  const [kafka, registry, normalizer, detector] = await freePorts(4)
  const env = {
    TRAILWARDEN_IMAGE: image,
    KAFKA_PORT: String(kafka),
    REGISTRY_PORT: String(registry),
    NORMALIZER_PORT: String(normalizer),
    DETECTOR_PORT: String(detector),
  }
  const compose = (...args) =>
    run('docker', ['compose', '--progress', 'quiet', '--project-name', project, ...args], env)
  let tail
  try {
    await compose('up', '--detach', '--wait', '--no-build', '--quiet-pull')
    say('compose: every service is up and healthy')
    const log = await kafkaLog({ brokers: [`127.0.0.1:${kafka}`], clientId: 'check-image' }, quiet)
    const producer = await log.producer()
    await producer.send([
      { topic: 'cloudtrail.raw', records: demoScenario().values.map(({ key, value }) => ({ key, value })) },
    ])
    await producer.close()
    await log.close()
    // The host's own command line follows the alerts topic.
    const settings = {
      KAFKA_BROKERS: `127.0.0.1:${kafka}`,
      SCHEMA_REGISTRY_URL: `http://127.0.0.1:${registry}/apis/ccompat/v7`,
    }
    let alerts = ''
    const args = [join(root, 'bin', 'trailwarden.mjs'), 'tail', '--json', '--since', '1h']
    tail = spawn(process.execPath, args, { env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'inherit'] })
    tail.stdout.on('data', chunk => (alerts += String(chunk)))
    for (let waited = 0; !alerts.includes('secretsmanager-multi-region'); waited += 500) {
      must(waited < 120_000, 'an alert is seen from the host within two minutes')
      await sleep(500)
    }
    const alert = JSON.parse(alerts.split('\n').find(text => text.includes('secretsmanager-multi-region')))
    say(`alert seen from the host: ${alert.ruleId} ${alert.dedupKey}`)
    const metrics = await (await fetch(`http://127.0.0.1:${detector}/metrics`)).text()
    must(/^trailwarden_alerts_total\{.*\} [1-9]/m.test(metrics), 'the detector counts alerts')
    const container = await compose('ps', '--quiet', 'detector')
    const state = await docker('inspect', '--format', '{{.HostConfig.ReadonlyRootfs}} {{.Config.User}}', container)
    must(state === 'true 10001:10001', `the detector runs read-only and as nobody, not ${state}`)
    const before = performance.now()
    await compose('stop', 'normalizer', 'detector')
    const codes = []
    for (const service of ['normalizer', 'detector']) {
      const stopped = await compose('ps', '--all', '--quiet', service)
      codes.push(await docker('inspect', '--format', '{{.State.ExitCode}}', stopped))
    }
    say(`stopped in ${((performance.now() - before) / 1000).toFixed(1)} s, exit codes ${codes.join(' and ')}`)
    must(
      codes.every(code => code === '0'),
      'a stop is clean',
    )
  } catch (error) {
    console.log(await compose('logs', '--tail', '15').catch(() => ''))
    throw error
  } finally {
    tail?.kill()
    await compose('--profile', '*', 'down', '--volumes', '--timeout', '5')
  }
}

try {
  await build()
  await demo()
  await line()
  say('the image is good')
} catch (error) {
  console.log(`FAILED  ${error.stderr ?? ''}${error.message}`)
  process.exitCode = 1
}
