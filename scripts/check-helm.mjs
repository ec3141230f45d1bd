// `npm run check:helm`: renders the chart with every option and validates the manifests against the schemas of Kubernetes.
// helm and kubeconform are taken from the path, else built once by Go into .cache (minutes of CPU time, so this is no part of
// `npm test`); the schemas come out of the Python package kubernetes-validate. Exit 1 on findings, 2 where a tool is missing.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { renderings } from './helm-values.ts'

const HELM = 'helm.sh/helm/v3/cmd/helm@v3.22.0'
const KUBECONFORM = 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0'
const SCHEMAS = 'kubernetes-validate==1.37.0'
const KUBERNETES = ['1.27.0', '1.33.0', '1.37.0']
// Their definitions come with the operators, not with Kubernetes: rendered, and looked at by test/contract/deploy.test.ts.
const CUSTOM = 'ServiceMonitor,ScaledObject'

const root = join(import.meta.dirname, '..')
const cache = join(root, '.cache', 'helm')
const chart = join(root, 'deploy', 'helm', 'trailwarden')
const run = (command, args, options = {}) => execFileSync(command, args, { encoding: 'utf8', ...options })

/** The tool from the path, or from the cache, or built into the cache. */
function tool(name, module) {
  const built = join(cache, 'bin', name)
  for (const candidate of [name, built]) {
    try {
      run(candidate, ['--help'], { stdio: 'ignore' })
      return candidate
    } catch (error) {
      if (error.code !== 'ENOENT') return candidate
    }
  }
  console.log(`building ${module}`)
  run('go', ['install', module], {
    env: { ...process.env, GOBIN: join(cache, 'bin') },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return built
}

/** A folder of schemas for each version. */
function schemas() {
  const folder = join(cache, 'schemas')
  if (existsSync(folder)) return folder
  const wheels = join(cache, 'wheels')
  run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', wheels, SCHEMAS], { stdio: 'inherit' })
  const [wheel] = readdirSync(wheels)
  const unpacked = mkdtempSync(join(cache, 'unpacked-'))
  run('python3', ['-m', 'zipfile', '-e', join(wheels, wheel), unpacked])
  const partial = mkdtempSync(join(cache, 'partial-'))
  for (const version of KUBERNETES) {
    const from = join(unpacked, 'kubernetes_validate', 'kubernetes-json-schema', `v${version}-local-strict`)
    const to = join(partial, `v${version}`)
    mkdirSync(to)
    for (const file of readdirSync(from)) {
      const text = readFileSync(join(from, file), 'utf8').replaceAll('/api/_definitions.json#', '_definitions.json#')
      // Schemas that name an address as their own are looked for there; here their definitions lie beside them.
      const { $id: _, ...schema } = JSON.parse(text)
      writeFileSync(join(to, file), JSON.stringify(schema))
    }
  }
  rmSync(unpacked, { recursive: true })
  renameSync(partial, folder)
  return folder
}

let helm, kubeconform, location
try {
  mkdirSync(cache, { recursive: true })
  helm = tool('helm', HELM)
  kubeconform = tool('kubeconform', KUBECONFORM)
  location = schemas()
} catch (error) {
  console.error(
    `check:helm cannot run: ${error.message}\nIt needs helm and kubeconform, or Go to build them, and Python with pip.`,
  )
  process.exit(2)
}

let failed = 0
const step = (what, work) => {
  try {
    console.log(`ok      ${what}${work()}`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${what}\n${error.stdout ?? ''}${error.stderr ?? error.message}`)
  }
}
for (const [name, values] of Object.entries(renderings)) {
  const file = join(cache, `${name}.json`)
  writeFileSync(file, JSON.stringify(values))
  step(`lint ${name}`, () => {
    run(helm, ['lint', '--strict', '--quiet', '--values', file, chart], { stdio: 'pipe' })
    return ''
  })
  for (const version of KUBERNETES)
    step(`render ${name} for Kubernetes ${version}: `, () => {
      const input = run(helm, ['template', 'line', chart, '--values', file, '--kube-version', version], {
        stdio: 'pipe',
      })
      const where = join(location, `v${version}`, '{{.ResourceKind}}{{.KindSuffix}}.json')
      const args = ['-strict', '-summary', '-skip', CUSTOM, '-kubernetes-version', version, '-schema-location', where]
      return run(kubeconform, args, { input, stdio: 'pipe' }).trim()
    })
}
console.log(failed === 0 ? 'the chart is valid' : `${failed} findings`)
process.exitCode = failed === 0 ? 0 : 1
