// How correlations find the detection rules they name, by name or id. Pure.
import type { CloudTrailEvent } from '../normalize/event.ts'

/** A detection rule as a correlation sees it. `test` is null when the rule itself has errors. */
export interface Fed {
  readonly index: number
  readonly ruleId: string
  readonly test: ((event: CloudTrailEvent) => boolean) | null
}

/** Finds what a name or id stands for: a detection rule, the word 'correlation', or nothing. */
export interface Directory {
  readonly find: (handle: string) => Fed | 'correlation' | undefined
  readonly handles: readonly string[]
}
