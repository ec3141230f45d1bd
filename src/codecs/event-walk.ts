// A walk over the Avro binary of an event without decoding it: is it whole, and where do the few things stand that the
// detector dispatches on. Pure. The plan is made from the schema, so a new field needs nothing here.
import type { AvroSchema } from './confluent.ts'

const op = {
  long: 0,
  time: 1,
  sized: 2,
  source: 3,
  name: 4,
  key: 5,
  boolean: 6,
  symbol: 7,
  optional: 8,
  texts: 9,
} as const

/** Seven bytes hold 48 bits and a sign: every number of that length is exact, and every time until the year 10,000 is one. */
const longestNumber = 7

/** Steps in pairs: what to do, and its argument (symbols of an enum; where to go on when an optional value is null). */
type Plan = readonly number[]

/** Walks records of one schema. What was found is valid until the next walk. */
export class EventWalk {
  readonly #plan: Plan
  /** Epoch milliseconds. */
  eventTime = 0
  sourceStart = 0
  sourceEnd = 0
  nameStart = 0
  nameEnd = 0
  keyStart = 0
  keyEnd = 0
  #at = 0

  private constructor(plan: Plan) {
    this.#plan = plan
  }

  /** A walk for a schema, or null for a schema with something it does not know. */
  static of(schema: AvroSchema): EventWalk | null {
    const plan: number[] = []
    const known = addFields(plan, schema as RecordSchema, true)
    const steps = plan.filter((_, i) => i % 2 === 0)
    const found = [op.source, op.name, op.time, op.key].every(mark => steps.includes(mark))
    return known && found ? new EventWalk(plan) : null
  }

  /** Walks the record that begins at `start` and must fill the rest. False for whatever is not plainly whole. */
  over(bytes: Uint8Array, start: number): boolean {
    const plan = this.#plan
    this.#at = start
    for (let step = 0; step < plan.length; step += 2) {
      const argument = plan[step + 1] as number
      switch (plan[step]) {
        case op.optional: {
          const branch = bytes[this.#at++]
          if (branch === 0) step = argument - 2
          else if (branch !== 2) return false
          break
        }
        case op.sized:
          if (this.#sized(bytes) < 0) return false
          break
        case op.long:
          if (Number.isNaN(this.#long(bytes))) return false
          break
        case op.time:
          this.eventTime = this.#long(bytes)
          if (Number.isNaN(this.eventTime)) return false
          break
        case op.source:
          this.sourceStart = this.#sized(bytes)
          this.sourceEnd = this.#at
          if (this.sourceStart < 0) return false
          break
        case op.name:
          this.nameStart = this.#sized(bytes)
          this.nameEnd = this.#at
          if (this.nameStart < 0) return false
          break
        case op.key:
          this.keyStart = this.#sized(bytes)
          this.keyEnd = this.#at
          if (this.keyStart < 0) return false
          break
        case op.boolean:
          if ((bytes[this.#at++] ?? 2) > 1) return false
          break
        case op.symbol: {
          const symbol = this.#long(bytes)
          if (!(symbol >= 0 && symbol < argument)) return false
          break
        }
        default:
          if (!this.#texts(bytes)) return false
      }
    }
    return this.#at === bytes.length
  }

  /** NaN for a number that is cut or long. */
  #long(bytes: Uint8Array): number {
    let byte = bytes[this.#at++]
    if (byte === undefined) return NaN
    const odd = byte & 1
    let value = (byte & 0x7f) >> 1
    let factor = 64
    for (let length = 1; byte > 0x7f; length++) {
      byte = bytes[this.#at++]
      if (byte === undefined || length === longestNumber) return NaN
      value += (byte & 0x7f) * factor
      factor *= 128
    }
    return odd === 1 ? -1 - value : value
  }

  /** Steps over a text; where it begins, or -1. */
  #sized(bytes: Uint8Array): number {
    // nearly every text is shorter than 64 bytes
    const first = bytes[this.#at] ?? 1
    let size = first >> 1
    if ((first & 0x81) === 0) this.#at++
    else {
      size = this.#long(bytes)
      if (!(size >= 0)) return -1
    }
    const start = this.#at
    this.#at = start + size
    return this.#at <= bytes.length ? start : -1
  }

  #texts(bytes: Uint8Array): boolean {
    for (;;) {
      const count = this.#long(bytes)
      if (count === 0) return true
      if (!(count > 0)) return false
      for (let left = count; left > 0; left--) if (this.#sized(bytes) < 0) return false
    }
  }
}

interface RecordSchema {
  readonly fields: readonly { readonly name: string; readonly type: unknown }[]
}

/** The marks that the walk leaves, by the path of their field. */
const marks: Readonly<Record<string, number>> = {
  eventTime: op.time,
  eventSource: op.source,
  eventName: op.name,
  'principal.key': op.key,
}

function addFields(plan: number[], { fields }: RecordSchema, required: boolean, path = ''): boolean {
  return fields.every(({ name, type }) => add(plan, type, required, `${path}${name}`))
}

/** `required` is false inside an optional record: what stands there cannot be counted on. */
function add(plan: number[], type: unknown, required: boolean, path: string): boolean {
  const mark = required && Object.hasOwn(marks, path) ? marks[path] : undefined
  if (Array.isArray(type)) {
    if (type.length !== 2 || type[0] !== 'null') return false
    const jump = plan.push(op.optional, 0) - 1
    if (!add(plan, type[1], false, path)) return false
    plan[jump] = plan.length
    return true
  }
  const kind: unknown = typeof type === 'object' && type !== null ? (type as { type: unknown }).type : type
  switch (kind) {
    case 'int':
    case 'long':
      return plan.push(mark ?? op.long, 0) > 0
    case 'string':
    case 'bytes':
      return plan.push(mark ?? op.sized, 0) > 0
    case 'boolean':
      return plan.push(op.boolean, 0) > 0
    case 'enum':
      return plan.push(op.symbol, (type as { symbols: readonly string[] }).symbols.length) > 0
    case 'record':
      return addFields(plan, type as RecordSchema, required, `${path}.`)
    case 'array':
      return (type as { items: unknown }).items === 'string' && plan.push(op.texts, 0) > 0
    default:
      return false
  }
}
