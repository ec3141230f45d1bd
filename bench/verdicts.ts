// The targets of the bench and whether they are met: one line each, collected while rows run and printed together. A
// target that is missed says by how much; docs/benchmarks.md says why.
import { say } from './report.ts'

interface Verdict {
  readonly row: string
  readonly what: string
  readonly value: number
  readonly target: number
  readonly atMost: boolean
  readonly unit: string
  readonly note: string
}

const verdicts: Verdict[] = []

/** What a target is about. */
export interface Measured {
  readonly row: string
  readonly what: string
  readonly value: number
  readonly unit?: string
  /** Why the value cannot be held to its target, such as a run that is too small; it is then printed without a verdict. */
  readonly note?: string
}

/** Holds a value to the most it may be. */
export function atMost(target: number, { unit = '', note = '', ...of }: Measured): void {
  verdicts.push({ ...of, unit, note, target, atMost: true })
}

/** Holds a value to the least it may be. */
export function atLeast(target: number, { unit = '', note = '', ...of }: Measured): void {
  verdicts.push({ ...of, unit, note, target, atMost: false })
}

/** How far a value is beyond its target, in percent of the target; 0 where it is met. */
function missedBy({ value, target, atMost: isMost }: Verdict): number {
  const beyond = isMost ? value - target : target - value
  return Number.isFinite(value) ? Math.max(0, (beyond / target) * 100) : Infinity
}

function outcome(verdict: Verdict): string {
  if (verdict.note !== '') return `not judged: ${verdict.note}`
  const missed = missedBy(verdict)
  return missed === 0 ? 'met' : `MISSED by ${missed.toFixed(missed < 10 ? 1 : 0)} %`
}

const shown = (value: number, unit: string) =>
  `${value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toFixed(2)))}${unit}`

/** Prints the table of all targets so far. */
export function printVerdicts(): void {
  say(`\n${'row'.padEnd(11)}${'target'.padEnd(58)}${'is to be'.padStart(14)}${'measured'.padStart(14)}  verdict`)
  for (const verdict of verdicts) {
    const { row, what, value, target, unit } = verdict
    say(
      row.padEnd(11) +
        what.padEnd(58) +
        `${verdict.atMost ? '≤' : '≥'} ${shown(target, unit)}`.padStart(14) +
        `${shown(value, unit).padStart(14)}  ${outcome(verdict)}`,
    )
  }
}
