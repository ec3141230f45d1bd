// Finds the fields of a CloudTrail record in the bytes of its JSON: positions, no objects. The first half of the fast path.
// It takes only records that the general path (../event.ts) would turn into an event without a doubt; for anything
// else (a number where text is usual, a key twice, a spelling with escapes) it says no, and the general path decides.
import { parseTime, parseTimeAt } from '../event-time.ts'
import { endOfString, endOfValue, isDigit, literalAt, noted, skipWhite } from './json-scan.ts'

const kinds = { text: 0, flag: 1, json: 2, object: 3, stop: 4 } as const
type Kind = keyof typeof kinds
type Level = 'record' | 'identity' | 'context' | 'issuer' | 'attributes'

// What stands where in a record. `stop`: with such a key the object may be something else than a record.
const layout: Readonly<Record<Level, Readonly<Record<string, Kind | readonly [Kind, Level]>>>> = {
  record: {
    ...{ eventVersion: 'text', eventTime: 'text', eventSource: 'text', eventName: 'text', awsRegion: 'text' },
    ...{ eventID: 'text', sharedEventID: 'text', eventType: 'text', eventCategory: 'text', requestID: 'text' },
    ...{ recipientAccountId: 'text', sourceIPAddress: 'text', userAgent: 'text', vpcEndpointId: 'text' },
    ...{ errorCode: 'text', errorMessage: 'text', readOnly: 'flag', managementEvent: 'flag' },
    ...{ requestParameters: 'json', responseElements: 'json', additionalEventData: 'json' },
    ...{ userIdentity: ['object', 'identity'], '@timestamp': 'stop', '@version': 'stop', insightDetails: 'stop' },
  },
  identity: {
    ...{ type: 'text', principalId: 'text', arn: 'text', accountId: 'text', accessKeyId: 'text', userName: 'text' },
    ...{ invokedBy: 'text', sourceIdentity: 'text', sessionContext: ['object', 'context'] },
  },
  context: { sourceIdentity: 'text', sessionIssuer: ['object', 'issuer'], attributes: ['object', 'attributes'] },
  issuer: { type: 'text', principalId: 'text', arn: 'text', accountId: 'text', userName: 'text' },
  attributes: { creationDate: 'text', mfaAuthenticated: 'flag' },
}

interface Key {
  readonly name: Uint8Array
  readonly slot: number
  readonly kind: number
  readonly below: number
  /** The field that followed this one the last time: CloudTrail writes its fields in one order, most of the time. */
  next: Key | null
}

const levels = Object.keys(layout) as Level[]
const slots = new Map<string, number>()
/** By level, then by the length of the name. */
const tables: readonly (readonly (readonly Key[] | undefined)[])[] = levels.map(level => {
  const table: Key[][] = []
  for (const [name, entry] of Object.entries(layout[level])) {
    const [kind, below] = typeof entry === 'string' ? [entry, level] : entry
    const slot = slots.size
    slots.set(`${level}.${name}`, slot)
    ;(table[name.length] ??= []).push({
      name: Buffer.from(name),
      slot,
      kind: kinds[kind],
      below: levels.indexOf(below),
      next: null,
    })
  }
  return table
})

/** By level, a key before the first: its `next` is the one that records begin with. */
const first: readonly Key[] = levels.map(() => ({
  name: Buffer.alloc(0),
  slot: -1,
  kind: kinds.stop,
  below: 0,
  next: null,
}))

/** The slot of a field, such as `record.eventTime` or `issuer.principalId`. */
export function slotOf(field: string): number {
  const slot = slots.get(field)
  if (slot === undefined) throw new Error(`The scan has no field ${field}.`)
  return slot
}

/** Start of a field that is absent. */
const absent = -1
/** Start of a field that stands there as null. */
const nothing = -2
/** Starts of flags. */
const yes = -3
const no = -4

const eventTime = slotOf('record.eventTime')
const eventSource = slotOf('record.eventSource')
const eventName = slotOf('record.eventName')
const eventVersion = slotOf('record.eventVersion')
const eventType = slotOf('record.eventType')
// Decisions are taken on the bytes of these, so their bytes must be their text.
const decisive = [eventTime, eventSource, eventName, eventVersion, eventType].concat(
  ['record.errorCode', 'record.awsRegion', 'record.recipientAccountId'].map(slotOf),
)
const fromS3 = Buffer.from('aws:s3')
const insight = Buffer.from('AwsCloudTrailInsight')

/** One record's fields by slot. Reused for every record: what it says holds until the next {@link RecordScan.scan}. */
export class RecordScan {
  bytes: Buffer = Buffer.alloc(0)
  /** Epoch milliseconds. */
  eventTime = 0
  readonly #starts = new Int32Array(slots.size)
  readonly #ends = new Int32Array(slots.size)
  /** 1: the bytes of a text are not its text; the bytes of a JSON value are not what JSON.stringify would write. */
  readonly #unusual = new Uint8Array(slots.size)

  /** Index behind the record that begins at `from`; -1 where the general path has to look at it. */
  scan(bytes: Buffer, from: number): number {
    this.bytes = bytes
    this.#starts.fill(absent)
    if (bytes[from] !== 0x7b) return -1
    const end = this.#members(from + 1, 0)
    return end !== -1 && this.#acceptable() ? end : -1
  }

  /** True where the field has a value: text (also empty), JSON or an object. */
  has(slot: number): boolean {
    return this.#starts[slot]! >= 0
  }

  start(slot: number): number {
    return this.#starts[slot]!
  }

  end(slot: number): number {
    return this.#ends[slot]!
  }

  isUnusual(slot: number): boolean {
    return this.#unusual[slot] === 1
  }

  flag(slot: number): boolean | null {
    const start = this.#starts[slot]
    return start === yes ? true : start === no ? false : null
  }

  /** The text of a field whose bytes are its text (see {@link isUnusual}). */
  latin1(slot: number): string {
    return this.bytes.toString('latin1', this.#starts[slot], this.#ends[slot])
  }

  /** The text of any text field, null where absent. Lone surrogates are U+FFFD, as everywhere in the normal form. */
  text(slot: number): string | null {
    if (!this.has(slot)) return null
    if (this.#unusual[slot] === 0) return this.latin1(slot)
    return (JSON.parse(this.bytes.toString('utf8', this.start(slot) - 1, this.end(slot) + 1)) as string).toWellFormed()
  }

  /** Epoch milliseconds of a text field; null where it is absent or no time. */
  time(slot: number): number | null {
    if (!this.has(slot)) return null
    const common = parseTimeAt(this.bytes, this.start(slot), this.end(slot))
    return common ?? parseTime(this.text(slot) ?? '')
  }

  /** True where the bytes of a field are exactly these. */
  is(slot: number, text: Uint8Array): boolean {
    const start = this.#starts[slot]!
    if (start < 0 || this.#ends[slot]! - start !== text.length) return false
    for (let index = 0; index < text.length; index++) if (this.bytes[start + index] !== text[index]) return false
    return true
  }

  #members(from: number, level: number): number {
    const { bytes } = this
    let before = first[level]!
    let at = skipWhite(bytes, from)
    if (bytes[at] === 0x7d) return at + 1
    for (;;) {
      if (bytes[at] !== 0x22) return -1
      const start = at + 1
      let key = before.next
      if (key !== null && isNamed(key, bytes, start) && bytes[start + key.name.length] === 0x22) {
        before = key
        at = skipWhite(bytes, start + key.name.length + 1)
      } else {
        const end = endOfString(bytes, start)
        // An escape could spell the name of any field.
        if (end === -1 || noted.unusual) return -1
        key = find(tables[level]![end - start], bytes, start)
        if (key !== null) before = before.next = key
        at = skipWhite(bytes, end + 1)
      }
      if (bytes[at] !== 0x3a) return -1
      at = skipWhite(bytes, at + 1)
      at = key === null ? endOfValue(bytes, at) : this.#value(at, key)
      if (at === -1) return -1
      at = skipWhite(bytes, at)
      if (bytes[at] === 0x7d) return at + 1
      if (bytes[at] !== 0x2c) return -1
      at = skipWhite(bytes, at + 1)
    }
  }

  #value(at: number, key: Key): number {
    const { bytes } = this
    // The last of two wins in JSON.parse; here the second ends the fast path.
    if (this.#starts[key.slot] !== absent || key.kind === kinds.stop) return -1
    this.#starts[key.slot] = nothing
    const byte = bytes[at]
    if (byte === 0x6e) return literalAt(bytes, at, 'null')
    switch (key.kind) {
      case kinds.text: {
        if (byte !== 0x22) return -1
        const end = endOfString(bytes, at + 1)
        return end === -1 ? -1 : this.#keep(key.slot, at + 1, end, noted.unusual) + 1
      }
      case kinds.flag:
        return this.#flag(at, key.slot)
      case kinds.json: {
        if (byte !== 0x7b && byte !== 0x5b) return -1
        noted.canonical = true
        const end = endOfValue(bytes, at)
        return end === -1 ? -1 : this.#keep(key.slot, at, end, !noted.canonical)
      }
      case kinds.object: {
        if (byte !== 0x7b) return -1
        const end = this.#members(at + 1, key.below)
        return end === -1 ? -1 : this.#keep(key.slot, at, end, false)
      }
      default:
        return -1
    }
  }

  #keep(slot: number, start: number, end: number, unusual: boolean): number {
    this.#starts[slot] = start
    this.#ends[slot] = end
    this.#unusual[slot] = unusual ? 1 : 0
    return end
  }

  /** true, false, and their texts (mfaAuthenticated is always text); any other text is no flag. */
  #flag(at: number, slot: number): number {
    const { bytes } = this
    const asText = bytes[at] === 0x22
    const from = asText ? at + 1 : at
    for (const word of ['true', 'false'] as const) {
      const end = literalAt(bytes, from, word)
      if (end === -1 || (asText && bytes[end] !== 0x22)) continue
      this.#starts[slot] = word === 'true' ? yes : no
      return asText ? end + 1 : end
    }
    return -1
  }

  #acceptable(): boolean {
    for (const slot of decisive) if (this.#starts[slot]! >= 0 && this.#unusual[slot] === 1) return false
    if (!this.#filled(eventTime) || !this.#filled(eventSource) || !this.#filled(eventName)) return false
    if (this.is(eventSource, fromS3) || this.is(eventType, insight)) return false
    if (this.has(eventVersion) && !this.#isVersion1()) return false
    const time = this.time(eventTime)
    this.eventTime = time ?? 0
    return time !== null
  }

  #filled(slot: number): boolean {
    return this.#starts[slot]! >= 0 && this.#ends[slot]! > this.#starts[slot]!
  }

  /** `1` or `1.` and digits, with further parts. */
  #isVersion1(): boolean {
    const { bytes } = this
    const end = this.#ends[eventVersion]!
    let at = this.#starts[eventVersion]!
    if (bytes[at++] !== 0x31) return false
    while (at < end) {
      if (bytes[at++] !== 0x2e || !isDigit(bytes[at])) return false
      while (at < end && isDigit(bytes[at])) at++
    }
    return at === end
  }
}

function find(keys: readonly Key[] | undefined, bytes: Uint8Array, start: number): Key | null {
  if (keys === undefined) return null
  for (const key of keys) if (isNamed(key, bytes, start)) return key
  return null
}

function isNamed({ name }: Key, bytes: Uint8Array, start: number): boolean {
  if (start + name.length > bytes.length) return false
  for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name[index]) return false
  return true
}
