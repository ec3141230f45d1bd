// Orders values in bounded memory: sorted runs in a temporary file, merged at the end. What is compared stays in memory.
// Shell of `replay`. Values that compare equal come in the order in which they were added. The file has no name while it is
// used: nothing is left behind, not even by kill -9.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CHUNK = 1 << 16
const SLAB = 1 << 18
const BLOCK = 1 << 20
/** Before each value of a run: its place in the order of arrival, and its length. */
const headBytes = 12

/** What is ordered, and how. */
export interface Sorting<T, P> {
  encode(value: T): Buffer
  /** The bytes are overwritten afterwards. */
  decode(bytes: Buffer): T
  /** What of a value's bytes decides its place: small, and not holding on to them, which are overwritten afterwards. */
  place(bytes: Buffer): P
  /** Negative, zero or positive, as of Array.sort. */
  compare(a: P, b: P): number
}

interface Ordered<P> {
  readonly place: P
  readonly order: number
}

/** A value that waits in memory. */
interface Entry<P> extends Ordered<P> {
  readonly slab: Buffer
  readonly start: number
  readonly end: number
}

interface Decoded<T, P> extends Ordered<P> {
  readonly value: T
}

interface Run {
  readonly start: number
  readonly end: number
}

/** Takes values in any order, gives them back in that of their places. */
export class RunSorter<T, P> {
  readonly #sorting: Sorting<T, P>
  readonly #maxBytes: number
  #entries: Entry<P>[] = []
  #bytes = 0
  #order = 0
  #runs: Run[] = []
  #folder: string | null = null
  #file = -1
  #fileEnd = 0
  #slab = Buffer.alloc(0)
  #slabEnd = 0

  /**
   * @param maxBytes encoded bytes held in memory before a run is written; the overhead per value is about 250 bytes
   */
  constructor(sorting: Sorting<T, P>, maxBytes: number) {
    this.#sorting = sorting
    this.#maxBytes = maxBytes
  }

  add(value: T): void {
    this.addEncoded(this.#sorting.encode(value))
  }

  placeOf(bytes: Buffer): P {
    return this.#sorting.place(bytes)
  }

  /** Takes a value by its bytes, as `encode` would give them; copies them. */
  addEncoded(bytes: Buffer, place: P = this.placeOf(bytes)): void {
    if (this.#slab.length - this.#slabEnd < bytes.length) {
      // One allocation for some hundred values.
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB, bytes.length))
      this.#slabEnd = 0
    }
    const start = this.#slabEnd
    this.#slabEnd += bytes.copy(this.#slab, start)
    this.#entries.push({ place, order: this.#order++, slab: this.#slab, start, end: this.#slabEnd })
    this.#bytes += bytes.length
    if (this.#bytes >= this.#maxBytes) this.#spill()
  }

  /** All values in order. The sorter is empty afterwards, its temporary file gone also when the caller stops early. */
  *drain(): Generator<T> {
    try {
      yield* this.values()
    } finally {
      this.close()
    }
  }

  /** All values in order, as often as asked; the caller closes the sorter. */
  *values(): Generator<T> {
    // Where a part is on disk, all of it can be: whoever takes the values needs memory too.
    if (this.#runs.length > 0 && this.#entries.length > 0) this.#spill()
    const sources = this.#runs.map(run => this.#readRun(run))
    if (this.#entries.length > 0) sources.push(this.#held())
    for (const { value } of merge(sources, this.#before)) yield value
  }

  /** Bytes in the temporary file. */
  get spilled(): number {
    return this.#fileEnd
  }

  close(): void {
    if (this.#file >= 0) closeSync(this.#file)
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
    this.#file = -1
    this.#folder = null
    this.#fileEnd = 0
    this.#entries = []
    this.#bytes = 0
    this.#slab = Buffer.alloc(0)
    this.#slabEnd = 0
    this.#runs = []
  }

  #open(): void {
    const folder = mkdtempSync(join(tmpdir(), 'trailwarden-replay-'))
    this.#folder = folder
    this.#file = openSync(join(folder, 'runs'), 'wx+', 0o600)
    try {
      rmSync(folder, { recursive: true })
      this.#folder = null
    } catch {
      // Windows keeps the folder of an open file; close() removes it.
    }
  }

  readonly #before = (a: Ordered<P>, b: Ordered<P>): number =>
    this.#sorting.compare(a.place, b.place) || a.order - b.order

  #sorted(): Entry<P>[] {
    return this.#entries.sort(this.#before)
  }

  *#held(): Generator<Decoded<T, P>> {
    for (const { place, order, slab, start, end } of this.#sorted())
      yield { place, order, value: this.#sorting.decode(slab.subarray(start, end)) }
  }

  #spill(): void {
    if (this.#file < 0) this.#open()
    const begun = this.#fileEnd
    let block = Buffer.allocUnsafeSlow(BLOCK)
    let filled = 0
    const flush = () => {
      for (let written = 0; written < filled;) {
        written += writeSync(this.#file, block, written, filled - written, this.#fileEnd + written)
      }
      this.#fileEnd += filled
      filled = 0
    }
    for (const { order, slab, start, end } of this.#sorted()) {
      const length = end - start
      const size = headBytes + length
      if (filled + size > block.length) flush()
      if (size > block.length) block = Buffer.allocUnsafeSlow(size)
      block.writeDoubleBE(order, filled)
      block.writeUInt32BE(length, filled + 8)
      slab.copy(block, filled + headBytes, start, end)
      filled += size
    }
    flush()
    this.#runs.push({ start: begun, end: this.#fileEnd })
    this.#entries = []
    this.#bytes = 0
  }

  *#readRun(run: Run): Generator<Decoded<T, P>> {
    // One buffer serves the whole run: a value is decoded before the next is read over it.
    let buffer = Buffer.allocUnsafe(CHUNK)
    let [from, to] = [0, 0]
    let at = run.start
    const fill = (needed: number): boolean => {
      if (to - from >= needed) return true
      if (needed > buffer.length) {
        const larger = Buffer.allocUnsafe(2 * needed)
        buffer.copy(larger, 0, from, to)
        buffer = larger
      } else buffer.copyWithin(0, from, to)
      to -= from
      from = 0
      while (to < needed && at < run.end) {
        const read = readSync(this.#file, buffer, to, Math.min(buffer.length - to, run.end - at), at)
        if (read === 0) throw new Error('The temporary file of replay was cut short.')
        at += read
        to += read
      }
      return to >= needed
    }
    while (fill(headBytes)) {
      const length = headBytes + buffer.readUInt32BE(from + 8)
      fill(length)
      const bytes = buffer.subarray(from + headBytes, from + length)
      const place = this.#sorting.place(bytes)
      yield { place, order: buffer.readDoubleBE(from), value: this.#sorting.decode(bytes) }
      from += length
    }
  }
}

/** Merges sorted iterators; runs are few (one per maxBytes), so the least head is found by looking at each. */
function* merge<D>(sources: readonly Iterator<D>[], before: (a: D, b: D) => number): Generator<D> {
  const heads = sources.map(source => ({ source, head: source.next() }))
  for (;;) {
    let least: (typeof heads)[number] | null = null
    for (const candidate of heads) {
      if (candidate.head.done === true) continue
      if (least === null || before(candidate.head.value, least.head.value as D) < 0) least = candidate
    }
    if (least === null) return
    yield least.head.value as D
    least.head = least.source.next()
  }
}
