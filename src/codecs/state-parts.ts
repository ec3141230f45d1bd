// The small encodings inside a state record: texts by index, times as differences, hashes as seven bytes. Pure.
// Each pair of functions is exact in both directions for whole milliseconds and 53-bit integers.

/** Texts in order of first mention, each with its index. null is -1. */
export class Strings {
  readonly all: string[] = []
  readonly #indices = new Map<string, number>()

  index(text: string | null): number {
    if (text === null) return -1
    const known = this.#indices.get(text)
    if (known !== undefined) return known
    const index = this.all.length
    this.#indices.set(text, index)
    this.all.push(text)
    return index
  }
}

/** Reader of texts by index. Throws RangeError on an index that is not there, which ends in a `Rejected`. */
export class StringTable {
  readonly #all: readonly string[]

  constructor(all: readonly string[]) {
    this.#all = all
  }

  text(index: number): string {
    const text = this.#all[index]
    if (text === undefined) throw new RangeError('text index out of range')
    return text
  }

  textOrNull(index: number): string | null {
    return index === -1 ? null : this.text(index)
  }

  texts(indices: readonly number[]): string[] {
    return indices.map(i => this.text(i))
  }
}

/** The first time relative to `base`, then each relative to the one before: small numbers, one to three bytes each. */
export function toDifferences(times: readonly number[], base: number): number[] {
  let previous = base
  return times.map(time => {
    const difference = time - previous
    previous = time
    return difference
  })
}

/** The inverse of {@link toDifferences}. */
export function fromDifferences(differences: readonly number[], base: number): number[] {
  let time = base
  return differences.map(difference => (time += difference))
}

/** A time relative to `base`, which may be absent. */
export function after(time: number | null, base: number): number | null {
  return time === null ? null : time - base
}

/** The inverse of {@link after}. */
export function before(time: number | null, base: number): number | null {
  return time === null ? null : time + base
}

/** avsc gives instances of generated classes; the record is plain data all through. */
export function plain<T extends object>(instance: T): T {
  return { ...instance }
}

const hashBytes = 7

/** 53-bit integers as seven bytes each, little-endian. */
export function toHashBytes(hashes: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(hashes.length * hashBytes)
  let at = 0
  for (let i = 0; i < hashes.length; i++) {
    const hash = hashes[i] as number
    // The remainder by 2^32: % of doubles is a division in software.
    const low = hash >>> 0
    const high = (hash - low) / 0x100000000
    bytes[at] = low
    bytes[at + 1] = low >>> 8
    bytes[at + 2] = low >>> 16
    bytes[at + 3] = low >>> 24
    bytes[at + 4] = high
    bytes[at + 5] = high >>> 8
    bytes[at + 6] = high >>> 16
    at += hashBytes
  }
  return bytes
}

/** The inverse of {@link toHashBytes}. Throws RangeError on a length that is no multiple of seven. */
export function fromHashBytes(bytes: Buffer): number[] {
  if (bytes.length % hashBytes !== 0) throw new RangeError('hash bytes are cut')
  const hashes: number[] = []
  for (let at = 0; at < bytes.length; at += hashBytes) {
    const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    const high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16)
    hashes.push(high * 0x100000000 + (low >>> 0))
  }
  return hashes
}
