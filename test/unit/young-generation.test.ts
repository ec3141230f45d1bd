// That the young generation stays small once it is bounded: in a process of its own, because the flags are the process's.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'

const module = pathToFileURL(join(import.meta.dirname, '..', '..', 'src', 'young-generation.ts')).href
const churn = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { setTimeout as sleep } from 'node:timers/promises'
  const { boundYoungGeneration } = await import('${module}')
  if (process.argv[1] === 'bounded') boundYoungGeneration()
  const kept = []
  for (let round = 0; round < 40; round++) {
    kept[round % 3] = Array.from({ length: 100_000 }, (_, i) => ({ i, text: 'x' + i }))
    await sleep(1)
  }
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
  console.log(space.space_size / 2 ** 20)
`

function reserved(how: string, ...flags: string[]): number {
  const args = [...flags, '--input-type=module', '--eval', churn, how]
  const env = { ...process.env, NODE_OPTIONS: '' }
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
  assert.ok(Number(stdout) > 0, stderr)
  return Number(stdout)
}

test('the young generation grows to 16 MB or 32 and no further, unless somebody has set its flags', () => {
  const [free, bounded] = [reserved('free'), reserved('bounded')]
  assert.ok(free > 32, `${free} MB where nothing bounds it`)
  assert.ok(bounded <= 32, `${bounded} MB`)
  assert.equal(reserved('bounded', '--max-semi-space-size=32'), 64)
})
