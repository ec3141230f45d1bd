// Where `replay` and `explain` take events from: files and folders in any envelope, or a topic of normalized events.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { CommandContext } from './command.ts'
import { normalizeFiles, summaryLine } from './files.ts'
import { normalizeOptionsFrom } from './settings.ts'
import { isTopicArgument, readTopicEvents } from './topic-events.ts'

/**
 * Feeds every event of the input to `take`, in the order of the input; `after` follows each piece and holds the reading
 * back. Returns the line that says what was read. @throws TW_INPUT_MISSING for what is neither a path nor a topic
 */
export async function readEvents(
  context: CommandContext,
  paths: readonly string[],
  take: (event: CloudTrailEvent) => void,
  after?: () => Promise<void> | void,
): Promise<string> {
  const { config, err, stop } = context
  if (await isTopicArgument(paths)) return readTopicEvents(context, paths[0]!, take, after)
  const normalize = normalizeOptionsFrom(config)
  return summaryLine(await normalizeFiles({ paths, normalize, err, stop, take, ...(after ? { after } : {}) }))
}
