// Orders events by event time in bounded memory: sorted runs in a temporary file, merged at the end.
// Shell of `replay`. Events of one time (CloudTrail counts seconds) come by account and event id, copies by arrival, so the
// order of the input does not matter. The file has no name while it is used: nothing is left behind, not even by kill -9.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Decoder, Encoder } from '../codecs/confluent.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'

const SCHEMA_ID = 1
const CHUNK = 1 << 16
/** Before each event of a run: its place in the order of arrival, and its length. */
const headBytes = 12

/** What decides the order. Strings of an event are its own, so keeping them keeps nothing else. */
interface Place {
  readonly time: number
  readonly account: string
  readonly id: string
  readonly order: number
}

interface Entry extends Place {
  readonly bytes: Buffer
}

interface Decoded extends Place {
  readonly event: CloudTrailEvent
}

interface Run {
  readonly start: number
  readonly end: number
}

/** Takes events in any order, gives them back by event time. Events wait as Avro, about 300 to 500 bytes each. */
export class EventSorter {
  readonly #encoder: Encoder<CloudTrailEvent>
  readonly #decoder: Decoder<CloudTrailEvent>
  readonly #maxBytes: number
  #entries: Entry[] = []
  #bytes = 0
  #order = 0
  #runs: Run[] = []
  #folder: string | null = null
  #file = -1
  #fileEnd = 0

  /** @param maxBytes encoded bytes held in memory before a run is written; the overhead per event is about 200 bytes */
  constructor(
    encoder: Encoder<CloudTrailEvent>,
    decoder: Decoder<CloudTrailEvent>,
    schema: object,
    maxBytes = 32 << 20,
  ) {
    this.#encoder = encoder
    this.#decoder = decoder
    this.#maxBytes = maxBytes
    decoder.learn(SCHEMA_ID, schema)
  }

  add(event: CloudTrailEvent): void {
    const bytes = this.#encoder.encode(event, SCHEMA_ID)
    this.#entries.push({ ...placeOf(event, this.#order++), bytes })
    this.#bytes += bytes.length
    if (this.#bytes >= this.#maxBytes) this.#spill()
  }

  /** All events in order. The sorter is empty afterwards, its temporary file gone also when the caller stops early. */
  *drain(): Generator<CloudTrailEvent> {
    try {
      yield* this.events()
    } finally {
      this.close()
    }
  }

  /** All events in order, as often as asked; the caller closes the sorter. */
  *events(): Generator<CloudTrailEvent> {
    // Where a part is on disk, all of it can be: whoever takes the events needs memory too.
    if (this.#runs.length > 0 && this.#entries.length > 0) this.#spill()
    const sources = this.#runs.map(run => this.#readRun(run))
    sources.push(this.#held())
    for (const { event } of merge(sources)) yield event
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

  #sorted(): Entry[] {
    return this.#entries.sort(before)
  }

  *#held(): Generator<Decoded> {
    for (const { bytes, order } of this.#sorted()) yield this.#decoded(bytes, order)
  }

  #decoded(bytes: Buffer, order: number): Decoded {
    const event = this.#decoder.decode(bytes)
    if ('rejected' in event || 'unknownSchema' in event) throw new Error('An event did not survive its own codec.')
    return { ...placeOf(event, order), event }
  }

  #spill(): void {
    if (this.#file < 0) this.#open()
    const start = this.#fileEnd
    let pending: Buffer[] = []
    let pendingBytes = 0
    const flush = () => {
      const block = Buffer.concat(pending)
      for (let written = 0; written < block.length;) {
        written += writeSync(this.#file, block, written, block.length - written, this.#fileEnd + written)
      }
      this.#fileEnd += block.length
      pending = []
      pendingBytes = 0
    }
    for (const { order, bytes } of this.#sorted()) {
      const head = Buffer.allocUnsafe(headBytes)
      head.writeDoubleBE(order, 0)
      head.writeUInt32BE(bytes.length, 8)
      pending.push(head, bytes)
      pendingBytes += headBytes + bytes.length
      if (pendingBytes >= 1 << 20) flush()
    }
    flush()
    this.#runs.push({ start, end: this.#fileEnd })
    this.#entries = []
    this.#bytes = 0
  }

  *#readRun(run: Run): Generator<Decoded> {
    let rest: Buffer = Buffer.alloc(0)
    let at = run.start
    const fill = (needed: number): boolean => {
      while (rest.length < needed && at < run.end) {
        const block = Buffer.allocUnsafe(Math.min(CHUNK, run.end - at))
        const read = readSync(this.#file, block, 0, block.length, at)
        if (read === 0) throw new Error('The temporary file of replay was cut short.')
        at += read
        rest = rest.length === 0 ? block.subarray(0, read) : Buffer.concat([rest, block.subarray(0, read)])
      }
      return rest.length >= needed
    }
    while (fill(headBytes)) {
      const end = headBytes + rest.readUInt32BE(8)
      fill(end)
      yield this.#decoded(rest.subarray(headBytes, end), rest.readDoubleBE(0))
      rest = rest.subarray(end)
    }
  }
}

function placeOf({ eventTime, recipientAccountId, eventId }: CloudTrailEvent, order: number): Place {
  return { time: eventTime, account: recipientAccountId, id: eventId, order }
}

/** Copies, and events of one time without an id, stay as they came. */
function before(a: Place, b: Place): number {
  return a.time - b.time || compare(a.account, b.account) || compare(a.id, b.id) || a.order - b.order
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Merges sorted iterators; runs are few (one per 32 MiB), so the least head is found by looking at each. */
function* merge(sources: readonly Iterator<Decoded>[]): Generator<Decoded> {
  const heads = sources.map(source => ({ source, head: source.next() }))
  for (;;) {
    let least: (typeof heads)[number] | null = null
    for (const candidate of heads) {
      if (candidate.head.done === true) continue
      if (least === null || before(candidate.head.value, least.head.value as Decoded) < 0) least = candidate
    }
    if (least === null) return
    yield least.head.value as Decoded
    least.head = least.source.next()
  }
}
