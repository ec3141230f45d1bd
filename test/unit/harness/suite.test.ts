// What is required must not be skipped.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipWithout } from '../../harness/suite.ts'

test('a missing tool skips a test with its reason; where everything is required it fails it', t => {
  const before = process.env['REQUIRE_KAFKA']
  t.after(() => {
    if (before === undefined) delete process.env['REQUIRE_KAFKA']
    else process.env['REQUIRE_KAFKA'] = before
  })
  const said: unknown[] = []
  const context = { skip: (message?: string) => void said.push(message) }
  delete process.env['REQUIRE_KAFKA']
  skipWithout(context, 'Python', new Error('pip is away\nwith details'))
  assert.deepEqual(said, ['no Python: pip is away'])
  process.env['REQUIRE_KAFKA'] = '1'
  assert.throws(() => skipWithout(context, 'Python', new Error('pip is away')), /^Error: no Python: pip is away$/)
  assert.equal(said.length, 1)
})
