// The test runner tells the truth: what passed, what failed and why, and that a crash, a hang or an empty file is a failure.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'

interface Result {
  passed: number
  failed: number
  skipped: number
  notes: string[]
  failures: string[]
}

const folder = mkdtempSync(join(tmpdir(), 'test-file-test-'))
after(() => {
  rmSync(folder, { recursive: true })
})

const runner = join(folder, 'runner.mjs')
writeFileSync(
  runner,
  `import { runTestFile } from '${join(import.meta.dirname, '..', '..', '..', 'scripts', 'test-file.mjs')}'
  console.log(JSON.stringify(await runTestFile(process.argv[2], Number(process.argv[3]))))`,
)

// In a process of its own: node:test refuses to run files from inside a test.
async function outcome(body: string, timeoutMs = 60_000): Promise<Result> {
  const file = join(folder, `${randomUUID()}.test.ts`)
  writeFileSync(
    file,
    `import { test, describe, it } from 'node:test'\nimport assert from 'node:assert/strict'\n${body}`,
  )
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
  const { stdout } = await promisify(execFile)(process.execPath, [runner, file, String(timeoutMs)], { env })
  return JSON.parse(stdout) as Result
}

test('passes, failures and skips are counted once each, whatever their nesting', async () => {
  const result = await outcome(`
    test('one', () => {})
    describe('suite', () => {
      it('two', () => {})
      it('three', () => { assert.deepEqual({ a: 1 }, { a: 2 }) })
      it('four', { skip: 'no broker' }, () => {})
    })
    test('parent', async t => { await t.test('five', () => {}) })
    test('todo', { todo: true }, () => { throw new Error('not yet') })`)
  // A parent is a test of its own in node:test; a suite is none.
  assert.deepEqual([result.passed, result.failed, result.skipped], [4, 1, 2])
  assert.match(result.notes.join('\n'), /skipped: four: no broker/)
  assert.match(result.failures[0] ?? '', /:\d+ {2}three\n[^]*a: 1[^]*a: 2/)
})

test('what a failing file printed is shown, what a passing file printed is not', async () => {
  const failing = await outcome(`test('x', () => { console.log('a clue'); throw new Error('boom') })`)
  assert.match(failing.failures.join('\n'), /boom[^]*printed\n {2}a clue/)
  const passing = await outcome(`test('x', () => { console.log('noise') })`)
  assert.deepEqual(passing.failures, [])
})

test('a file that crashes, fails in a hook, holds no test, or hangs is a failure', async () => {
  const crash = await outcome(`throw new Error('at load')`)
  assert.equal(crash.failed, 1)
  assert.match(crash.failures.join('\n'), /its process failed[^]*at load/)
  const hook = await outcome(
    `import { before } from 'node:test'; describe('s', () => { before(() => { throw new Error('in hook') }); it('x', () => {}) })`,
  )
  assert.ok(hook.failed > 0)
  assert.match(hook.failures.join('\n'), /in hook/)
  const empty = await outcome('')
  assert.deepEqual([empty.failed, empty.failures[0]?.endsWith('holds no test')], [1, true])
  const hang = await outcome(
    `test('ok', () => {})\ntest('hangs', () => new Promise(() => { setInterval(() => {}, 1000) }))`,
    1_000,
  )
  assert.ok(hang.failed > 0)
  assert.match(hang.failures.join('\n'), /killed: not finished after 1 s/)
})
