// The example reports under docs/report are what `replay --report` writes today (`npm run report:example` makes them).
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { exampleReport, exampleTrail } from '../../scripts/report-example.ts'

const folder = join(import.meta.dirname, '..', '..', 'docs', 'report')
const committed = (name: string) => readFileSync(join(folder, `${name}.html`), 'utf8')

test('demo.html has not drifted (npm run report:example writes it)', async () => {
  const now = await exampleReport('demo.jsonl')
  assert.ok(now === committed('demo'), 'run npm run report:example')
})

test(
  'invictus.html has not drifted',
  { skip: existsSync(exampleTrail) ? false : `no data at ${exampleTrail}` },
  async () => {
    const now = await exampleReport('invictus', exampleTrail)
    assert.ok(now === committed('invictus'), 'run npm run report:example')
  },
)

test('reports and pictures are small enough for a repository, and every picture is on the page', () => {
  const page = readFileSync(join(folder, 'README.md'), 'utf8')
  for (const name of readdirSync(folder)) {
    const size = statSync(join(folder, name)).size
    assert.ok(size < (name.endsWith('.png') ? 150_000 : 300_000), `${name}: ${size} bytes`)
    if (name !== 'README.md') assert.ok(page.includes(name), name)
  }
})
