// Rule files in, a rule set or every error of every file out. Pure: reading folders is src/commands/rule-files.ts.
// All or nothing: one bad rule fails the set, because half a rule set looks exactly like a quiet day.
import { cloudTrailFields, fieldReader } from './cloudtrail-fields.ts'
import { canonical, contentHash } from './content-hash.ts'
import { readCorrelation } from './correlation.ts'
import { compileDetection } from './detection-rule.ts'
import { buildDispatch } from './dispatch.ts'
import type { Compiled } from './dispatch.ts'
import { parseDocuments } from './document.ts'
import { extensionDefaults, readExtension } from './extension.ts'
import { checkDuplicates, checkKinds, directoryOf } from './heads.ts'
import type { Head } from './heads.ts'
import { readMetadata } from './metadata.ts'
import { notingFields } from './fields-read.ts'
import { Problems } from './problems.ts'
import type { RuleError } from './problems.ts'
import type { Rule, RuleSet } from './rule.ts'
import { applyChanges } from './rule-change.ts'
import { readRuleTest } from './rule-test.ts'
import type { RuleTest } from './rule-test.ts'
import { Section } from './section.ts'

/** A rule file: its path as messages show it, and its text. */
export interface RuleFile {
  readonly path: string
  readonly text: string
}

/** The rule set with the tests of its files, or every error. */
export type LoadedRules =
  { readonly rules: RuleSet; readonly tests: readonly RuleTest[] } | { readonly errors: readonly RuleError[] }

/**
 * Loads Sigma detection and correlation rules. The order of `files` is the order of the rules; it decides nothing else.
 * `changes` (`<rule>.<parameter>=<value>`) replace parameters as if the files said so. Returns the rule set, or all errors ordered by file, line and
 * column, those of changes last.
 */
export function loadRules(files: readonly RuleFile[], changes: readonly string[] = []): LoadedRules {
  const problems = new Problems()
  const { resolve, read } = notingFields(cloudTrailFields())
  const documents = files.flatMap(file => parseDocuments(file.path, file.text, problems))
  const heads: Head[] = applyChanges(documents, changes, problems).map(map => {
    const rule = new Section(map, 'the rule', problems)
    return { rule, metadata: readMetadata(rule), extension: readExtension(rule, resolve), text: canonical(map) }
  })
  checkKinds(heads)
  checkDuplicates(heads)

  const detections = heads.filter(head => head.rule.value('detection') !== undefined)
  const tests = detections.map(head => compileDetection(head.rule, resolve))
  const directory = directoryOf(
    heads,
    detections.map((head, index) => ({ index, ruleId: head.metadata?.ruleId ?? '', test: tests[index]?.test ?? null })),
    detections,
  )
  const correlations = heads
    .filter(head => head.rule.value('correlation') !== undefined)
    .map(head => ({ head, correlation: readCorrelation(head.rule, head.extension, directory, resolve) }))
  const ruleTests = heads.flatMap(({ metadata, extension }) =>
    extension.tests.map(map => readRuleTest(map, metadata?.ruleId ?? '', problems)),
  )
  if (problems.errors.length > 0) return { errors: sorted(files, problems.errors) }

  const compiled: Compiled[] = detections.map((head, index) => {
    const test = tests[index]
    if (test == null || head.metadata === null) throw new Error('a rule that failed to compile was not reported')
    return { ruleId: head.metadata.ruleId, test }
  })
  const serving = new Set(
    correlations.flatMap(({ correlation }) => (correlation?.generate === false ? correlation.serves : [])),
  )
  const generated = new Set(
    correlations.flatMap(({ correlation }) => (correlation?.generate === true ? correlation.serves : [])),
  )
  const rules: Rule[] = []
  for (const head of heads) {
    const index = detections.indexOf(head)
    if (index >= 0) {
      if (serving.has(index) && !generated.has(index)) continue
      rules.push(ruleOf(head, [head.text], { body: { kind: 'single' }, feeds: [index], groupBy: [] }, resolve))
      continue
    }
    const correlation = correlations.find(candidate => candidate.head === head)?.correlation
    if (correlation == null) throw new Error('a correlation that failed to compile was not reported')
    const texts = [head.text, ...correlation.serves.map(served => detections[served]?.text ?? '')]
    rules.push(ruleOf(head, texts, correlation, resolve))
  }
  return {
    rules: {
      rules,
      ...buildDispatch(compiled),
      latenessMs:
        heads.length === 0 ? extensionDefaults.latenessMs : Math.max(...heads.map(head => head.extension.latenessMs)),
      version: contentHash(heads.map(head => head.text)),
      fields: read(),
    },
    tests: ruleTests.filter(test => test !== null),
  }
}

function ruleOf(
  head: Head,
  texts: readonly string[],
  what: Pick<Rule, 'body' | 'feeds' | 'groupBy'>,
  resolve: ReturnType<typeof cloudTrailFields>,
): Rule {
  const { metadata, extension, rule } = head
  if (metadata === null) throw new Error('a rule without identity was not reported')
  const { ruleId, handles: _handles, ...described } = metadata
  const shown = rule.texts('fields').flatMap(({ source }) => {
    const access = resolve(source)
    return 'problem' in access ? [] : [fieldReader(access)]
  })
  return {
    id: ruleId,
    ...described,
    version: contentHash(texts),
    body: what.body,
    feeds: what.feeds,
    groupBy: what.groupBy,
    dedupMs: extension.dedupMs,
    maxEpisodeMs: extension.maxEpisodeMs,
    runbook: extension.runbook,
    // Sigma's own `fields` are what an analyst wants to see; the extension overrides them.
    summaryFields: extension.summaryFields.length > 0 ? extension.summaryFields : shown,
  }
}

function sorted(files: readonly RuleFile[], errors: readonly RuleError[]): readonly RuleError[] {
  const order = new Map(files.map((file, index) => [file.path, index]))
  const orderOf = ({ path }: RuleError) => order.get(path) ?? files.length
  return [...errors].sort((a, b) => orderOf(a) - orderOf(b) || a.line - b.line || a.column - b.column)
}
