// The engine as `detect` runs it: prose included, because alerts are part of the cost.
import { explain } from '../src/alerts/explain.ts'
import { fillRunbook } from '../src/alerts/runbook.ts'
import type { EngineOptions } from '../src/detect/engine.ts'

/** Options without suppressions. */
export function engineOptionsForBench(): EngineOptions {
  return { describe: (draft, rule) => ({ explanation: explain(draft, rule), runbook: fillRunbook(draft, rule) }) }
}
