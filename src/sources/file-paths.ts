// Which files a list of paths means: files as they are, folders recursively in sorted order, `-` for standard input.
// A shell file (it reads folders). The order is the same on every machine, so that replays of a folder are.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A path that the user named and that is not there or cannot be read: his mistake, to be told with the path. */
export class UnreadablePathError extends Error {
  override readonly name = 'UnreadablePathError'
  readonly path: string

  constructor(path: string, why: string) {
    super(`${path}: ${why}`)
    this.path = path
  }
}

/** Told for every file of a folder that is not read, and why. */
export type SkipNote = (path: string, why: string) => void

// What CloudTrail (.json.gz), shippers and `jq -c` write. Content decides how a file is read; the name only whether,
// because a folder also holds checksums, archives and pictures, while a bucket copy without extensions is rare.
const readable = /\.(json|jsonl|ndjson|log|gz)$/i

/**
 * The files that the paths mean, in order. A file named by the user is taken whatever its name is; within folders names
 * decide, and what is left out is noted.
 *
 * @throws UnreadablePathError before the first file, if any named path does not exist.
 */
export async function* filesOf(paths: readonly string[], note: SkipNote): AsyncGenerator<string> {
  const folders = new Set<string>()
  for (const path of paths) {
    if (path !== '-' && (await isFolder(path))) folders.add(path)
  }
  for (const path of paths) {
    if (folders.has(path)) yield* filesIn(path, note)
    else yield path
  }
}

/** Bytes of the files that the paths mean, as they are stored; null where standard input is among them. */
export async function bytesOf(paths: readonly string[]): Promise<number | null> {
  if (paths.includes('-')) return null
  let bytes = 0
  for await (const path of filesOf(paths, () => undefined)) bytes += (await stat(path)).size
  return bytes
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw new UnreadablePathError(path, reasonOf(error))
  }
}

async function* filesIn(folder: string, note: SkipNote): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true })
  // By code unit, not by locale.
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.')) note(path, 'hidden')
    else if (entry.isDirectory()) yield* filesIn(path, note)
    else if (!readable.test(entry.name)) note(path, 'not named .json, .jsonl, .ndjson, .log or .gz')
    else if (entry.isFile()) yield path
    // A link to a folder could lead in a circle.
    else if (entry.isSymbolicLink() && (await pointsToFile(path))) yield path
    else note(path, 'not a file')
  }
}

async function pointsToFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/** The words for an error of the file system, without its code and path. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'no such file or folder'
  if (code === 'EACCES') return 'permission denied'
  return message
}
