// Lint, with the boundaries of the house as errors: pure folders take time and data as arguments,
// only src/kafka imports kafkajs, the pipeline sees the LogClient port only. test/unit/lint.test.ts proves each rule fires.
import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const pure = [
  'src/sources/envelope.ts',
  'src/normalize/**/*.ts',
  'src/rules/**/*.ts',
  'src/detect/**/*.ts',
  'src/alerts/**/*.ts',
  'src/codecs/**/*.ts',
  'src/report/**/*.ts',
]

const noKafkajs = {
  group: ['kafkajs', 'kafkajs/*', '@kafkajs/*'],
  message: 'Only src/kafka imports the client. Go through the LogClient port (src/log/log-client.ts).',
}
const noIo = {
  group: [
    'node:fs',
    'node:fs/*',
    'fs',
    'node:http',
    'node:https',
    'node:net',
    'node:tls',
    'node:child_process',
    'node:worker_threads',
    'node:os',
    'node:process',
    'node:timers',
    'node:timers/*',
    'node:perf_hooks',
    'prom-client',
    'pino',
  ],
  message: 'This folder is pure: no I/O, clock or logging. Take the data as an argument.',
}
const noOuter = {
  group: [
    '**/kafka/*',
    '**/pipeline/*',
    '**/commands/*',
    '**/metrics/*',
    '**/log/in-process*',
    '**/sources/file-source*',
  ],
  message: 'This folder is pure and stands at the bottom: it knows no shell.',
}
const message = 'This folder is pure: time, randomness and environment enter as arguments.'

export default defineConfig(
  { ignores: ['dist/**', 'node_modules/**', '.cache/**', 'coverage/**', 'test/fixtures/**'] },
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
      'no-restricted-syntax': ['error', { selector: 'ExportAllDeclaration', message: 'Named re-exports only.' }],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/kafka/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noKafkajs] }] },
  },
  {
    files: ['src/pipeline/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [noKafkajs, { group: ['**/kafka/*'], message: 'The pipeline sees LogClient only.' }] },
      ],
    },
  },
  {
    files: pure,
    rules: {
      'no-restricted-imports': ['error', { patterns: [noKafkajs, noIo, noOuter] }],
      'no-restricted-globals': [
        'error',
        ...['process', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'fetch', 'crypto'].map(name => ({
          name,
          message,
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message },
        { object: 'Math', property: 'random', message },
        { object: 'globalThis', message },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'Named re-exports only.' },
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message },
        { selector: "CallExpression[callee.name='Date']", message },
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
    files: ['**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'AbortSignal',
          'Buffer',
          'URL',
          'console',
          'fetch',
          'module',
          'performance',
          'process',
          'require',
          'setTimeout',
        ].map(name => [name, name === 'module' ? 'writable' : 'readonly']),
      ),
    },
    rules: { 'no-console': 'off', '@typescript-eslint/no-require-imports': 'off' },
  },
)
