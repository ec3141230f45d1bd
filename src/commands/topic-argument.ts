// Whether the argument of `replay` or `explain` names a topic or files. Apart from the reading of topics, so that whoever
// reads files loads no Kafka client. Shell: looks whether there is such a file.
import { access } from 'node:fs/promises'

// A mistyped file name should be told at once, not looked for on a cluster.
const fileLike = /\.(json|jsonl|ndjson|gz)$/i

/** True when the arguments name a topic: one word that a topic name can be, that no file has or would have. */
export async function isTopicArgument(positionals: readonly string[]): Promise<boolean> {
  const [name] = positionals
  if (positionals.length !== 1 || name === undefined || !/^[A-Za-z0-9._-]{1,249}$/.test(name)) return false
  if (name === '-' || fileLike.test(name)) return false
  return access(name).then(
    () => false,
    () => true,
  )
}
