// States at rest: the changelog record of each principal as bytes outside V8's heap, where a million of them cost the garbage
// collector nothing. A log of segments: a new record is appended, the old one is dead, and a segment that is mostly dead is
// copied to the end and used again. Pure but for its memory. What is appended counts from `commit` on, or never.

const segmentBytes = 1 << 18
/** Before each record: the id of its principal and its length. */
const headBytes = 8
/** Dead bytes are let be up to this many, or half of the live ones. */
const mostDead = 4 * segmentBytes
/** Empty segments kept for later. */
const mostSpare = 16
const nowhere = -1

interface Segment {
  bytes: Buffer
  end: number
  /** Bytes of records that count, heads included. */
  live: number
}

interface Appended {
  readonly id: number
  readonly segment: number
  readonly start: number
  readonly maxTime: number
}

/** A record where it lies: valid until the next `commit`. */
export interface RestingRecord {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

/** Records by principal key. */
export class RestingStates {
  readonly #ids = new Map<string, number>()
  readonly #freeIds: number[] = []
  /** By id: where the record lies, and the principal's newest event time. */
  #segmentOf = new Int32Array(64).fill(nowhere)
  #startOf = new Int32Array(64)
  #maxTimes = new Float64Array(64)
  /** With holes, where a segment was emptied. */
  readonly #segments: (Segment | null)[] = []
  readonly #spare: Buffer[] = []
  #newest = nowhere
  #live = 0
  #used = 0
  #size = 0
  readonly #appended = new Map<string, Appended>()

  /** Principals with a record. */
  get size(): number {
    return this.#size
  }

  /** Bytes of these records. */
  get bytes(): number {
    return this.#live - headBytes * this.#size
  }

  /** The record of a principal, the appended one where there is one. */
  get(key: string): RestingRecord | null {
    const appended = this.#appended.get(key)
    if (appended !== undefined) return this.#at(appended.segment, appended.start)
    const id = this.#ids.get(key)
    if (id === undefined || this.#segmentOf[id] === nowhere) return null
    return this.#at(this.#segmentOf[id]!, this.#startOf[id]!)
  }

  /**
   * Takes a copy of a record, which counts from the next {@link commit} on, and stays where it is until then. `maxTime` in
   * epoch milliseconds.
   */
  append(key: string, value: Uint8Array, maxTime: number): Buffer {
    const written = this.#write(this.#idOf(key), value, maxTime)
    this.#appended.set(key, written)
    const { segment, start } = written
    return this.#segments[segment]!.bytes.subarray(start, start + value.length)
  }

  /** Takes a copy of a record that counts at once; not while others wait for {@link commit}. */
  put(key: string, value: Uint8Array, maxTime: number): void {
    this.#settle(this.#write(this.#idOf(key), value, maxTime))
    this.#tidy()
  }

  /** Keys whose record does not count yet. */
  appended(): Iterable<string> {
    return this.#appended.keys()
  }

  /** What was appended counts. */
  commit(): void {
    for (const appended of this.#appended.values()) this.#settle(appended)
    this.#appended.clear()
    this.#tidy()
  }

  /** What was appended is forgotten. */
  discard(): void {
    for (const [key, { id }] of this.#appended) if (this.#segmentOf[id] === nowhere) this.#release(key, id)
    this.#appended.clear()
  }

  delete(key: string): void {
    const id = this.#ids.get(key)
    if (id === undefined) return
    this.#drop(id)
    this.#release(key, id)
  }

  /** Keys and newest event times. */
  *maxTimes(): Generator<[key: string, maxTime: number]> {
    for (const [key, id] of this.#ids) if (this.#segmentOf[id] !== nowhere) yield [key, this.#maxTimes[id]!]
  }

  /** Writes a record to the end of the newest segment; it does not count yet. */
  #write(id: number, value: Uint8Array, maxTime: number): Appended {
    const size = headBytes + value.length
    const segment = this.#segments[this.#room(size)]!
    const { bytes, end } = segment
    bytes.writeUInt32LE(id, end)
    bytes.writeUInt32LE(value.length, end + 4)
    bytes.set(value, end + headBytes)
    segment.end += size
    this.#used += size
    return { id, segment: this.#newest, start: end + headBytes, maxTime }
  }

  /** A written record counts, the one before it no longer. */
  #settle({ id, segment, start, maxTime }: Appended): void {
    this.#drop(id)
    this.#segmentOf[id] = segment
    this.#startOf[id] = start
    this.#maxTimes[id] = maxTime
    this.#count(segment, headBytes + this.#lengthAt(segment, start))
    this.#size++
  }

  #tidy(): void {
    // What waits for its commit is not known to count and would be left behind.
    if (this.#appended.size > 0) return
    while (this.#used - this.#live > Math.max(mostDead, this.#live / 2) && this.#evacuate()) continue
  }

  #at(segment: number, start: number): RestingRecord {
    return { bytes: this.#segments[segment]!.bytes, start, end: start + this.#lengthAt(segment, start) }
  }

  #lengthAt(segment: number, start: number): number {
    return this.#segments[segment]!.bytes.readUInt32LE(start - 4)
  }

  #idOf(key: string): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#freeIds.pop() ?? this.#ids.size
    this.#ids.set(key, id)
    if (id < this.#segmentOf.length) return id
    const length = 2 * id
    const [segmentOf, startOf, maxTimes] = [this.#segmentOf, this.#startOf, this.#maxTimes]
    this.#segmentOf = new Int32Array(length).fill(nowhere)
    this.#segmentOf.set(segmentOf)
    this.#startOf = new Int32Array(length)
    this.#startOf.set(startOf)
    this.#maxTimes = new Float64Array(length)
    this.#maxTimes.set(maxTimes)
    return id
  }

  #release(key: string, id: number): void {
    this.#ids.delete(key)
    this.#freeIds.push(id)
  }

  /** The record of an id no longer counts. */
  #drop(id: number): void {
    const segment = this.#segmentOf[id]!
    if (segment === nowhere) return
    this.#count(segment, -headBytes - this.#lengthAt(segment, this.#startOf[id]!))
    this.#segmentOf[id] = nowhere
    this.#size--
  }

  #count(segment: number, bytes: number): void {
    this.#segments[segment]!.live += bytes
    this.#live += bytes
  }

  /** The segment that has room for so many bytes at its end. */
  #room(size: number): number {
    const newest = this.#newest === nowhere ? null : this.#segments[this.#newest]!
    if (newest !== null && newest.bytes.length - newest.end >= size) return this.#newest
    const bytes =
      (size <= segmentBytes ? this.#spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(Math.max(segmentBytes, size))
    const hole = this.#segments.indexOf(null)
    this.#newest = hole < 0 ? this.#segments.length : hole
    this.#segments[this.#newest] = { bytes, end: 0, live: 0 }
    return this.#newest
  }

  /** Copies what counts of the segment with the most dead bytes to the end; false where only the newest has any. */
  #evacuate(): boolean {
    let worst = nowhere
    let most = 0
    for (let index = 0; index < this.#segments.length; index++) {
      const segment = this.#segments[index]
      if (segment == null || index === this.#newest || segment.end - segment.live <= most) continue
      worst = index
      most = segment.end - segment.live
    }
    if (worst === nowhere) return false
    const { bytes, end } = this.#segments[worst]!
    for (let at = 0; at < end;) {
      const id = bytes.readUInt32LE(at)
      const start = at + headBytes
      at = start + bytes.readUInt32LE(at + 4)
      if (this.#segmentOf[id] !== worst || this.#startOf[id] !== start) continue
      this.#settle(this.#write(id, bytes.subarray(start, at), this.#maxTimes[id]!))
    }
    this.#used -= end
    this.#segments[worst] = null
    if (bytes.length === segmentBytes && this.#spare.length < mostSpare) this.#spare.push(bytes)
    return true
  }
}
