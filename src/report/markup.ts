// Markup that cannot be injected into: text becomes markup in one place only, and is escaped and cleaned there.
// Pure. Values of the report come from CloudTrail and are attacker-chosen; a string that reaches the page went through here.
import { plainText } from '../alerts/wording.ts'

/** Longest text of one value, in UTF-16 units; nothing an alert shows is meant to be longer. */
const longest = 4000

/** Finished markup. Only this module makes it, so a string can never be mistaken for it. */
export class Markup {
  readonly #text: string

  constructor(parts: readonly string[], key: symbol) {
    if (key !== maker) throw new TypeError('Markup is made by html``.')
    this.#text = parts.join('')
  }

  toString(): string {
    return this.#text
  }
}

const maker = Symbol('maker of markup')

/** What may stand between the markup of {@link html}: text and numbers are escaped, nothing is left out but null and false. */
export type Value = Markup | string | number | null | false | readonly Value[]

/** Nothing at all. */
export const nothing = new Markup([], maker)

/**
 * Markup with values in it: html`<td title="${agent}">${agent}</td>`. Attribute values must stand in double quotes. Text is
 * made plain as in an explanation (no control, no bidirectional characters) and escaped for both places.
 */
export function html(fixed: TemplateStringsArray, ...values: readonly Value[]): Markup {
  const parts: string[] = []
  unindented(fixed).forEach((text, i) => {
    parts.push(text)
    if (i < values.length) push(parts, values[i] ?? null)
  })
  return new Markup(parts, maker)
}

const known = new WeakMap<TemplateStringsArray, readonly string[]>()

/** The indentation of the source has no meaning in the page, and is a tenth of it. */
function unindented(fixed: TemplateStringsArray): readonly string[] {
  let texts = known.get(fixed)
  if (texts === undefined) known.set(fixed, (texts = fixed.map(text => text.replace(/\n\s+/g, '\n'))))
  return texts
}

/** Fixed text of ours that is markup as it is: no value from data may be in it. */
export function verbatim(fixed: string): Markup {
  return new Markup([fixed], maker)
}

/** A style sheet or script in the page. What stands between the tags is the text and nothing else: its hash is of that. */
export function inline(element: 'style' | 'script', fixed: string): Markup {
  // what would end the element, or begin a comment that hides its end
  if (/<[/!]/.test(fixed)) throw new TypeError('A style sheet or script holds the beginning of markup.')
  return new Markup([`<${element}>${fixed}</${element}>`], maker)
}

function push(parts: string[], value: Value): void {
  if (value === null || value === false) return
  if (typeof value === 'number') parts.push(numberText(value))
  else if (typeof value === 'string') parts.push(escaped(plainText(value, longest)))
  else if (value instanceof Markup) parts.push(value.toString())
  else for (const one of value) push(parts, one)
}

/** Coordinates need no more than a hundredth of a pixel; counts stay whole. */
function numberText(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : '0'
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"'`]/g, character => entities[character] ?? '')
}
