// Files, folders and standard input as raw values, the same bytes that a Kafka record would hold.
// A shell file. Memory is bounded by the limits whatever the size: JSON lines are handed on in chunks of whole lines,
// anything else (a CloudTrail file is one JSON value) is read whole up to its limit.
import { open } from 'node:fs/promises'
import { Readable, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Rejected } from '../rejected.ts'
import { UnreadablePathError, filesOf, reasonOf } from './file-paths.ts'
import type { SkipNote } from './file-paths.ts'
import { chunksOf } from './file-chunks.ts'
import type { ChunkLimits } from './file-chunks.ts'

const readBytes = 256 * 1024

/** Bytes to normalize, or why a file gave none. `path` is `-` for standard input. */
export type FileItem =
  { readonly path: string; readonly bytes: Uint8Array } | { readonly path: string; readonly rejected: Rejected }

export interface FileSourceOptions extends ChunkLimits {
  readonly note: SkipNote
  /** What `-` reads. */
  readonly stdin: AsyncIterable<Uint8Array>
  /** Told how many bytes were read, as they are stored, before gunzip. */
  readonly read?: (bytes: number) => void
}

/**
 * Reads paths in order and yields their content as raw values. gzip is recognised by its first bytes and inflated here;
 * a file cut off in the middle of its gzip is one refusal (`bad-gzip`), after whatever whole chunks of JSON lines came
 * before, and the next file follows. The bytes of an item are overwritten when the next one is asked for.
 *
 * @throws UnreadablePathError if a named path does not exist (before anything is read) or a file cannot be read.
 */
export async function* readFiles(paths: readonly string[], options: FileSourceOptions): AsyncGenerator<FileItem> {
  const memory = Buffer.allocUnsafeSlow(readBytes)
  for await (const path of filesOf(paths, options.note)) {
    const source = counted(path === '-' ? options.stdin : contentOf(path, memory), options.read)
    try {
      for await (const chunk of chunksOf(await inflated(source), options)) {
        yield 'rejected' in chunk ? { path, rejected: chunk } : { path, bytes: chunk }
      }
    } catch (error) {
      if (error instanceof UnreadablePathError || !isZlibError(error)) throw error
      yield { path, rejected: { rejected: 'bad-gzip', detail: 'gzip data is cut off or damaged' } }
    }
  }
}

/** The content in pieces, each in the same memory: a new buffer for every piece is garbage that V8 collects all the time. */
async function* contentOf(path: string, memory: Buffer): AsyncGenerator<Uint8Array> {
  let file
  try {
    file = await open(path)
    for (;;) {
      const { bytesRead } = await file.read(memory, 0, memory.length)
      if (bytesRead === 0) return
      yield memory.subarray(0, bytesRead)
    }
  } catch (error) {
    throw new UnreadablePathError(path, reasonOf(error))
  } finally {
    await file?.close()
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  read: FileSourceOptions['read'],
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    read?.(chunk.length)
    yield chunk
  }
}

/** The bytes themselves, or what their gzip holds. */
async function inflated(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]()
  let head: Uint8Array = new Uint8Array(0)
  // Two bytes decide; a pipe may deliver them one by one.
  while (head.length < 2) {
    const next = await iterator.next()
    if (next.done === true) break
    head = head.length === 0 && next.value.length > 1 ? next.value : Buffer.concat([head, next.value])
  }
  const whole = resumed(head, iterator)
  if (head[0] !== 0x1f || head[1] !== 0x8b) return whole
  // pipeline() hands an error of the source on to the reader of gunzip; pipe() would leave the reader waiting.
  return pipeline(Readable.from(copies(whole), { objectMode: false }), createGunzip(), () => {})
}

/** For streams, which read ahead. */
async function* copies(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) yield Buffer.from(bytes)
}

async function* resumed(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

function isZlibError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code !== undefined && /^Z_(DATA|BUF|MEM|STREAM|NEED_DICT|VERSION)/.test(code)
}
