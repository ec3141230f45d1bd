// The documents of a rule set before they are compiled: what each says of itself, checked against the others. Pure.
import type { Directory, Fed } from './directory.ts'
import type { Extension } from './extension.ts'
import type { Metadata } from './metadata.ts'
import type { Section } from './section.ts'

/** One document. `metadata` is null when it has no usable identity, `text` its canonical content. */
export interface Head {
  readonly rule: Section
  readonly metadata: Metadata | null
  readonly extension: Extension
  readonly text: string
}

/** Reports documents that are neither a detection nor a correlation rule, or both. */
export function checkKinds(heads: readonly Head[]): void {
  for (const { rule } of heads) {
    const kinds = ['detection', 'correlation'].filter(key => rule.value(key) !== undefined)
    if (rule.value('filter') !== undefined) {
      rule.problems.add(
        rule.at('filter'),
        'Sigma filters are not supported',
        'Write the exclusion into the rule, or use a suppression',
      )
    } else if (rule.value('action') !== undefined && kinds.length === 0) {
      rule.problems.add(
        rule.at('action'),
        "'action' was removed from Sigma",
        'Repeat the shared keys in every document',
      )
    } else if (kinds.length === 0) rule.missing('detection', "Add 'detection:' or 'correlation:'")
    else if (kinds.length === 2) {
      rule.problems.add(
        rule.at('correlation'),
        "a document has either 'detection' or 'correlation'",
        "Separate them with '---'",
      )
    }
  }
}

/** Reports names and ids that another document has already. */
export function checkDuplicates(heads: readonly Head[]): void {
  const seen = new Map<string, { readonly head: Head; readonly where: string }>()
  for (const head of heads) {
    for (const { text, at } of head.metadata?.handles ?? []) {
      const before = seen.get(text)
      if (before === undefined) seen.set(text, { head, where: `${at.path}:${at.line}` })
      else if (before.head !== head) {
        head.rule.problems.add(
          at,
          `'${text}' already names the rule at ${before.where}`,
          'Give each rule its own name and id',
        )
      }
    }
  }
}

/** Everything a correlation can name. `fed` stands in the order of `detections`. */
export function directoryOf(heads: readonly Head[], fed: readonly Fed[], detections: readonly Head[]): Directory {
  const found = new Map<string, Fed | 'correlation'>()
  for (const head of heads) {
    const what = fed[detections.indexOf(head)] ?? 'correlation'
    for (const { text } of head.metadata?.handles ?? []) if (!found.has(text)) found.set(text, what)
  }
  const handles = [...found].filter(([, what]) => what !== 'correlation').map(([handle]) => handle)
  return { find: handle => found.get(handle), handles }
}
