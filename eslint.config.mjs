// Lint, with the boundaries of the house as errors: pure folders take time and data as arguments, only src/kafka
// imports kafkajs, the pipeline sees the LogClient port only. test/unit/lint.test.ts proves that each rule fires.
import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const pure = [
  'src/sources/envelope.ts',
  'src/sources/envelope-kinds.ts',
  'src/sources/file-chunks.ts',
  'src/sources/json-text.ts',
  'src/sources/base64-text.ts',
  'src/json-line.ts',
  'src/rfc3339.ts',
  'src/normalize/**/*.ts',
  'src/rules/**/*.ts',
  'src/detect/**/*.ts',
  'src/alerts/**/*.ts',
  'src/codecs/**/*.ts',
  'src/report/**/*.ts',
]
const pureMessage = 'This folder is pure: time, randomness and environment enter as arguments.'
const clientMessage = 'Only src/kafka imports the client. Go through the LogClient port (src/log/log-client.ts).'
const portMessage = 'The pipeline sees LogClient only, so that it also runs in process and under the fault simulator.'

const noClient = { group: ['kafkajs', 'kafkajs/*', '@kafkajs/*'], message: clientMessage }
const io =
  'child_process cluster dgram dns fs http http2 https inspector net os perf_hooks process readline timers tls tty v8 vm worker_threads'
const noIo = {
  group: [...io.split(' ').flatMap(name => [name, `node:${name}`, `node:${name}/*`]), 'prom-client', 'pino'],
  message: 'This folder is pure: no I/O, clock or logging. Take the data as an argument.',
}
const noShell = {
  group: ['kafka', 'pipeline', 'commands', 'metrics']
    .map(folder => `**/${folder}/**`)
    .concat('**/log/in-process*', '**/sources/file-*', '**/sources/topic-*', '**/config.ts'),
  message: 'This folder is pure and stands at the bottom: it knows no shell.',
}
const noRandomness = ['node:crypto', 'crypto'].map(name => ({
  name,
  importNames: [
    'default',
    'getRandomValues',
    'randomBytes',
    'randomFill',
    'randomFillSync',
    'randomInt',
    'randomUUID',
    'webcrypto',
  ],
  message: pureMessage,
}))

// One list for all of src: a later block replaces an earlier one's options, it does not add to them.
const syntax = [{ selector: 'ExportAllDeclaration', message: 'Named re-exports only.' }]
const dynamicClient = { selector: 'ImportExpression[source.value=/^@?kafkajs/]', message: clientMessage }
const dynamicKafka = { selector: 'ImportExpression[source.value=/\\x2Fkafka\\x2F/]', message: portMessage }
const pureSyntax = [
  { selector: 'ImportExpression', message: 'This folder is pure: it loads nothing at run time.' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: pureMessage },
  { selector: "CallExpression[callee.name='Date']", message: pureMessage },
]

const readonlyGlobals = names => Object.fromEntries(names.split(' ').map(name => [name, 'readonly']))

export default defineConfig(
  { ignores: ['dist/**', 'node_modules/**', '.cache/**', 'coverage/**', 'test/fixtures/**', 'assembly/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-restricted-syntax': ['error', ...syntax],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/kafka/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [noClient] }],
      'no-restricted-syntax': ['error', ...syntax, dynamicClient],
    },
  },
  {
    files: ['src/pipeline/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [noClient, { group: ['**/kafka/**'], message: portMessage }] }],
      'no-restricted-syntax': ['error', ...syntax, dynamicClient, dynamicKafka],
    },
  },
  {
    files: pure,
    rules: {
      'no-restricted-imports': ['error', { patterns: [noClient, noIo, noShell], paths: noRandomness }],
      'no-restricted-syntax': ['error', ...syntax, ...pureSyntax],
      'no-restricted-globals': [
        'error',
        ...'process require setTimeout setInterval setImmediate queueMicrotask performance fetch crypto'
          .split(' ')
          .map(name => ({ name, message: pureMessage })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: pureMessage },
        { object: 'Math', property: 'random', message: pureMessage },
        { object: 'globalThis', message: pureMessage },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', 'examples/**/*.ts'],
    rules: {
      'no-console': 'off',
      // node:test returns promises from test() and describe() that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: readonlyGlobals(
        'AbortSignal Buffer TextDecoder TextEncoder URL clearTimeout console fetch performance process setTimeout',
      ),
    },
    rules: { 'no-console': 'off' },
  },
)
