// Avro binary written by hand into shared slabs: longs, strings and unions of the events topic's schema, nothing else.
// Records are slices of a slab. Whoever knows that nobody reads the records of a batch any more gives its slabs back.
// Format: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding

/** Slabs kept for the next batch: a batch of the largest fetch fills about as many. */
const mostSpare = 16

/** A growing place to write to. Callers reserve first: no write checks its room. */
export class AvroSlab {
  bytes: Buffer
  position = 0
  readonly #slabBytes: number
  /** Filled since the last {@link detach}, without the present one. */
  #full: Buffer[] = []
  /** Memory outside V8's heap: made anew for every batch it would be answered with full collections. */
  readonly #spare: Buffer[] = []

  constructor(slabBytes = 1 << 19) {
    this.#slabBytes = slabBytes
    this.bytes = Buffer.allocUnsafeSlow(slabBytes)
  }

  /** Makes room for `size` bytes; what has been cut from the old slab stays valid. */
  reserve(size: number): void {
    if (this.bytes.length - this.position >= size) return
    this.#full.push(this.bytes)
    this.#begin(size)
  }

  /** Leaves everything written so far to the caller, who may {@link recycle} it. */
  detach(): Buffer[] {
    const full = this.#full
    if (this.position > 0) {
      full.push(this.bytes)
      this.#begin(0)
    }
    this.#full = []
    return full
  }

  /** Takes slabs back: no record cut from them is read any more. */
  recycle(slabs: readonly Buffer[]): void {
    for (const slab of slabs) {
      if (this.#spare.length === mostSpare) return
      if (slab.length === this.#slabBytes) this.#spare.push(slab)
    }
  }

  #begin(size: number): void {
    const spare = size > this.#slabBytes ? undefined : this.#spare.pop()
    this.bytes = spare ?? Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, size))
    this.position = 0
  }

  /** Confluent wire format: byte 0 and the schema id. */
  header(schemaId: number): void {
    this.bytes[this.position++] = 0
    this.position = this.bytes.writeUInt32BE(schemaId, this.position)
  }

  byte(value: number): void {
    this.bytes[this.position++] = value
  }

  /** A number that is not negative and below 2^30: lengths, counts, enum symbols. */
  size(value: number): void {
    let left = value << 1
    while (left > 0x7f) {
      this.bytes[this.position++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    this.bytes[this.position++] = left
  }

  /** Any integer of a double, zigzag; in double arithmetic, because shifts would cut at 32 bits. */
  long(value: number): void {
    let left = value < 0 ? -value * 2 - 1 : value * 2
    while (left > 0x7f) {
      this.bytes[this.position++] = (left % 128) | 0x80
      left = Math.floor(left / 128)
    }
    this.bytes[this.position++] = left
  }

  /** Bytes of another buffer, without a length in front. */
  raw(source: Buffer, start: number, end: number): void {
    // A loop beats the call into native code for short runs.
    if (end - start > 64) {
      source.copy(this.bytes, this.position, start, end)
      this.position += end - start
    } else {
      let at = this.position
      for (let index = start; index < end; index++) this.bytes[at++] = source[index]!
      this.position = at
    }
  }

  /** A string whose UTF-8 is there already. */
  slice(source: Buffer, start: number, end: number): void {
    this.size(end - start)
    this.raw(source, start, end)
  }

  text(value: string): void {
    this.size(Buffer.byteLength(value))
    this.position += this.bytes.write(value, this.position, 'utf8')
  }

  /** `["null", "string"]`. */
  optionalText(value: string | null): void {
    if (value === null) this.byte(0)
    else {
      this.byte(2)
      this.text(value)
    }
  }

  /** `["null", "boolean"]`. */
  optionalFlag(value: boolean | null): void {
    if (value === null) this.byte(0)
    else {
      this.byte(2)
      this.byte(value ? 1 : 0)
    }
  }

  /** `["null", "long"]`. */
  optionalLong(value: number | null): void {
    if (value === null) this.byte(0)
    else {
      this.byte(2)
      this.long(value)
    }
  }
}
