// The rule set in force, its suppressions and the engine's options, as `detect`, `replay`, `demo`, `explain`, `test` and
// `check` share them. Shell: reads files. Nothing is used by halves: one bad file stops the verb before it starts.
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { explain } from '../alerts/explain.ts'
import { fillRunbook } from '../alerts/runbook.ts'
import { loadSuppressions, suppressor } from '../alerts/suppressions.ts'
import type { LoadedSuppressions } from '../alerts/suppressions.ts'
import type { Suppression } from '../alerts/suppression-entry.ts'
import type { Config } from '../config.ts'
import type { EngineOptions } from '../detect/engine.ts'
import { twError } from '../errors.ts'
import { loadRules } from '../rules/load.ts'
import type { LoadedRules } from '../rules/load.ts'
import { formatRuleError } from '../rules/problems.ts'
import type { RuleSet } from '../rules/rule.ts'
import type { RuleTest } from '../rules/rule-test.ts'
import { readRuleFiles } from './rule-files.ts'

/** The shipped rules: beside src/ and dist/. */
const shippedRules = join(import.meta.dirname, '..', '..', 'rules')

/** The shipped suppressions. */
const shippedSuppressions = join(shippedRules, 'suppressions.yaml')

/**
 * Reads rule files and folders, the shipped ones where `paths` is empty; errors in the rules are part of the result.
 * `changes` (`<rule>.<parameter>=<value>`) hold as if the files said so.
 * @throws TW_INPUT_MISSING for a path that cannot be read
 */
export async function readRules(paths: readonly string[], changes: readonly string[] = []): Promise<LoadedRules> {
  try {
    return loadRules(await readRuleFiles(paths.length === 0 ? [shown(shippedRules)] : paths), changes)
  } catch (error) {
    throw twError('TW_INPUT_MISSING', `Cannot read the rules: ${error instanceof Error ? error.message : ''}`, error)
  }
}

/**
 * Like {@link readRules}, for those who need a rule set that works.
 * @throws TW_RULE_INVALID with every error of every file, also where there is no rule at all; TW_INPUT_MISSING
 */
export async function rulesAndTestsFrom(
  paths: readonly string[],
  changes: readonly string[] = [],
): Promise<{ readonly rules: RuleSet; readonly tests: readonly RuleTest[] }> {
  const loaded = await readRules(paths, changes)
  if ('errors' in loaded)
    throw twError('TW_RULE_INVALID', `The rules are not valid:\n  ${loaded.errors.map(formatRuleError).join('\n  ')}`)
  if (loaded.rules.predicates.length === 0)
    throw twError('TW_RULE_INVALID', `No rules in ${paths.length === 0 ? shippedRules : paths.join(', ')}.`)
  return loaded
}

/** The rule set of {@link rulesAndTestsFrom}. */
export async function ruleSetFrom(paths: readonly string[], changes: readonly string[] = []): Promise<RuleSet> {
  return (await rulesAndTestsFrom(paths, changes)).rules
}

/** Paths of the RULES setting. */
export function rulePaths(setting: string | undefined): string[] {
  return (setting ?? '')
    .split(',')
    .map(path => path.trim())
    .filter(path => path !== '')
}

/**
 * Reads the file of the SUPPRESSIONS setting, the shipped one where it is not set; errors in it are part of the result.
 *
 * @param today epoch milliseconds; decides which entries are named as expired.
 * @param ruleIds rules that exist; an entry for another one is then an error.
 * @throws TW_INPUT_MISSING for a file that cannot be read
 */
export async function readSuppressions(
  setting: string | undefined,
  today: number,
  ruleIds?: readonly string[],
): Promise<LoadedSuppressions> {
  const path = setting ?? shown(shippedSuppressions)
  let text
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : ''
    throw twError('TW_INPUT_MISSING', `Cannot read the suppressions: ${reason}`, error)
  }
  return loadSuppressions(text, path, today, ruleIds)
}

/** Rules with everything the engine needs to run them. */
export interface Detection {
  readonly rules: RuleSet
  readonly engine: EngineOptions
  /** Suppressions that are past their date today; they hold for alerts seen before it, as ever. */
  readonly expired: readonly Suppression[]
}

/**
 * What `detect`, `replay`, `demo` and `explain` run: the rules and suppressions that the configuration names. An entry
 * for a rule that is not loaded is no error here, because one file of suppressions serves several rule sets; `check` says so.
 * `changes` are those of {@link readRules}.
 * @throws TW_RULE_INVALID, TW_SUPPRESSIONS_INVALID with every error, TW_INPUT_MISSING
 */
export async function detectionFrom(
  config: Pick<Config, 'RULES' | 'SUPPRESSIONS'>,
  changes: readonly string[] = [],
): Promise<Detection> {
  const rules = await ruleSetFrom(rulePaths(config.RULES), changes)
  const loaded = await readSuppressions(config.SUPPRESSIONS, Date.now())
  if ('errors' in loaded) {
    const lines = loaded.errors.map(formatRuleError).join('\n  ')
    throw twError('TW_SUPPRESSIONS_INVALID', `The suppressions are not valid:\n  ${lines}`)
  }
  return { rules, engine: engineOptions(loaded.suppressions), expired: loaded.expired }
}

/** What the engine needs besides rules. */
export function engineOptions(suppressions: readonly Suppression[] = []): EngineOptions {
  return {
    describe: (draft, rule) => ({ explanation: explain(draft, rule), runbook: fillRunbook(draft, rule) }),
    ...(suppressions.length === 0 ? {} : { suppress: suppressor(suppressions) }),
  }
}

/** A path below the working directory as a person would type it; any other as it is. */
function shown(path: string): string {
  const near = relative(process.cwd(), path)
  return near === '' || near.startsWith('..') ? path : near
}
