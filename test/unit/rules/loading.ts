// Short ways to load rules in tests: one detection rule from its `detection` block, or the errors of a text.
import assert from 'node:assert/strict'
import { loadRules } from '../../../src/rules/load.ts'
import type { RuleFile } from '../../../src/rules/load.ts'
import { formatRuleError } from '../../../src/rules/problems.ts'
import type { RuleSet } from '../../../src/rules/rule.ts'
import type { RuleTest } from '../../../src/rules/rule-test.ts'
import type { CloudTrailEvent } from '../../../src/normalize/event.ts'

function files(texts: readonly string[]): RuleFile[] {
  return texts.map((text, index) => ({ path: texts.length === 1 ? 'rule.yml' : `rule-${index}.yml`, text }))
}

/** The rule set and the tests of texts that must load. */
export function load(...texts: string[]): { readonly rules: RuleSet; readonly tests: readonly RuleTest[] } {
  const result = loadRules(files(texts))
  assert.ok('rules' in result, 'errors' in result ? result.errors.map(formatRuleError).join('\n') : '')
  return result
}

/** The formatted errors of texts that must not load. */
export function errorsOf(...texts: string[]): string[] {
  const result = loadRules(files(texts))
  assert.ok('errors' in result, 'the rules loaded although they should not')
  assert.ok(result.errors.length > 0)
  return result.errors.map(formatRuleError)
}

/** A detection rule with the given `detection` block, indented by two. */
export function detection(block: string, name = 'probe'): string {
  const indented = block
    .trim()
    .split('\n')
    .map(line => `  ${line}`)
    .join('\n')
  return `title: Probe
name: ${name}
logsource: {product: aws, service: cloudtrail}
detection:
${indented}
`
}

/** The predicate of one selection: `selects("userAgent|contains: x")`. */
export function selects(selection: string, condition = 'selection'): (event: CloudTrailEvent) => boolean {
  const lines = selection.trim().split('\n')
  const { rules } = load(detection(`selection:\n${lines.map(line => `  ${line}`).join('\n')}\ncondition: ${condition}`))
  return event => rules.match(event).length > 0
}

/** The errors of one selection. */
export function selectionErrors(selection: string): string[] {
  const lines = selection.split('\n')
  return errorsOf(detection(`selection:\n${lines.map(line => `  ${line}`).join('\n')}\ncondition: selection`))
}
