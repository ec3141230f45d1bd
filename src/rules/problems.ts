// What is wrong with a rule file, and where: the one shape every step of the Sigma loader reports in.
// Pure. A loader step never throws and never stops at the first finding; all findings of all files come out together.

/** A place in a rule file; line and column count from 1. What stands in no file has line 0, and `path` says what it is. */
export interface Place {
  readonly path: string
  readonly line: number
  readonly column: number
}

/** One finding. `message` says what is wrong, `hint` what to write instead. */
export interface RuleError extends Place {
  readonly message: string
  readonly hint: string
}

/** Collects findings. */
export class Problems {
  readonly errors: RuleError[] = []

  add(at: Place, message: string, hint: string): void {
    this.errors.push({ path: at.path, line: at.line, column: at.column, message, hint })
  }
}

/** `rules/a.yml:12:5: what is wrong. What to write.` */
export function formatRuleError(error: RuleError): string {
  const end = error.hint.startsWith('Did you mean') ? '?' : '.'
  const place = error.line === 0 ? error.path : `${error.path}:${error.line}:${error.column}`
  return `${place}: ${error.message}. ${error.hint}${end}`
}

/** The candidate that is most likely meant by a misspelt word: at most a third of its letters differ; null if none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const lower = word.toLowerCase().slice(0, 80)
  let best: string | null = null
  let bestDistance = Math.floor(lower.length / 3) + 1
  for (const candidate of candidates) {
    const distance = editDistance(lower, candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** A hint without its final mark: `Did you mean 'x'`, or the list of what is allowed. */
export function didYouMean(word: string, allowed: readonly string[]): string {
  const near = nearest(word, allowed)
  return near === null ? `Write one of: ${allowed.join(', ')}` : `Did you mean '${near}'`
}

// Optimal string alignment: two swapped letters are one slip. Words here are short, and this runs for errors only.
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : Infinity
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitute, swap))
    }
    before = previous
    previous = row
  }
  return previous[b.length] ?? 0
}
