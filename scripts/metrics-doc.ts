// Writes the table of metrics into docs/operations.md from src/metrics/definitions.ts; `--check` fails when it has drifted.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeMetrics } from '../src/metrics/definitions.ts'

const path = join(import.meta.dirname, '..', 'docs', 'operations.md')
const begin = '<!-- Written by `node scripts/metrics-doc.ts` from src/metrics/definitions.ts; do not edit. -->'
const end = '<!-- end of the table -->'

/** A page with the table in it as the code has it. Throws where the page has lost the marks around it. */
export function withMetricsTable(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/operations.md has lost its marks: ${begin} … ${end}`)
  const rows = describeMetrics().map(
    ({ name, of, type, labels, help }) =>
      `| \`${name}\` | ${of} | ${type} | ${labels.map(label => `\`${label}\``).join(' ')} | ${help} |`,
  )
  const table = ['| metric | process | type | labels | meaning |', '|---|---|---|---|---|', ...rows].join('\n')
  return `${page.slice(0, from)}${begin}\n\n${table}\n\n${page.slice(to)}`
}

if (process.argv[1] === import.meta.filename) {
  const page = readFileSync(path, 'utf8')
  const text = withMetricsTable(page)
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (page !== text) {
    console.error('docs/operations.md is not what src/metrics says; run node scripts/metrics-doc.ts')
    process.exitCode = 1
  }
}
