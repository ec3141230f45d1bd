// An alert as `replay` prints it for people: its row of the alert table, then what there is to know about it, indented.
// `tail` prints the row alone.
// Text for a terminal is wrapped to its width; in a pipe a paragraph stays one line, so that grep shows it whole.
import type { Alert } from '../alerts/alert.ts'
import { alertHeading, alertRow, cellWidth } from '../alerts/table.ts'
import { plainText } from '../alerts/wording.ts'
import type { Output } from './command.ts'

const indent = '  '

/** Cells of a row where no terminal sets them: the columns at their full width, and half a line for the title. */
const pipeWidth = 180

type Page = Pick<Output, 'isTerminal' | 'columns'>

function widthOf(out: Page): number {
  return out.isTerminal ? out.columns : pipeWidth
}

/** The heading above the first {@link alertText}. */
export function alertTextHeading(out: Page): string {
  return alertHeading(widthOf(out))
}

/** The row alone. */
export function alertTextRow(alert: Alert, out: Page): string {
  return alertRow(alert, widthOf(out))
}

/** The row, the explanation, who suppressed it, and the dedup key; ends in an empty line. */
export function alertText(alert: Alert, out: Page): string {
  const paragraph = (text: string) => (out.isTerminal ? wrapped(text, out.columns - indent.length) : [text])
  const { suppressed } = alert
  const lines = [
    ...paragraph(alert.explanation),
    ...(suppressed === null
      ? []
      : paragraph(`Suppressed by ${suppressed.id} (${suppressed.owner}): ${suppressed.reason}`).map(line =>
          plainText(line),
        )),
    alert.dedupKey,
  ]
  return `${alertTextRow(alert, out)}${lines.map(line => `${indent}${line}\n`).join('')}\n`
}

/** Words in lines of at most `width` terminal cells; a longer word has a line of its own. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && cellWidth(line) + 1 + cellWidth(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
