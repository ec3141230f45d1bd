// The boundaries of the house, proven on the real eslint.config.mjs: each forbidden line is refused in the folders where
// it is forbidden, and its twin is accepted where it is allowed. Only boundary rules run here, untyped, because the
// files do not exist.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ESLint } from 'eslint'
import tseslint from 'typescript-eslint'

const root = join(import.meta.dirname, '..', '..')
const BOUNDARIES = [
  'no-restricted-imports',
  'no-restricted-globals',
  'no-restricted-properties',
  'no-restricted-syntax',
  'no-console',
]
const PURE = [
  'sources/envelope.ts',
  'sources/envelope-kinds.ts',
  'sources/file-chunks.ts',
  'sources/json-text.ts',
  'json-line.ts',
  'rfc3339.ts',
  'normalize/x.ts',
  'rules/deep/x.ts',
  'detect/x.ts',
  'alerts/x.ts',
  'codecs/x.ts',
  'report/x.ts',
]

const eslint = new ESLint({
  cwd: root,
  overrideConfig: [
    { ...tseslint.configs.disableTypeChecked, files: ['**/*.ts'] },
    { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false, project: null } } },
  ],
  ruleFilter: ({ ruleId }) => BOUNDARIES.includes(ruleId),
})

/** The boundary rules that refuse `code` in src/`path`. */
async function refusals(path: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, 'src', path) })
  assert.ok(result, 'the file must not be ignored')
  assert.equal(result.fatalErrorCount, 0, JSON.stringify(result.messages))
  return result.messages.map(message => message.ruleId ?? 'parse error')
}

const imports = (module: string) => `import { x } from '${module}'\nexport const y = x\n`
const value = (expression: string) => `export const f = () => ${expression}\n`

const forbiddenWherePure: Record<string, [code: string, rule: string]> = {
  'import of kafkajs': [imports('kafkajs'), 'no-restricted-imports'],
  'import of @kafkajs/*': [imports('@kafkajs/confluent-schema-registry'), 'no-restricted-imports'],
  'import of node:fs': [imports('node:fs'), 'no-restricted-imports'],
  'import of node:fs/promises': [imports('node:fs/promises'), 'no-restricted-imports'],
  'import of fs': [imports('fs'), 'no-restricted-imports'],
  'import of node:http': [imports('node:http'), 'no-restricted-imports'],
  'import of node:child_process': [imports('node:child_process'), 'no-restricted-imports'],
  'import of node:timers/promises': [imports('node:timers/promises'), 'no-restricted-imports'],
  'import of prom-client': [imports('prom-client'), 'no-restricted-imports'],
  'import of pino': [imports('pino'), 'no-restricted-imports'],
  'import of src/kafka': [imports('../kafka/client.ts'), 'no-restricted-imports'],
  'import of src/pipeline': [imports('../pipeline/detector.ts'), 'no-restricted-imports'],
  'import of src/commands': [imports('../commands/replay.ts'), 'no-restricted-imports'],
  'import of src/metrics': [imports('../metrics/metrics.ts'), 'no-restricted-imports'],
  'import of src/config.ts': [imports('../config.ts'), 'no-restricted-imports'],
  'dynamic import of node:fs': [value(`import('node:fs')`), 'no-restricted-syntax'],
  require: [value(`require('node:fs')`), 'no-restricted-globals'],
  'Date.now()': [value('Date.now()'), 'no-restricted-properties'],
  "Date['now']()": [value(`Date['now']()`), 'no-restricted-properties'],
  'new Date()': [value('new Date()'), 'no-restricted-syntax'],
  'Date()': [value('Date()'), 'no-restricted-syntax'],
  'performance.now()': [value('performance.now()'), 'no-restricted-globals'],
  'import of randomUUID': [
    `import { randomUUID } from 'node:crypto'\nexport const f = randomUUID\n`,
    'no-restricted-imports',
  ],
  'Math.random()': [value('Math.random()'), 'no-restricted-properties'],
  'crypto.randomUUID()': [value('crypto.randomUUID()'), 'no-restricted-globals'],
  'process.env': [value('process.env'), 'no-restricted-globals'],
  'globalThis.process': [value('globalThis.process'), 'no-restricted-properties'],
  fetch: [value(`fetch('x')`), 'no-restricted-globals'],
  setTimeout: [value('setTimeout(f, 1)'), 'no-restricted-globals'],
  'console.log': [value(`console.log('x')`), 'no-console'],
}

for (const [what, [code, rule]] of Object.entries(forbiddenWherePure)) {
  test(`pure folders: ${what} is refused`, async () => {
    for (const path of PURE) assert.deepEqual([...new Set(await refusals(path, code))], [rule], path)
  })
}

test('pure folders: what they need is accepted', async () => {
  const accepted = [
    imports('../rejected.ts'),
    imports('../log/log-client.ts'),
    imports('node:zlib'),
    `import { createHash } from 'node:crypto'\nexport const f = createHash\n`,
    value(`new Date(0).toISOString() + String(Date.UTC(2026, 0)) + String(Math.floor(1.5))`),
  ]
  for (const path of PURE)
    for (const code of accepted) assert.deepEqual(await refusals(path, code), [], `${path}: ${code}`)
})

test('only src/kafka imports the client', async () => {
  for (const module of ['kafkajs', 'kafkajs/src/protocol', '@kafkajs/confluent-schema-registry']) {
    assert.deepEqual(await refusals('kafka/x.ts', imports(module)), [])
    for (const path of [
      'pipeline/x.ts',
      'commands/x.ts',
      'log/x.ts',
      'metrics/x.ts',
      'cli.ts',
      'index.ts',
      'sources/topic-source.ts',
    ]) {
      assert.deepEqual(await refusals(path, imports(module)), ['no-restricted-imports'], `${path} ${module}`)
    }
  }
})

test('the pipeline sees the port, not src/kafka', async () => {
  for (const code of [imports('../kafka/client.ts'), `export const load = () => import('../kafka/client.ts')\n`]) {
    assert.equal((await refusals('pipeline/x.ts', code)).length, 1, code)
    assert.deepEqual(await refusals('commands/x.ts', code), [])
  }
  assert.deepEqual(await refusals('pipeline/x.ts', imports('../log/log-client.ts')), [])
})

test('shells may use clock and files', async () => {
  const code = `import { readFileSync } from 'node:fs'\nexport const f = () => [Date.now(), process.env, readFileSync]\n`
  for (const path of ['sources/file-source.ts', 'commands/x.ts', 'pipeline/x.ts', 'log/in-process.ts']) {
    assert.deepEqual(await refusals(path, code), [], path)
  }
})

test('export * and console are refused everywhere in src', async () => {
  for (const path of ['index.ts', 'kafka/x.ts', 'detect/x.ts', 'commands/x.ts']) {
    assert.deepEqual(await refusals(path, `export * from './y.ts'\n`), ['no-restricted-syntax'], path)
    assert.deepEqual(await refusals(path, `console.log('x')\n`), ['no-console'], path)
  }
})
