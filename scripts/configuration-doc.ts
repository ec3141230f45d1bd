// Writes docs/configuration.md from the table of settings; `--check` fails when the file has drifted from it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeSettings } from '../src/config.ts'

const path = join(import.meta.dirname, '..', 'docs', 'configuration.md')

/** The text of docs/configuration.md. */
export function configurationDoc(): string {
  const rows = describeSettings().map(
    ({ name, flag, default: preset, doc }) =>
      `| \`${name}\` | \`${flag}\` | ${preset === '' ? '' : `\`${preset}\``} | ${doc} |`,
  )
  return [
    '# Configuration',
    '',
    'Written by `node scripts/configuration-doc.ts` from src/config.ts; do not edit.',
    '',
    'A setting is given as a flag, an environment variable, or a key of the YAML or JSON file named by `--config`; the first of',
    'these that is present wins over the default. Secrets may come from a file named by `<NAME>_FILE`. `trailwarden check`',
    'prints what is in force, secrets masked.',
    '',
    '| setting | flag | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

if (process.argv[1] === import.meta.filename) {
  const text = configurationDoc()
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    console.error('docs/configuration.md is not what src/config.ts says; run node scripts/configuration-doc.ts')
    process.exitCode = 1
  }
}
