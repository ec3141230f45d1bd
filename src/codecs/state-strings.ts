// The table of texts of one state record while it is written: each text once, found again in a few nanoseconds. Pure.

const slots = 512
/** Texts that fit the table before it becomes slow; larger states, and texts made to collide, go to a Map. */
const inTable = slots / 4
const mostProbes = 8

/** Texts in order of first mention. One for many records: `clear` begins the next. */
export class StateStrings {
  readonly all: string[] = []
  /** Index plus one of the text in a slot, 0 where it is free. */
  readonly #table = new Uint16Array(slots)
  #map: Map<string, number> | null = null

  clear(): void {
    this.all.length = 0
    this.#table.fill(0)
    this.#map = null
  }

  /** Index of a text, -1 for null. */
  index(text: string | null): number {
    if (text === null) return -1
    if (this.#map !== null) return this.#inMap(this.#map, text)
    let slot = slotOf(text)
    for (let probe = 0; probe < mostProbes; probe++) {
      slot &= slots - 1
      const found = this.#table[slot] as number
      if (found === 0) {
        if (this.all.length === inTable) break
        this.#table[slot] = this.all.push(text)
        return this.all.length - 1
      }
      if (this.all[found - 1] === text) return found - 1
      slot++
    }
    this.#map = new Map(this.all.map((known, i) => [known, i]))
    return this.#inMap(this.#map, text)
  }

  #inMap(map: Map<string, number>, text: string): number {
    const known = map.get(text)
    if (known !== undefined) return known
    map.set(text, this.all.push(text) - 1)
    return this.all.length - 1
  }
}

/** A slot from the length and five characters: texts of one principal differ in few places, mostly towards their ends. */
function slotOf(text: string): number {
  const { length } = text
  if (length === 0) return 0
  const quarter = length >> 2
  let mixed = length
  mixed = Math.imul(mixed, 31) + text.charCodeAt(length - 1)
  mixed = Math.imul(mixed, 31) + text.charCodeAt(length - 1 - quarter)
  mixed = Math.imul(mixed, 31) + text.charCodeAt(length >> 1)
  mixed = Math.imul(mixed, 31) + text.charCodeAt(quarter)
  mixed = Math.imul(mixed, 31) + text.charCodeAt((length + quarter) >> 1)
  return Math.imul(mixed, 0x9e3779b1) >>> 23
}
