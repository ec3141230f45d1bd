// Avro binary by hand: the few encodings that state records and events need, for the paths where a general codec costs
// too much. Pure. https://avro.apache.org/docs/1.11.1/specification/#binary-encoding; avsc reads what is written here and
// the other way round (property-tested).

const smallest = -0x40000000
const largest = 0x3fffffff

/** Appends Avro values to a buffer that grows. */
export class AvroWriter {
  bytes: Buffer
  position = 0

  constructor(size = 1 << 16) {
    this.bytes = Buffer.allocUnsafeSlow(size)
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    const needed = this.position + size
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length))
    this.bytes.copy(grown, 0, 0, this.position)
    this.bytes = grown
  }

  /** An int or long: exact for every safe integer, also where zigzag leaves the safe range. */
  long(value: number): void {
    this.reserve(10)
    const { bytes } = this
    let at = this.position
    if (value >= smallest && value <= largest) {
      let rest = (value << 1) ^ (value >> 31)
      while (rest > 0x7f) {
        bytes[at++] = (rest & 0x7f) | 0x80
        rest >>>= 7
      }
      bytes[at++] = rest
    } else {
      // the sign and the lowest six bits first, so that doubling cannot round
      const magnitude = value < 0 ? -1 - value : value
      let byte = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0)
      let rest = Math.floor(magnitude / 64)
      while (rest > 0) {
        bytes[at++] = byte | 0x80
        byte = rest % 128
        rest = Math.floor(rest / 128)
      }
      bytes[at++] = byte
    }
    this.position = at
  }

  double(value: number): void {
    this.reserve(8)
    this.bytes.writeDoubleLE(value, this.position)
    this.position += 8
  }

  boolean(value: boolean): void {
    this.reserve(1)
    this.bytes[this.position++] = value ? 1 : 0
  }

  /** A string. Lone surrogates become U+FFFD. */
  text(value: string): void {
    const { length } = value
    this.reserve(3 * length + 10)
    const { bytes } = this
    const start = this.position
    if (length < 256) {
      let at = start + (length < 64 ? 1 : 2)
      let i = 0
      for (; i < length; i++) {
        const code = value.charCodeAt(i)
        if (code > 0x7f) break
        bytes[at++] = code
      }
      if (i === length) {
        if (length < 64) bytes[start] = length << 1
        else {
          bytes[start] = ((length << 1) & 0x7f) | 0x80
          bytes[start + 1] = length >> 6
        }
        this.position = at
        return
      }
    }
    const size = Buffer.byteLength(value)
    this.long(size)
    this.position += bytes.write(value, this.position)
  }

  /** `bytes` with its length. */
  sized(value: Uint8Array): void {
    this.long(value.length)
    this.raw(value, value.length)
  }

  /** The first `size` of some bytes as they are. */
  raw(value: Uint8Array, size: number): void {
    this.reserve(size)
    // a native copy costs more than it saves for a handful of bytes
    if (size > 64) this.bytes.set(size === value.length ? value : value.subarray(0, size), this.position)
    else for (let i = 0; i < size; i++) this.bytes[this.position + i] = value[i] as number
    this.position += size
  }

  /** An array of longs. */
  longs(values: readonly number[]): void {
    const { length } = values
    if (length > 0) {
      this.long(length)
      for (let i = 0; i < length; i++) this.long(values[i] as number)
    }
    this.long(0)
  }

  /** Times as an array of longs: the first relative to `base`, then each relative to the one before. */
  differences(times: readonly number[], base: number): void {
    const { length } = times
    let previous = base
    if (length > 0) {
      this.long(length)
      for (let i = 0; i < length; i++) {
        const time = times[i] as number
        this.long(time - previous)
        previous = time
      }
    }
    this.long(0)
  }

  /** A union of null and long: a time relative to `base`. */
  timeOrNull(time: number | null, base: number): void {
    if (time === null) return this.long(0)
    this.long(1)
    this.long(time - base)
  }
}

/** Reads Avro values from bytes. Throws RangeError at their end and where a length cannot be. */
export class AvroReader {
  readonly #bytes: Buffer
  position: number

  constructor(bytes: Buffer, position = 0) {
    this.#bytes = bytes
    this.position = position
  }

  get end(): boolean {
    return this.position === this.#bytes.length
  }

  /** An int or long; one outside the safe integers throws. */
  long(): number {
    const bytes = this.#bytes
    let at = this.position
    let byte = bytes[at++]
    if (byte === undefined) throw cut()
    const odd = byte & 1
    let value = (byte & 0x7f) >> 1
    let factor = 64
    while (byte > 0x7f) {
      byte = bytes[at++]
      if (byte === undefined || factor > 2 ** 55) throw cut()
      value += (byte & 0x7f) * factor
      factor *= 128
    }
    if (value > Number.MAX_SAFE_INTEGER) throw cut()
    this.position = at
    return odd === 1 ? -1 - value : value
  }

  double(): number {
    const value = this.#bytes.readDoubleLE(this.position)
    this.position += 8
    return value
  }

  boolean(): boolean {
    const byte = this.#bytes[this.position++]
    if (byte !== 0 && byte !== 1) throw cut()
    return byte === 1
  }

  /** Which of two branches a union takes: true for the second, where the first is null. */
  present(): boolean {
    const branch = this.long()
    if (branch !== 0 && branch !== 1) throw cut()
    return branch === 1
  }

  text(): string {
    const start = this.skipSized()
    return this.#bytes.toString('utf8', start, this.position)
  }

  /** A view. */
  sized(): Buffer {
    const start = this.skipSized()
    return this.#bytes.subarray(start, this.position)
  }

  /** Steps over a string or bytes; returns where its content begins. */
  skipSized(): number {
    const size = this.long()
    const start = this.position
    if (size < 0 || start + size > this.#bytes.length) throw cut()
    this.position = start + size
    return start
  }

  /** Items of the next block of an array, 0 at its end. Every item takes at least a byte, so a length is bounded. */
  block(): number {
    let count = this.long()
    if (count < 0) {
      count = -count
      this.long()
    }
    if (count > this.#bytes.length - this.position) throw cut()
    return count
  }

  /** An array with a reader of one item. */
  array<T>(item: () => T): T[] {
    const items: T[] = []
    for (let left = this.block(); left > 0; left = this.block()) while (left-- > 0) items.push(item())
    return items
  }

  longs(): number[] {
    const items: number[] = []
    for (let left = this.block(); left > 0; left = this.block()) while (left-- > 0) items.push(this.long())
    return items
  }

  /** The inverse of {@link AvroWriter.differences}. */
  differences(base: number): number[] {
    const items: number[] = []
    let time = base
    for (let left = this.block(); left > 0; left = this.block()) while (left-- > 0) items.push((time += this.long()))
    return items
  }

  timeOrNull(base: number): number | null {
    return this.present() ? base + this.long() : null
  }
}

function cut(): RangeError {
  return new RangeError('the bytes are cut or damaged')
}
