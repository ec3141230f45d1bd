// The rule set in force and the engine's options, as `detect`, `replay` and `demo` share them.
import { join } from 'node:path'
import { explain } from '../alerts/explain.ts'
import { fillRunbook } from '../alerts/runbook.ts'
import type { EngineOptions } from '../detect/engine.ts'
import { twError } from '../errors.ts'
import { loadRules } from '../rules/load.ts'
import { formatRuleError } from '../rules/problems.ts'
import type { RuleSet } from '../rules/rule.ts'
import { readRuleFiles } from './rule-files.ts'

/** The shipped rules: beside src/ and dist/. */
export const shippedRules = join(import.meta.dirname, '..', '..', 'rules')

/**
 * Loads rule files and folders, the shipped ones where `paths` is empty.
 * @throws TW_RULE_INVALID with every error of every file; TW_INPUT_MISSING for a path that cannot be read
 */
export async function ruleSetFrom(paths: readonly string[]): Promise<RuleSet> {
  let files
  try {
    files = await readRuleFiles(paths.length === 0 ? [shippedRules] : paths)
  } catch (error) {
    throw twError('TW_INPUT_MISSING', `Cannot read the rules: ${error instanceof Error ? error.message : ''}`, error)
  }
  const loaded = loadRules(files)
  if ('errors' in loaded)
    throw twError('TW_RULE_INVALID', `The rules are not valid:\n  ${loaded.errors.map(formatRuleError).join('\n  ')}`)
  if (loaded.rules.predicates.length === 0)
    throw twError('TW_RULE_INVALID', `No rules in ${paths.length === 0 ? shippedRules : paths.join(', ')}.`)
  return loaded.rules
}

/** Paths of the RULES setting. */
export function rulePaths(setting: string | undefined): string[] {
  return (setting ?? '')
    .split(',')
    .map(path => path.trim())
    .filter(path => path !== '')
}

/** What the engine needs besides rules. */
export function engineOptions(): EngineOptions {
  return {
    describe: (draft, rule) => ({ explanation: explain(draft, rule), runbook: fillRunbook(draft, rule) }),
  }
}
