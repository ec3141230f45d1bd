// Results of rule tests as text for a terminal or a CI log: failures with expected and got, then one line of totals. Pure.
import type { RuleTestResult } from './rule-test-run.ts'

/** Text with one block per failed test, and with `all` one line per passed test; ends without a newline. */
export function formatRuleTests(results: readonly RuleTestResult[], all = false): string {
  const lines: string[] = []
  for (const { test, differences } of results) {
    if (differences.length === 0) {
      if (all) lines.push(`ok    ${test.ruleId}: ${test.name}`)
      continue
    }
    lines.push(`FAIL  ${test.ruleId}: ${test.name}`, `      ${test.at.path}:${test.at.line}`)
    for (const { where, expected, got } of differences) {
      lines.push(`      ${where}`, `        expected  ${expected}`, `        got       ${got}`)
    }
  }
  const failed = results.filter(result => result.differences.length > 0).length
  const rules = new Set(results.map(result => result.test.ruleId)).size
  lines.push(`${results.length - failed} of ${results.length} tests passed, ${rules} ${rules === 1 ? 'rule' : 'rules'}`)
  return lines.join('\n')
}
