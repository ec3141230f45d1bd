// Files as input of a verb: reading with the configured limits, notes on stderr, and the counts that reconcile.
// Shared by `normalize` and `replay`; the reading itself is sources/file-source.ts.
import { stdin } from 'node:process'
import { twError } from '../errors.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { NormalizeOptions } from '../normalize/raw-value.ts'
import { Normalizing, total } from '../pipeline/normalize-batch.ts'
import { chunkLimitsOf, fileEnvelopeLimits } from '../sources/file-chunks.ts'
import { UnreadablePathError } from '../sources/file-paths.ts'
import { readFiles } from '../sources/file-source.ts'
import type { Output } from './command.ts'

/** What a run over files saw. */
export interface FilesSummary {
  readonly files: number
  readonly bytes: number
  readonly normalizing: Normalizing
}

/** Options of {@link normalizeFiles}. */
export interface FilesOptions {
  readonly paths: readonly string[]
  readonly normalize: NormalizeOptions
  readonly err: Output
  readonly stop: AbortSignal
  /** Takes every event, in the order of the input. */
  readonly take: (event: CloudTrailEvent) => void
  /** Called after each piece of at most a few MiB; its promise holds the reading back. */
  readonly after?: (progress: { readonly files: number; readonly bytes: number }) => Promise<void> | void
}

/**
 * Reads paths, normalizes, and hands the events on. Ends early, with what was seen, when `stop` is aborted.
 * @throws TW_INPUT_MISSING naming a path that is not there or cannot be read
 */
export async function normalizeFiles(options: FilesOptions): Promise<FilesSummary> {
  const { err } = options
  const limits = options.normalize.limits
  const normalizing = new Normalizing({ ...options.normalize, limits: fileEnvelopeLimits(limits) }, event => {
    options.take(event)
    return null
  })
  let files = 0
  let bytes = 0
  let current: string | null = null
  const note = (path: string, why: string) => void err.write(`skipped ${path}: ${why}\n`)
  try {
    for await (const item of readFiles(options.paths, { ...chunkLimitsOf(limits), note, stdin })) {
      if (item.path !== current) {
        files++
        current = item.path
      }
      if ('rejected' in item) {
        normalizing.unreadable(item.rejected)
        void err.write(`rejected ${item.path}: ${item.rejected.rejected}: ${item.rejected.detail}\n`)
      } else {
        bytes += item.bytes.length
        const refusal = normalizing.value(item.bytes)
        if (refusal !== null) {
          const more = refusal.count > 1 ? ` (and ${refusal.count - 1} more)` : ''
          void err.write(`rejected in ${item.path}: ${refusal.first.rejected}: ${refusal.first.detail}${more}\n`)
        }
      }
      await options.after?.({ files, bytes })
      if (options.stop.aborted) break
    }
  } catch (error) {
    if (error instanceof UnreadablePathError) throw twError('TW_INPUT_MISSING', `Cannot read ${error.message}.`, error)
    throw error
  }
  return { files, bytes, normalizing }
}

/** `2900 events from 55 files; 0 skipped, 0 rejected`, with the reasons where there are any. */
export function summaryLine(summary: FilesSummary): string {
  const { counts } = summary.normalizing
  const reasons = (map: ReadonlyMap<string, number>) =>
    map.size === 0 ? '' : ` (${[...map].map(([name, count]) => `${name} ${count}`).join(', ')})`
  return (
    `${counts.events} events from ${summary.files} ${summary.files === 1 ? 'file' : 'files'}; ` +
    `${total(counts.skipped)} skipped${reasons(counts.skipped)}, ` +
    `${total(counts.rejected)} rejected${reasons(counts.rejected)}`
  )
}
