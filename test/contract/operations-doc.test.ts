// docs/operations.md describes what the code has: every metric; figures that a command printed; faults that exist.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { withMetricsTable } from '../../scripts/metrics-doc.ts'

const docs = join(import.meta.dirname, '..', '..', 'docs')
const page = readFileSync(join(docs, 'operations.md'), 'utf8')

test('the table of metrics is that of src/metrics (node scripts/metrics-doc.ts writes it)', () => {
  assert.equal(page, withMetricsTable(page))
})

const rowsUnder = (heading: string) =>
  (page.split(`\n## ${heading}\n`)[1] ?? '')
    .split('\n## ')[0]!
    .split('\n')
    .filter(line => line.startsWith('| '))
    .map(line => line.split('|').map(cell => cell.trim()))

test('every measured figure of Sizing stands in the recorded output of a benchmark, or in the decision of its test', () => {
  const recorded = ['benchmarks.md', 'decisions/0010-windows-and-episodes.md']
    .map(name => readFileSync(join(docs, name), 'utf8'))
    .join('\n')
  const measured = rowsUnder('Sizing').filter(([, , , command]) => /^`(npm|node)/.test(command ?? ''))
  assert.ok(measured.length >= 7)
  for (const [, what = '', figures = ''] of measured)
    for (const figure of `${what} ${figures}`.match(/\d[\d,.]*\d/g) ?? [])
      assert.ok(recorded.includes(figure), `${figure} (${what})`)
  const [, memory = ''] = /take (\d+) MiB of heap and buffers/.exec(page) ?? []
  assert.match(recorded, new RegExp(`live heap and buffers afterwards, MiB +${memory} `))
})

test('the arithmetic of the capacity table follows from the measured row', () => {
  const perEvent = Number(/\| ([\d.]+) CPU-s per million records, [\d,]+\/s/.exec(page)?.[1]) / 1e6
  const bytes = Number(/\| (\d+) B of Avro before/.exec(page)?.[1])
  const rows = rowsUnder('Sizing').filter(([, aDay]) => /^\d+ [mb]illion$/.test(aDay ?? ''))
  assert.equal(rows.length, 4)
  const near = (told: number, real: number) => assert.ok(Math.abs(told / real - 1) < 0.1, `${told}, not ${real}`)
  for (const [, aDay = '', aSecond = '', share = '', disk = ''] of rows) {
    const day = Number.parseInt(aDay) * (aDay.endsWith('billion') ? 1e9 : 1e6)
    near(Number(aSecond.replace(',', '')), day / 86_400)
    near(Number.parseFloat(share) / 100, (day / 86_400) * perEvent)
    near(Number.parseFloat(disk) * (disk.endsWith('TB') ? 1e12 : 1e9), day * bytes * 7)
  }
})

test('the codes that the page tells what to do about exist', () => {
  const named = new Set(page.match(/TW_[A-Z_]+/g))
  const known = readFileSync(join(docs, '..', 'src', 'errors.ts'), 'utf8')
  for (const code of named) assert.ok(known.includes(`  ${code}: {`), code)
})

test('links within the page lead to its headings', () => {
  const headings = new Set(
    Array.from(page.matchAll(/^#+ (.+)$/gm), ([, title = '']) => title.toLowerCase().replaceAll(' ', '-')),
  )
  for (const [, anchor = ''] of page.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(headings.has(anchor), anchor)
})
