// The verbs, in the order of `trailwarden help`. A verb is loaded when it is asked for: what the others need, the Kafka
// client above all, would be half of the start of one that needs none of it.
import type { Command } from './command.ts'

/** How each verb is loaded. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  normalize: async () => (await import('./normalize.ts')).normalize,
  detect: async () => (await import('./detect.ts')).detect,
  replay: async () => (await import('./replay.ts')).replay,
  test: async () => (await import('./test.ts')).test,
  check: async () => (await import('./check.ts')).check,
  explain: async () => (await import('./explain.ts')).explain,
  tail: async () => (await import('./tail.ts')).tail,
  topics: async () => (await import('./topics.ts')).topics,
  demo: async () => (await import('./demo.ts')).demo,
}

/** The names of all verbs. */
export const verbs: readonly string[] = Object.keys(loaders)

/** The verb of that name, null where there is none. */
export async function commandNamed(name: string): Promise<Command | null> {
  return Object.hasOwn(loaders, name) ? loaders[name]!() : null
}

/** All verbs. */
export function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(loaders).map(load => load()))
}
