// `trailwarden test`: runs the tests inside rule files, through the same normalizer and engine that the pipeline runs.
// One line per rule, every failure with what was expected and what came; exit 1 on failures, 2 where a rule does not load.
import { jsonLine } from '../json-line.ts'
import type { RuleSet } from '../rules/rule.ts'
import { formatRuleTests } from '../rules/rule-test-report.ts'
import { runRuleTests } from '../rules/rule-test-run.ts'
import type { RuleTestResult } from '../rules/rule-test-run.ts'
import type { Command } from './command.ts'
import { rulePaths, rulesAndTestsFrom } from './rule-set.ts'

export const test: Command = {
  name: 'test',
  usage: '[rules…]',
  summary: 'Run the tests inside rule files.',
  details:
    'Takes rule files and folders; without any, those of the RULES setting or the shipped ones. Each test starts from\n' +
    'nothing, goes through the normalizer and the engine, and is compared with the alerts or matches that it expects.',
  examples: [
    'trailwarden test',
    'trailwarden test rules/ my-rules/leaver.yml',
    "trailwarden test --json rules/ | jq 'select(.passed == false)'",
  ],
  options: { json: { type: 'boolean', doc: 'One JSON line per test, and per rule without tests.' } },
  settings: ['RULES'],
  async run({ positionals, options, config, out }) {
    const { rules, tests } = await rulesAndTestsFrom(positionals.length > 0 ? positionals : rulePaths(config.RULES))
    const results = runRuleTests(rules, tests)
    const untested = untestedOf(rules, results)
    if (options['json'] === true) {
      for (const result of results) await out.write(`${resultJson(result)}\n`)
      for (const ruleId of untested) await out.write(`${jsonLine({ ruleId, test: null, note: 'no tests' })}\n`)
    } else await out.write(`${resultsText(results, untested)}\n`)
    return results.every(passed) ? 0 : 1
  },
}

function passed(result: RuleTestResult): boolean {
  return result.differences.length === 0
}

/** Rules that alert and have no test of their own. Rules that only feed others are tested where they are used. */
function untestedOf(rules: RuleSet, results: readonly RuleTestResult[]): readonly string[] {
  const tested = new Set(results.map(result => result.test.ruleId))
  return rules.rules.map(rule => rule.id).filter(id => !tested.has(id))
}

function resultsText(results: readonly RuleTestResult[], untested: readonly string[]): string {
  const byRule = Map.groupBy(results, result => result.test.ruleId)
  const width = Math.max(0, ...[...byRule.keys(), ...untested].map(id => id.length))
  const count = (n: number) => `${String(n).padStart(3)} ${n === 1 ? 'test' : 'tests'}`
  const lines = [...byRule].map(([ruleId, own]) => {
    const failed = own.filter(result => !passed(result)).length
    const row = `${failed === 0 ? 'ok  ' : 'FAIL'}  ${ruleId.padEnd(width)}  ${count(own.length)}`
    return failed === 0 ? row : `${row}, ${failed} failed`
  })
  for (const ruleId of untested) lines.push(`note  ${ruleId.padEnd(width)}   no tests`)
  return `${lines.join('\n')}\n\n${formatRuleTests(results)}`
}

function resultJson({ test: { ruleId, name, at }, differences }: RuleTestResult): string {
  return jsonLine({
    ruleId,
    test: name,
    path: at.path,
    line: at.line,
    passed: differences.length === 0,
    differences,
  })
}
