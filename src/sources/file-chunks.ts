// A stream of bytes cut into raw values: JSON lines in chunks of whole lines, anything else in one piece.
// No I/O of its own; it decides on the first lines and holds at most one chunk, one line or one whole value.
import type { EnvelopeLimits } from './envelope.ts'
import type { Rejected } from '../rejected.ts'
import { looksLikeJsonLines, startsPrettyPrinted } from './json-text.ts'

export interface ChunkLimits {
  /** Bytes after which a chunk of JSON lines is handed on; the chunk ends with the last whole line. */
  readonly chunkBytes: number
  /** Lines of one chunk: at most the records that an envelope may hold. */
  readonly chunkLines: number
  /** Bytes of a value that cannot be cut, and of a single line. */
  readonly wholeBytes: number
}

/**
 * How files are cut for a normalizer with these limits. A file is inflated before it is cut, so `inflatedBytes` bounds
 * what cannot be cut; normalize with {@link fileEnvelopeLimits}. Chunks of 1 MiB are some 800 records: large enough that
 * the cost of a chunk vanishes, small against a heap.
 */
export function chunkLimitsOf(limits: EnvelopeLimits): ChunkLimits {
  return { chunkBytes: 2 ** 20, chunkLines: Math.min(5000, limits.records), wholeBytes: limits.inflatedBytes }
}

/** The limits of envelopes with the bytes of a raw value raised to what a file may inflate to. */
export function fileEnvelopeLimits(limits: EnvelopeLimits): EnvelopeLimits {
  return { ...limits, inputBytes: Math.max(limits.inputBytes, limits.inflatedBytes) }
}

/**
 * Yields the values of a stream in order; what exceeds `wholeBytes` is refused and the reading goes on at the next line.
 * The bytes of a value are overwritten when the next one is asked for; those of the source may be, too.
 */
export async function* chunksOf(
  source: AsyncIterable<Uint8Array>,
  limits: ChunkLimits,
): AsyncGenerator<Uint8Array | Rejected> {
  const held = new Held()
  // Unknown until a first line and something after it have been read.
  let inLines: boolean | null = null
  // Set while the rest of a line that was too long passes by.
  let skipping = false
  let any = false

  for await (const bytes of source) {
    let rest = bytes
    if (skipping) {
      const newline = rest.indexOf(0x0a)
      if (newline === -1) continue
      rest = rest.subarray(newline + 1)
      skipping = false
    }
    held.add(rest)
    if (held.size < limits.chunkBytes) continue
    if (inLines === null && held.newline !== -1 && held.newline < held.size - 1) {
      inLines = isJsonLines(held.joined(), held.newline, limits.chunkBytes)
    }
    if (inLines === true && held.newline !== -1) {
      const joined = held.joined()
      const end = joined.lastIndexOf(0x0a) + 1
      for (const chunk of cut(joined.subarray(0, end), limits)) {
        any = true
        yield chunk
      }
      held.keepFrom(end)
    }
    if (held.size > limits.wholeBytes) {
      any = true
      yield tooLarge(limits.wholeBytes)
      held.keepFrom(held.size)
      if (inLines !== true) return
      skipping = true
    }
  }
  const last = held.joined()
  if (last.length === 0) {
    if (!any) yield last
  } else if (inLines ?? isJsonLines(last, held.newline, limits.chunkBytes)) yield* cut(last, limits)
  else yield last
}

/** What has been read and not been handed on, in memory that is used again: a file is read through the same few pages. */
class Held {
  size = 0
  /** Index of the first line feed, -1 if there is none. */
  newline = -1
  #bytes = Buffer.alloc(0)

  add(part: Uint8Array): void {
    if (this.newline === -1) {
      const found = part.indexOf(0x0a)
      if (found !== -1) this.newline = this.size + found
    }
    const size = this.size + part.length
    if (size > this.#bytes.length) {
      // The first part is all of a small file.
      const larger = Buffer.allocUnsafeSlow(this.size === 0 ? size : Math.max(size, 2 * this.#bytes.length))
      this.#bytes.copy(larger, 0, 0, this.size)
      this.#bytes = larger
    }
    this.#bytes.set(part, this.size)
    this.size = size
  }

  joined(): Uint8Array {
    return this.#bytes.subarray(0, this.size)
  }

  /** Goes on with what begins at `start`, which holds no line feed. */
  keepFrom(start: number): void {
    this.#bytes.copyWithin(0, start, this.size)
    this.size -= start
    this.newline = -1
  }
}

/** Looks at the first line and at most `most` bytes of whole lines. */
function isJsonLines(bytes: Uint8Array, newline: number, most: number): boolean {
  if (newline === -1) return false
  const end = bytes.lastIndexOf(0x0a, Math.max(most, newline)) + 1
  const text = textOf(bytes.subarray(0, end)).trim()
  return !startsPrettyPrinted(text) && looksLikeJsonLines(text)
}

/** Pieces of at most `chunkLines` lines. */
function* cut(bytes: Uint8Array, limits: ChunkLimits): Generator<Uint8Array> {
  let start = 0
  let lines = 0
  for (let newline = bytes.indexOf(0x0a); newline !== -1; newline = bytes.indexOf(0x0a, newline + 1)) {
    if (++lines < limits.chunkLines) continue
    yield bytes.subarray(start, newline + 1)
    start = newline + 1
    lines = 0
  }
  if (start < bytes.length) yield bytes.subarray(start)
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')

function tooLarge(limit: number): Rejected {
  return { rejected: 'too-large', detail: `more than ${limit} bytes in one value` }
}
