// What is deployed against what it deploys: chart, image, compose file and units name settings, ports, paths and users that
// exist. With helm at hand (`npm run check:helm` builds it once) the chart is rendered too; validating is that command's.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { renderings } from '../../scripts/helm-values.ts'
import { describeSettings } from '../../src/config.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')
const chart = join(root, 'deploy', 'helm', 'trailwarden')
const settings = new Set<string>(describeSettings().map(({ name }) => name))
const secrets = describeSettings().flatMap(({ name, doc }) => (doc.includes(`${name}_FILE`) ? [name as string] : []))
const isSetting = (name: string) => settings.has(name) || secrets.includes(name.replace(/_FILE$/, ''))
const named = (text: string) => [...new Set(text.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? [])]

test('the chart is of this version, and its templates name settings that exist', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const about = parse(read('deploy/helm/trailwarden/Chart.yaml')) as { version: string; appVersion: string }
  assert.deepEqual([about.version, about.appVersion], [version, version])
  const texts = readdirSync(join(chart, 'templates')).map(file => read('deploy/helm/trailwarden/templates', file))
  const names = named([...texts, read('deploy/helm/trailwarden/values.yaml')].join('\n'))
  assert.ok(names.includes('KAFKA_BROKERS') && names.includes('KAFKA_SASL_PASSWORD'))
  assert.deepEqual(
    names.filter(name => !isSetting(name)),
    [],
  )
})

test('secrets fit the pattern of the chart, and nothing else may be one', () => {
  const schema = JSON.parse(read('deploy/helm/trailwarden/values.schema.json')) as {
    properties: { secrets: { propertyNames: { pattern: string } } }
  }
  const pattern = new RegExp(schema.properties.secrets.propertyNames.pattern)
  assert.deepEqual([...settings].filter(name => pattern.test(name)).sort(), secrets.sort())
})

test('the image runs as the user that the chart asks for', () => {
  const user = /^USER (\d+):(\d+)$/m.exec(read('Dockerfile'))
  assert.ok(user)
  const helpers = read('deploy/helm/trailwarden/templates/_helpers.tpl')
  assert.ok(helpers.includes(`runAsUser: ${user[1]}`) && helpers.includes(`runAsGroup: ${user[2]}`))
  assert.match(read('Dockerfile'), /^ENTRYPOINT \["node", "\/app\/bin\/trailwarden\.mjs"\]$/m)
})

test('the compose file names settings that exist, and its processes are read-only without rights', () => {
  interface Service {
    readonly environment?: Readonly<Record<string, unknown>>
    readonly read_only?: boolean
    readonly cap_drop?: readonly string[]
    readonly healthcheck?: { readonly test: readonly unknown[] }
  }
  const { services } = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> }
  for (const name of ['topics', 'normalizer', 'detector', 'trailwarden']) {
    const service = services[name]!
    assert.deepEqual(
      Object.keys(service.environment ?? {}).filter(setting => !isSetting(setting)),
      [],
      name,
    )
    assert.deepEqual([service.read_only, service.cap_drop], [true, ['ALL']], name)
    const [kind, ...words] = service.healthcheck?.test ?? ['CMD']
    assert.equal(kind, 'CMD', 'a health check needs no shell')
    assert.deepEqual(
      words.filter(word => typeof word !== 'string'),
      [],
      name,
    )
  }
})

test('units start the verbs with settings that exist, and are stopped patiently', () => {
  for (const verb of ['normalize', 'detect']) {
    const unit = read('deploy/systemd', `trailwarden-${verb}.service`)
    assert.match(unit, new RegExp(`^ExecStart=/usr/bin/env trailwarden ${verb}$`, 'm'))
    const names = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, rest]) => named(rest!))
    assert.deepEqual(
      names.filter(name => name !== 'NODE_ENV' && !isSetting(name)),
      [],
    )
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) > 10)
  }
})

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly replicas?: number
    readonly template?: {
      readonly spec: {
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value: string }[]
          readonly ports?: readonly { readonly containerPort: number }[]
          readonly livenessProbe?: { readonly httpGet: { readonly path: string } }
          readonly readinessProbe?: { readonly httpGet: { readonly path: string } }
          readonly securityContext: { readonly readOnlyRootFilesystem: boolean }
        }[]
      }
    }
    readonly triggers?: readonly { readonly metadata: Readonly<Record<string, string>> }[]
  }
}

function helm(): string | null {
  for (const candidate of ['helm', join(root, '.cache', 'helm', 'bin', 'helm')]) {
    if (candidate !== 'helm' && !existsSync(candidate)) continue
    try {
      execFileSync(candidate, ['version'], { stdio: 'ignore' })
      return candidate
    } catch {
      continue
    }
  }
  return null
}

const found = helm()
const skip = found === null ? 'no helm; `npm run check:helm` builds one' : false

test('rendered: both processes with probes, mounted secrets and a scaler on their own group', { skip }, () => {
  const render = (values: object) =>
    parseAllDocuments(
      execFileSync(found ?? '', ['template', 'line', chart, '--kube-version', '1.33.0', '--values', '-'], {
        input: JSON.stringify(values),
        encoding: 'utf8',
      }),
    ).flatMap(document => (document.contents === null ? [] : [document.toJS() as Manifest]))
  const all = render(renderings.everything)
  const deployments = all.filter(({ kind }) => kind === 'Deployment')
  assert.deepEqual(deployments.map(({ metadata }) => metadata.name).sort(), [
    'line-trailwarden-detect',
    'line-trailwarden-normalize',
  ])
  for (const { metadata, spec } of deployments) {
    assert.equal(spec.replicas, undefined, 'the scaler decides')
    const [container] = spec.template!.spec.containers
    const env = Object.fromEntries(container!.env.map(({ name, value }) => [name, value]))
    assert.deepEqual(
      Object.keys(env).filter(name => !isSetting(name)),
      [],
    )
    assert.equal(env['KAFKA_SASL_PASSWORD_FILE'], '/run/secrets/trailwarden/KAFKA_SASL_PASSWORD')
    assert.equal(env['KAFKA_SSL_CA_FILE'], '/run/files/trailwarden/KAFKA_SSL_CA_FILE')
    assert.equal(env['HTTP_HOST'], '0.0.0.0')
    assert.equal(env['HTTP_PORT'], String(container!.ports![0]!.containerPort))
    assert.equal(env['BATCH_MAX_RECORDS'], metadata.name.endsWith('detect') ? '2000' : undefined)
    assert.deepEqual(
      [container!.livenessProbe!.httpGet.path, container!.readinessProbe!.httpGet.path],
      ['/livez', '/readyz'],
    )
    assert.equal(container!.securityContext.readOnlyRootFilesystem, true)
  }
  const scalers = all.filter(({ kind }) => kind === 'ScaledObject').map(({ spec }) => spec.triggers![0]!.metadata)
  assert.deepEqual(
    scalers.map(({ consumerGroup, topic }) => [consumerGroup, topic]),
    [
      ['trailwarden-normalize', 'cloudtrail.raw'],
      ['trailwarden-detect', 'cloudtrail.events.v1'],
    ],
  )
  for (const kind of ['ServiceMonitor', 'NetworkPolicy', 'PodDisruptionBudget'])
    assert.equal(all.filter(manifest => manifest.kind === kind).length, 2, kind)
  const least = render(renderings.least)
  assert.deepEqual([...new Set(least.map(({ kind }) => kind))].sort(), [
    'Deployment',
    'PodDisruptionBudget',
    'Service',
    'ServiceAccount',
  ])
  assert.equal(least.find(({ kind }) => kind === 'Deployment')!.spec.replicas, 2)
  assert.throws(() => render({}), /KAFKA_BROKERS is needed/)
  const secret = { settings: { KAFKA_BROKERS: 'k', SCHEMA_REGISTRY_URL: 'http://r', KAFKA_SASL_PASSWORD: 'x' } }
  assert.throws(() => render(secret), /KAFKA_SASL_PASSWORD/, 'a secret does not go into the environment')
})
