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
  optionalSized: 10,
} as const

/** Seven bytes hold 48 bits and a sign: every number of that length is exact, and every time until the year 10,000 is one. */
const longestNumber = 7

/**
 * Steps in pairs: what to do, and its argument (symbols of an enum; how many optional texts; where to go on when another
 * optional value is null).
 */
type Plan = Uint16Array

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
  #start = 0

  private constructor(plan: Plan) {
    this.#plan = plan
  }

  /** A walk for a schema, or null for a schema with something it does not know. */
  static of(schema: AvroSchema): EventWalk | null {
    const plan: number[] = []
    const known = addFields(plan, schema as RecordSchema, true)
    const steps = plan.filter((_, i) => i % 2 === 0)
    const found = [op.source, op.name, op.time, op.key].every(mark => steps.includes(mark))
    return known && found ? new EventWalk(Uint16Array.from(plan)) : null
  }

  /**
   * Walks the record that begins at `start` and must end at `end`. False for whatever is not plainly whole. Steps never go
   * back, so one that leaves the record is found by where the walk ends; what it reads there until then decides nothing.
   */
  over(bytes: Uint8Array, start: number, end = bytes.length): boolean {
    const plan = this.#plan
    let at = start
    for (let step = 0; step < plan.length; step += 2) {
      const argument = plan[step + 1]!
      switch (plan[step]) {
        case op.optionalSized:
          for (let left = argument; left > 0; left--) {
            const branch = bytes[at++]
            if (branch === 0) continue
            if (branch !== 2) return false
            // nearly every text is shorter than 64 bytes
            const first = bytes[at]!
            if ((first & 0x81) === 0) at += 1 + (first >> 1)
            else if ((at = this.#sized(bytes, at, end)) < 0) return false
          }
          break
        case op.sized:
          at = this.#sized(bytes, at, end)
          if (at < 0) return false
          break
        case op.optional: {
          const branch = bytes[at++]
          if (branch === 0) step = argument - 2
          else if (branch !== 2) return false
          break
        }
        case op.long:
          if (Number.isNaN(this.#long(bytes, at))) return false
          at = this.#at
          break
        case op.time:
          this.eventTime = this.#long(bytes, at)
          if (Number.isNaN(this.eventTime)) return false
          at = this.#at
          break
        case op.source:
          at = this.#sized(bytes, at, end)
          if (at < 0) return false
          this.sourceStart = this.#start
          this.sourceEnd = at
          break
        case op.name:
          at = this.#sized(bytes, at, end)
          if (at < 0) return false
          this.nameStart = this.#start
          this.nameEnd = at
          break
        case op.key:
          at = this.#sized(bytes, at, end)
          if (at < 0) return false
          this.keyStart = this.#start
          this.keyEnd = at
          break
        case op.boolean:
          if (bytes[at++]! > 1) return false
          break
        case op.symbol: {
          const symbol = this.#long(bytes, at)
          if (!(symbol >= 0 && symbol < argument)) return false
          at = this.#at
          break
        }
        default:
          at = this.#texts(bytes, at, end)
          if (at < 0) return false
      }
    }
    return at === end
  }

  /** NaN for a number that is cut or long; `#at` is behind it. */
  #long(bytes: Uint8Array, start: number): number {
    let at = start
    let byte = bytes[at++]
    if (byte === undefined) return NaN
    const odd = byte & 1
    let value = (byte & 0x7f) >> 1
    let factor = 64
    for (let length = 1; byte > 0x7f; length++) {
      byte = bytes[at++]
      if (byte === undefined || length === longestNumber) return NaN
      value += (byte & 0x7f) * factor
      factor *= 128
    }
    this.#at = at
    return odd === 1 ? -1 - value : value
  }

  /** Position behind a text, or -1; `#start` is where it begins. */
  #sized(bytes: Uint8Array, at: number, end: number): number {
    const size = this.#long(bytes, at)
    this.#start = this.#at
    return size >= 0 && this.#start + size <= end ? this.#start + size : -1
  }

  /** Position behind an array of texts, or -1. */
  #texts(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; ;) {
      const count = this.#long(bytes, at)
      at = this.#at
      if (count === 0) return at
      if (!(count > 0)) return -1
      for (let left = count; left > 0; left--) {
        at = this.#sized(bytes, at, end)
        if (at < 0) return -1
      }
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

/** One step for neighbours, unless something leads to between them. */
function addOptionalText(plan: number[]): boolean {
  const isTarget = plan.some((argument, at) => at % 2 === 1 && argument === plan.length && plan[at - 1] === op.optional)
  if (plan.at(-2) === op.optionalSized && !isTarget) plan[plan.length - 1]!++
  else plan.push(op.optionalSized, 1)
  return true
}

/** `required` is false inside an optional record: what stands there cannot be counted on. */
function add(plan: number[], type: unknown, required: boolean, path: string): boolean {
  const mark = required && Object.hasOwn(marks, path) ? marks[path] : undefined
  if (Array.isArray(type)) {
    if (type.length !== 2 || type[0] !== 'null') return false
    if (type[1] === 'string' || type[1] === 'bytes') return addOptionalText(plan)
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
