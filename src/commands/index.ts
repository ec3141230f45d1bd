// The verbs, in the order of `trailwarden help`.
import type { Command } from './command.ts'
import { normalize } from './normalize.ts'
import { topics } from './topics.ts'

export const commands: readonly Command[] = [normalize, topics]
