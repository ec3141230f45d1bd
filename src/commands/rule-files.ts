// Reads rule files for the commands: files and folders into the texts that the pure loader takes. Shell.
// The order is the same on every machine (by path), because the order of rules decides the order of alerts.
import { readFile, readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { RuleFile } from '../rules/load.ts'

const extensions = new Set(['.yml', '.yaml'])
// Suppressions live beside the rules and are not rules.
const reserved = new Set(['suppressions.yml', 'suppressions.yaml'])

/**
 * The rule files named by `paths`: files as they are, folders with all .yml and .yaml below them except suppressions and
 * names that begin with a dot. Throws what the file system throws (ENOENT for a path that does not exist).
 */
export async function readRuleFiles(paths: readonly string[]): Promise<RuleFile[]> {
  const found = new Set<string>()
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) for (const file of await filesBelow(path)) found.add(file)
    else found.add(path)
  }
  return Promise.all([...found].map(async path => ({ path, text: await readFile(path, 'utf8') })))
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => entry.isFile() && extensions.has(extname(entry.name)) && !reserved.has(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(
      path =>
        !path
          .slice(folder.length)
          .split(/[/\\]/)
          .some(part => part.startsWith('.')),
    )
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}
