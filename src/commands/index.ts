// The verbs, in the order of `trailwarden help`.
import { check } from './check.ts'
import type { Command } from './command.ts'
import { demo } from './demo.ts'
import { detect } from './detect.ts'
import { explain } from './explain.ts'
import { normalize } from './normalize.ts'
import { replay } from './replay.ts'
import { tail } from './tail.ts'
import { test } from './test.ts'
import { topics } from './topics.ts'

export const commands: readonly Command[] = [normalize, detect, replay, test, check, explain, tail, topics, demo]
