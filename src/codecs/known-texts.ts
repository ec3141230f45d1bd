// Texts out of Avro bytes, each made once: the regions, services, agents and principals of a trail repeat without end, and
// what detection keeps of events is mostly them. A text that is known costs a comparison instead of an allocation, state
// holds one copy of it, and comparing two of them is comparing two pointers. Pure but for a bounded memory, which no result
// depends on. One table per field, so that a field whose texts never repeat pushes nothing out of the others'.

import { hashOfEnds } from './byte-runs.ts'

const places = 256
/** Longer texts are rarely the same ones. */
const longest = 160

/** The texts of one field. */
export class KnownTexts {
  readonly #texts = new Array<string>(places).fill('')

  /** The UTF-8 text from `start` to `end`. */
  read(bytes: Buffer, start: number, end: number): string {
    const length = end - start
    if (length === 0) return ''
    if (length > longest) return bytes.toString('utf8', start, end)
    const hash = hashOfEnds(bytes, start, end)
    const place = (hash ^ (hash >>> 15)) & (places - 1)
    const known = this.#texts[place]!
    if (known.length === length && isSame(known, bytes, start)) return known
    const text = bytes.toString('utf8', start, end)
    // As many characters as bytes: then none of them stands for several bytes, and comparing with bytes is comparing texts.
    if (text.length === length) this.#texts[place] = text
    return text
  }
}

function isSame(text: string, bytes: Buffer, start: number): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) !== bytes[start + index]) return false
  return true
}
