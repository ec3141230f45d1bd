// Where `replay` and `explain` take events from: files and folders in any envelope, or a topic of normalized events.
// Events come in the order of the input; a stop ends the reading, and what was read is told either way.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { CommandContext } from './command.ts'
import type { Sift } from '../pipeline/sift.ts'
import { bytesOf } from '../sources/file-paths.ts'
import { normalizeFiles, summaryLine } from './files.ts'
import { normalizeOptionsFrom } from './settings.ts'
import { isTopicArgument } from './topic-argument.ts'

/** What becomes of the events, and who is told how it goes. */
export interface EventsReading {
  /**
   * Takes every event, in the order of the input, with the timestamp of its Kafka record (null for files) and with its bytes
   * where it was sifted; these are overwritten afterwards.
   */
  readonly take: (event: CloudTrailEvent, timestamp: number | null, bytes: Buffer | null) => void
  /** Events that `take` need not see; of files only, and only where fast paths are on. */
  readonly sift?: Sift
  /** Called after each piece with what has been read so far; its promise holds the reading back. */
  readonly after?: (reached: ReadingState) => Promise<void> | void
  /** Told once how much there is to read, in the same unit, where that is known. */
  readonly total?: (total: number) => void
  /** Events before this time are of no use: of a topic, records that cannot hold later ones are not read. */
  readonly from?: number | null
}

/** How far a reading is: bytes of files as they are stored, records of a topic. */
export interface ReadingState {
  readonly done: number
  readonly unit: 'bytes' | 'records'
  readonly events: number
}

/** What was read. */
export interface EventsRead {
  readonly kind: 'files' | 'topic'
  /** 0 for a topic. */
  readonly files: number
  readonly events: number
  /** By kind and by reason, see src/rejected.ts. */
  readonly skipped: Readonly<Record<string, number>>
  readonly rejected: Readonly<Record<string, number>>
  /** All of it as a sentence. */
  readonly line: string
}

/**
 * Feeds every event of the input to `take`. Ends early, with what was read, when the context is stopped.
 * @throws TW_INPUT_MISSING for what is neither a path nor a topic
 */
export async function readEvents(
  context: CommandContext,
  paths: readonly string[],
  reading: EventsReading,
): Promise<EventsRead> {
  const { config, err, stop } = context
  if (await isTopicArgument(paths)) {
    const { readTopicEvents } = await import('./topic-events.ts')
    return readTopicEvents(context, paths[0]!, reading)
  }
  const { take, after, total, sift } = reading
  // Walks the folders beside the reading; a path that cannot be read is told by that.
  if (total !== undefined)
    bytesOf(paths).then(
      bytes => void (bytes !== null && total(bytes)),
      () => undefined,
    )
  const summary = await normalizeFiles({
    paths,
    normalize: normalizeOptionsFrom(config),
    err,
    stop,
    take: (event, bytes) => take(event, null, bytes),
    ...(sift && config.FAST_PATHS ? { sift } : {}),
    ...(after ? { after: (done, events) => after({ done, unit: 'bytes', events }) } : {}),
  })
  const { counts } = summary.normalizing
  return {
    kind: 'files',
    files: summary.files,
    events: counts.events,
    skipped: Object.fromEntries(counts.skipped),
    rejected: Object.fromEntries(counts.rejected),
    line: summaryLine(summary),
  }
}
