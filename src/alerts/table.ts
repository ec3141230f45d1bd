// Alert table: alerts as aligned text for a terminal, for `tail` and `replay`.
// Pure. Fits the width it is given, measures East Asian and combining characters as terminals draw them, and shows
// control characters instead of obeying them (wording.ts).
import type { Alert } from './alert.ts'
import { plainText, wholeNumber, utc } from './wording.ts'

interface Column {
  readonly title: string
  readonly cell: (alert: Alert) => string
  /** Cells it may take at most; the summary takes what is left. */
  readonly most: number
  /** Cells it may be cut to on a narrow terminal. */
  readonly least?: number
  readonly right?: boolean
}

const columns: readonly Column[] = [
  { title: 'TIME (UTC)', cell: alert => utc(alert.lastSeen).slice(0, 19), most: 19 },
  { title: 'SEVERITY', cell: alert => alert.severity, most: 13 },
  { title: 'RULE', cell: alert => alert.ruleId, most: 30, least: 14 },
  { title: 'PRINCIPAL', cell: alert => alert.principal.name || alert.principal.key, most: 32, least: 12 },
  { title: 'COUNT', cell: alert => wholeNumber(alert.count), most: 9, right: true },
]

const gap = '  '

/** A summary narrower than this says nothing; it is left out. */
const leastSummary = 8
const combining = /^[\p{Mn}\p{Me}]$/u

// East Asian Wide and Fullwidth (Unicode UAX 11) and emoji, by block, first and last: terminals give them two cells.
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
]

function cellsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0
  // The first combining mark is U+0300, the first wide block comes later.
  if (code < 0x300) return 1
  if (wide.some(([first, last]) => code >= first && code <= last)) return 2
  return combining.test(character) ? 0 : 1
}

/** Terminal cells that the text takes. */
export function cellWidth(text: string): number {
  let cells = 0
  for (const character of text) cells += cellsOf(character)
  return cells
}

/** The text in at most `cells` terminal cells; a longer one ends in `…`. */
function fitted(text: string, cells: number): string {
  if (cellWidth(text) <= cells) return text
  let result = ''
  let used = 1
  for (const character of text) {
    used += cellsOf(character)
    if (used > cells) break
    result += character
  }
  return `${result}…`
}

function padded(text: string, cells: number, right = false): string {
  const space = ' '.repeat(Math.max(0, cells - cellWidth(text)))
  return right ? space + text : text + space
}

/** What the row adds to the columns: state of the episode, then the title. */
function summary(alert: Alert): string {
  const marks = [
    alert.activity === 'UPDATE' ? `update ${alert.sequence}` : '',
    alert.mergedInto === null ? '' : 'merged',
    alert.suppressed === null ? '' : `suppressed by ${alert.suppressed.id}`,
  ].filter(Boolean)
  return marks.length === 0 ? alert.ruleTitle : `[${marks.join(', ')}] ${alert.ruleTitle}`
}

function cellsFor(alert: Alert): string[] {
  return [
    ...columns.map(column => fitted(plainText(column.cell(alert), 200), column.most)),
    plainText(summary(alert), 500),
  ]
}

const titles: readonly string[] = [...columns.map(({ title }) => title), 'SUMMARY']
/** Cells that the columns and their gaps take. */
function taken(widths: readonly number[]): number {
  return widths.reduce((sum, cells) => sum + cells + gap.length, 0)
}

/** Column widths for a terminal: until a summary of twenty cells fits, the column with most to spare gives a cell. */
function narrowed(widths: readonly number[], width: number): readonly number[] {
  const result = [...widths]
  const spare = (i: number): number => (result[i] ?? 0) - (columns[i]?.least ?? Infinity)
  for (let excess = taken(result) + 20 - width; excess > 0; excess--) {
    const widest = columns.reduce((best, _, i) => (spare(i) > spare(best) ? i : best), 0)
    if (spare(widest) <= 0) break
    result[widest] = (result[widest] ?? 0) - 1
  }
  return result
}

/** One line: every column at its width, the summary in what `width` leaves. */
function line(cells: readonly string[], widths: readonly number[], width: number): string {
  const left = width - taken(widths)
  const text = widths.map((size, i) => padded(fitted(cells[i] ?? '', size), size, columns[i]?.right)).join(gap)
  const last = left < leastSummary ? '' : gap + fitted(cells[widths.length] ?? '', left)
  return `${(text + last).trimEnd()}\n`
}

function fullWidths(width: number): readonly number[] {
  return narrowed(
    columns.map(({ most }) => most),
    width,
  )
}

/** The heading of a table whose rows are not known yet: every column at its full width. See {@link alertRow}. */
export function alertHeading(width: number): string {
  return line(titles, fullWidths(width), width)
}

/** One row under {@link alertHeading}, for alerts that arrive one by one. */
export function alertRow(alert: Alert, width: number): string {
  return line(cellsFor(alert), fullWidths(width), width)
}
