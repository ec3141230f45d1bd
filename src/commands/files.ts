// Files as input of a verb: reading with the configured limits, notes on stderr, and the counts that reconcile.
// Shared by `normalize` and `replay`; the reading itself is sources/file-source.ts.
import { stdin } from 'node:process'
import { twError } from '../errors.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { NormalizeOptions } from '../normalize/raw-value.ts'
import { Normalizing, total } from '../pipeline/normalize-batch.ts'
import { SiftingReader } from '../pipeline/sift.ts'
import type { Sift } from '../pipeline/sift.ts'
import { chunkLimitsOf, fileEnvelopeLimits } from '../sources/file-chunks.ts'
import { UnreadablePathError } from '../sources/file-paths.ts'
import { readFiles } from '../sources/file-source.ts'
import type { Output } from './command.ts'

/** What a run over files saw. */
export interface FilesSummary {
  readonly files: number
  readonly normalizing: Normalizing
}

/** Options of {@link normalizeFiles}. */
export interface FilesOptions {
  readonly paths: readonly string[]
  readonly normalize: NormalizeOptions
  readonly err: Output
  readonly stop: AbortSignal
  /** Takes every event, in the order of the input; those that were sifted with their bytes, which are overwritten afterwards. */
  readonly take: (event: CloudTrailEvent, bytes: Buffer | null) => void
  /** Events that `take` need not see, where records allow to tell without reading them whole. */
  readonly sift?: Sift
  /**
   * Called after each piece of at most a few MiB, with the bytes read so far, as they are stored, and the events in them;
   * its promise holds the reading back.
   */
  readonly after?: (bytes: number, events: number) => Promise<void> | void
}

/**
 * Reads paths, normalizes, and hands the events on. Ends early, with what was seen, when `stop` is aborted.
 * @throws TW_INPUT_MISSING naming a path that is not there or cannot be read
 */
export async function normalizeFiles(options: FilesOptions): Promise<FilesSummary> {
  const { err } = options
  const limits = options.normalize.limits
  const normalize = { ...options.normalize, limits: fileEnvelopeLimits(limits) }
  const sifting = options.sift === undefined ? null : new SiftingReader(normalize, options.sift)
  const normalizing = new Normalizing(
    normalize,
    event => {
      options.take(event, null)
      return null
    },
    value => sifting?.read(value, options.take) ?? null,
  )
  let files = 0
  let bytes = 0
  let current: string | null = null
  const note = (path: string, why: string) => void err.write(`skipped ${path}: ${why}\n`)
  try {
    const read = (count: number) => void (bytes += count)
    const items = readFiles(options.paths, { ...chunkLimitsOf(limits), note, stdin, read })
    for await (const item of until(options.stop, items)) {
      if (item.path !== current) {
        files++
        current = item.path
      }
      if ('rejected' in item) {
        normalizing.unreadable(item.rejected)
        void err.write(`rejected ${item.path}: ${item.rejected.rejected}: ${item.rejected.detail}\n`)
      } else {
        const refusal = normalizing.value(item.bytes)
        if (refusal !== null) {
          const more = refusal.count > 1 ? ` (and ${refusal.count - 1} more)` : ''
          void err.write(`rejected in ${item.path}: ${refusal.first.rejected}: ${refusal.first.detail}${more}\n`)
        }
      }
      await options.after?.(bytes, normalizing.counts.events)
    }
  } catch (error) {
    if (error instanceof UnreadablePathError) throw twError('TW_INPUT_MISSING', `Cannot read ${error.message}.`, error)
    throw error
  }
  return { files, normalizing }
}

/** The items until the signal; one that is waited for is given up, because standard input can be silent for hours. */
async function* until<T>(stop: AbortSignal, items: AsyncGenerator<T>): AsyncGenerator<T> {
  while (!stop.aborted) {
    const next = await new Promise<IteratorResult<T> | null>((resolve, reject) => {
      const stopped = () => resolve(null)
      stop.addEventListener('abort', stopped, { once: true })
      const settled = () => stop.removeEventListener('abort', stopped)
      items.next().then(resolve, reject).finally(settled)
    })
    if (next === null) break
    if (next.done === true) return
    yield next.value
  }
  items.return(undefined).catch(() => undefined)
}

/** `2900 events from 55 files; 0 skipped, 0 rejected`, with the reasons where there are any. */
export function summaryLine(summary: FilesSummary): string {
  const { counts } = summary.normalizing
  return (
    `${counts.events} events from ${summary.files} ${summary.files === 1 ? 'file' : 'files'}; ` +
    `${total(counts.skipped)} skipped${reasons([...counts.skipped])}, ` +
    `${total(counts.rejected)} rejected${reasons([...counts.rejected])}`
  )
}

/** ` (empty 2, not-json 1)`, or nothing. */
export function reasons(counts: readonly (readonly [reason: string, count: number])[]): string {
  return counts.length === 0 ? '' : ` (${counts.map(([name, count]) => `${name} ${count}`).join(', ')})`
}
